"""Paths and convergence: what the method did, drawn from the method itself, on each framework."""

import numpy as np
import pytest
from drawn import attribution, pixels, said

import polyattr
from polyattr import InputError, InputTypeError, plots
from polyattr.plots.drawing.doubt import combined

IG = polyattr.IntegratedGradients
X = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 2.0]])


def lines(axes):
    return {line.get_linewidth(): line for line in axes.lines}


def test_the_path_ends_at_the_attributions(lab):
    model = lab.function(lambda ops, x: ops.sum(x**2))
    method = polyattr.IntegratedGradients(model, steps=5, rule="midpoint")
    axes = plots.path(method, lab.tensor(X), sample=1, points=10, features=2, names=["a", "b", "c"])
    found = lines(axes)
    alpha = np.linspace(0, 1, 11)
    np.testing.assert_allclose(found[2.4].get_xdata(), alpha)
    np.testing.assert_allclose(found[2.4].get_ydata(), 5.25 * alpha**2, rtol=1e-5)
    np.testing.assert_allclose(found[1.3].get_ydata(), 5.25 * alpha**2, rtol=1e-5)
    ends = [float(line.get_ydata()[-1]) for line in axes.lines if line.get_linewidth() == 1.2]
    np.testing.assert_allclose(ends, [4.0, 1.0], rtol=1e-5)  # of c and b, the largest first
    words = said(axes.figure)
    assert "c\nb" in words
    assert "5 gradients" in words
    # A mark for each node of the rule.
    marks = [segment[0][0] for segment in axes.collections[0].get_segments()]
    np.testing.assert_allclose(marks, [0.1, 0.3, 0.5, 0.7, 0.9])
    assert axes.get_title(loc="left").startswith("f(x) = 5.25")
    pixels(axes.figure, dpi=40)


@pytest.mark.parametrize("settings", [{"steps": "auto"}, {"rule": "exact"}])
def test_nodes_that_were_chosen_are_marked(lab, settings):
    model = lab.function(lambda ops, x: ops.sum(ops.relu(x - 0.5)))
    method = polyattr.IntegratedGradients(model, **settings)
    axes = plots.path(method, lab.tensor(X), points=4)
    result = method.attribute(lab.tensor(X[:1]))
    marks = np.array([segment[0][0] for segment in axes.collections[0].get_segments()])
    assert len(marks) == result.evaluations[0]
    assert f"{len(marks)} gradients" in said(axes.figure)
    # The kinks of this path, at 1/2 and 1/4, have nodes close to them.
    assert np.abs(marks - 0.5).min() < 0.05
    assert np.abs(marks - 0.25).min() < 0.05


def test_classes_and_baselines_are_those_of_the_question(lab):
    model = lab.function(lambda ops, x: x * x)
    method = polyattr.IntegratedGradients(model, baseline_value=9.0)
    axes = plots.path(method, lab.tensor(X), targets=1, baselines=np.array([0.0, 1.0, 0.0]))
    assert float(lines(axes)[2.4].get_ydata()[-1]) == pytest.approx(3.0)
    assert axes.get_title(loc="left").startswith("class 1, f(x) = 4")


@pytest.mark.parametrize(
    ("make", "options", "error", "message"),
    [
        (
            polyattr.Saliency,
            {},
            InputTypeError,
            "is a Saliency; expected IntegratedGrad",
        ),
        (
            lambda model: IG(model, multiply_by_inputs=False),
            {},
            InputError,
            "does not integrate along the straight path",
        ),
        (
            lambda model: IG(model, baseline_value=polyattr.baselines.Mean()),
            {},
            InputError,
            "expected baselines= the numbers themselves",
        ),
        (IG, {"sample": 5}, InputError, "there is no sample 5"),
        (IG, {"baselines": np.ones(4)}, InputError, "are not one for a"),
        (IG, {"points": 1}, InputError, "points is 1"),
        (
            polyattr.IntegratedGradients,
            {"inputs": [X]},
            InputTypeError,
            "inputs is a list",
        ),
        (IG, {"inputs": X[0]}, InputError, r"inputs have shape \(3,\)"),
    ],
)
def test_paths_that_cannot_be_drawn(make, options, error, message):
    inputs = options.pop("inputs", X)
    with pytest.raises(error, match=message):
        plots.path(make(abs), inputs, **options)


def test_convergence_draws_stated_errors_and_distances(lab):
    model = lab.function(lambda ops, x: ops.sum(ops.relu(x - 0.4) * x))
    method = polyattr.IntegratedGradients(model)
    counts = (4, 8, 64)
    axes = plots.convergence(method, lab.tensor(X), counts=counts)
    results = [
        polyattr.IntegratedGradients(model, steps=count).attribute(lab.tensor(X)).to_numpy()
        for count in counts
    ]
    stated, moved = (line for line in axes.lines if line.get_linewidth() == 2.0)
    np.testing.assert_array_equal(stated.get_xdata(), counts)
    errors = [np.median(result.error) for result in results]
    np.testing.assert_allclose(stated.get_ydata(), errors, rtol=1e-4)
    best = results[-1].values
    apart = [np.median(np.abs(r.values - best).sum(1) / np.abs(best).sum(1)) for r in results[:-1]]
    np.testing.assert_allclose(moved.get_ydata(), apart, rtol=1e-4)
    same = plots.convergence(results)
    np.testing.assert_allclose(same.lines[-1].get_ydata(), apart, rtol=1e-4)
    pixels(same.figure, dpi=40)


def test_sampled_methods_converge_in_draws(lab):
    method = polyattr.SmoothGrad(lab.function(lambda ops, x: ops.sum(x**3)))
    axes = plots.convergence(method, lab.tensor(X), counts=[4, 16])
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [4, 16])
    assert "error that is stated" in said(axes.figure)


def test_exact_maps_have_no_error_to_draw():
    results = [attribution(np.ones((2, 3)), error=np.zeros(2)) for _ in range(2)]
    assert "no error to draw" in said(plots.convergence(results).figure)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((polyattr.Saliency(abs), X), InputTypeError, "takes one gradient; expected a method with"),
        ((polyattr.IntegratedGradients(abs),), InputTypeError, "inputs is None"),
        ((np.ones(3),), InputTypeError, "expected a method with steps or nb_samples, or a list"),
        (([attribution(X)],), InputError, "there are 1 attributions; expected at least two"),
        (([attribution(X), attribution(X[:1])],), InputError, "expected the same samples in each"),
    ],
)
def test_what_does_not_converge(given, error, message):
    with pytest.raises(error, match=message):
        plots.convergence(*given)


@pytest.mark.parametrize("counts", [(8,), (8, 8), (16, 8), ()])
def test_counts_ascend(counts):
    with pytest.raises(InputError, match="expected at least two, ascending"):
        plots.convergence(polyattr.IntegratedGradients(abs), X, counts=counts)


def test_errors_of_sums_along_a_path_are_added(lab):
    """A kink that all features share puts all of them off to the same side."""
    at = np.linspace(-3.5, -0.5, 60)[:, None]
    inputs = np.concatenate([np.full((60, 8), 0.5), at], axis=1)  # the last one moves the kink
    starts = np.concatenate([np.zeros((60, 8)), at], axis=1)
    model = lab.function(lambda ops, x: ops.relu(ops.sum(x)))
    method = IG(model, steps=10)
    result = method.attribute(lab.tensor(inputs), baselines=lab.tensor(starts)).to_numpy()
    off, errors = np.abs(result.completeness_gap), result.standard_error
    added, squared = (combined(errors, 1, alike=alike) for alike in (True, False))
    assert (off <= 2 * added).mean() > 0.95
    assert (off <= 2 * squared).mean() < 0.9
