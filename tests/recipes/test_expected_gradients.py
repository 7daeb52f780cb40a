"""Expected Gradients: baselines drawn from data (Erion et al. 2021, arXiv 1906.10670)."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr

NETWORK = random_network(1031, 4, 10, 3, activation="tanh")
RNG = np.random.default_rng(1032)
X, BACKGROUND = single(RNG.standard_normal((5, 4))), single(RNG.standard_normal((6, 4)) + 0.5)
TARGETS = np.array([0, 1, 2, 0, 1])


def expected(lab, model=None, **arguments):
    arguments = {"background": BACKGROUND, "backend": lab.name, **arguments}
    return polyattr.ExpectedGradients(lab.mlp(NETWORK) if model is None else model, **arguments)


def integrated(lab, starts, x=X, targets=TARGETS):
    """Integrated Gradients averaged over baselines, far finer than any sampling error."""
    method = polyattr.IntegratedGradients(
        lab.mlp(NETWORK), backend=lab.name, steps=16, rule="gauss-legendre"
    )
    maps = [lab.numpy(method.explain(lab.tensor(x), targets, baselines=b)) for b in starts]
    return np.mean(maps, axis=0, dtype=np.float64)


def assert_near(found, error, truth, deviations=4):
    """Within so many standard errors, and to a hundredth of the largest entry."""
    away = np.abs(found - truth)
    assert (away <= deviations * error + 1e-6).all()
    assert away.max() <= 1e-2 * np.abs(truth).max()
    assert error.max() <= 0.1 * np.abs(truth).max()  # or the first line would say nothing


def test_one_background_row_is_integrated_gradients_from_there(lab):
    method = expected(lab, background=BACKGROUND[:1], nb_samples=200)
    result = method.attribute(lab.tensor(X), TARGETS)
    truth = integrated(lab, BACKGROUND[:1])
    assert_near(lab.numpy(result.values), lab.numpy(result.standard_error), truth)


def test_many_draws_are_the_mean_over_the_background(lab):
    result = expected(lab, nb_samples=3000).attribute(lab.tensor(X), TARGETS)
    truth = integrated(lab, BACKGROUND)
    assert_near(lab.numpy(result.values), lab.numpy(result.standard_error), truth)
    assert (result.evaluations == 3000).all()
    assert result.converged.all()


def test_the_draws_are_what_the_seed_says(lab):
    x = lab.tensor(X)
    first, again, other = (
        lab.numpy(expected(lab, nb_samples=8, seed=seed).explain(x, TARGETS)) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert np.abs(first - other).max() > 0.01


@pytest.mark.parametrize("background", [1, 4, 6])
def test_a_linear_model_shows_the_draws(lab, background):
    """On w . x a draw adds w (x - b): whole passes through the background leave no error."""
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    model = lab.function(lambda ops, x: ops.sum(x * ops.like(weights, x)))
    rows = BACKGROUND[:background]
    method = expected(lab, model, background=rows, nb_samples=12)
    result = method.attribute(lab.tensor(X))
    assert_close(lab.numpy(result.values), weights * (X - rows.mean(axis=0)))
    assert_close(lab.numpy(result.values).sum(axis=1), result.scores - result.base_values)


def test_alphas_are_stratified(lab):
    """With one row per stratum the square is integrated with an error of order 1 / P^1.5."""
    model = lab.function(lambda ops, x: ops.sum(x * x))
    worst = {}
    for count in (10, 1000):
        found = [
            lab.numpy(
                expected(
                    lab, model, background=np.zeros((1, 4)), nb_samples=count, seed=seed
                ).explain(lab.tensor(X))
            )
            for seed in range(4)
        ]
        # A draw adds 2 alpha x^2: the mean alpha can be read off.
        worst[count] = max(np.abs(phi / (2 * X * X) - 0.5).max() for phi in found)
    # Independent alphas would leave 0.29 / sqrt(P).
    assert worst[10] <= 0.29 / 10**1.5 * 4
    assert worst[1000] <= 0.29 / 1000**1.5 * 4 + 1e-6


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_rows_per_call_change_nothing(lab, batch_size):
    x = lab.tensor(X)
    whole = expected(lab, nb_samples=9, batch_size=None).attribute(x, TARGETS)
    parts = expected(lab, nb_samples=9, batch_size=batch_size).attribute(x, TARGETS)
    for name in ("values", "standard_error"):
        assert_close(lab.numpy(getattr(parts, name)), lab.numpy(getattr(whole, name)), 1e-5)
    assert_close(parts.base_values, whole.base_values)
    assert (parts.evaluations == whole.evaluations).all()


def test_company_changes_nothing(lab):
    method = expected(lab, nb_samples=9, batch_size=7)
    together = method.attribute(lab.tensor(X), TARGETS)
    alone = method.attribute(lab.tensor(X[3:4]), 0)
    assert_close(lab.numpy(alone.values)[0], lab.numpy(together.values)[3])
    assert_close(alone.base_values, together.base_values[3:4])


@pytest.mark.parametrize("batch_size", [4, None])
@pytest.mark.parametrize(
    "targets", [1, TARGETS, np.eye(3)[TARGETS] * 2.0, lambda outputs: outputs[:, 1], None]
)
def test_base_values_are_the_mean_score_of_the_background(lab, targets, batch_size):
    result = expected(lab, nb_samples=6, batch_size=batch_size).attribute(lab.tensor(X), targets)
    outputs = NETWORK.outputs(BACKGROUND)
    if targets is None:
        chosen = np.eye(3)[NETWORK.outputs(X).argmax(axis=1)]
    elif callable(targets) or isinstance(targets, int):
        chosen = np.eye(3)[np.ones(5, int)]
    else:
        chosen = targets if targets.ndim == 2 else np.eye(3)[targets]
    assert_close(result.base_values, chosen @ outputs.mean(axis=0))
    assert (result.base_values == result.baseline_scores).all()
    gap = lab.numpy(result.values).sum(axis=1) - (result.scores - result.base_values)
    assert np.abs(result.completeness_gap - gap).max() <= 1e-5


def test_base_values_with_what_the_model_takes_beside(lab):
    """Every sample has its own: no two share the score of a background row."""

    def scores(ops, x, factor):
        return ops.sum(x * x) * factor

    factors = single(np.arange(1.0, 6.0))
    method = expected(lab, lab.function(scores), nb_samples=6, batch_size=4)
    result = method.attribute(lab.tensor(X), forward_args=(lab.tensor(factors),))
    assert_close(result.base_values, factors * (BACKGROUND**2).sum(axis=1).mean())
    shared = method.attribute(lab.tensor(X), forward_args=(3.0,))
    assert_close(shared.base_values, np.full(5, 3 * (BACKGROUND**2).sum(axis=1).mean()))


def test_the_error_is_the_size_of_the_true_error(lab):
    """Over many features that depend on backgrounds drawn apart."""
    rng = np.random.default_rng(1033)
    background, x = single(rng.standard_normal((2000, 300))), single(rng.standard_normal((3, 300)))
    scale = single(rng.uniform(0.5, 1.5, 300))
    model = lab.function(lambda ops, x: ops.sum(ops.tanh(x * ops.like(scale, x))))
    method = expected(lab, model, background=background, nb_samples=64)
    result = method.attribute(lab.tensor(x))
    # The integral of tanh' on a line is the difference of its ends, feature by feature.
    truth = np.tanh(scale * x) - np.tanh(scale * background).mean(axis=0)
    values = lab.numpy(result.values)
    true_error = np.abs(values - truth).sum(axis=1) / np.abs(values).sum(axis=1)
    ratio = result.error / true_error
    assert (ratio > 0.5).all()
    assert (ratio < 2).all()
    stated = lab.numpy(result.standard_error)
    whole = stated.sum(axis=1) / np.abs(values).sum(axis=1)
    assert_close(np.sqrt(2 / np.pi) * whole, result.error)
    within = np.abs(values - truth) <= stated
    assert 0.5 < within.mean() < 0.9  # 68 % of a Gaussian, less for eight groups


def test_one_draw_has_no_error(lab):
    result = expected(lab, nb_samples=1).attribute(lab.tensor(X), TARGETS)
    assert np.isnan(result.error).all()
    assert result.standard_error is None
    assert not result.converged.any()


def test_a_tolerance_that_is_missed(lab):
    method = expected(lab, nb_samples=9, tolerance=1e-4)
    with pytest.warns(polyattr.ConvergenceWarning, match=r"5 of 5 .*raise nb_samples"):
        method.explain(lab.tensor(X), TARGETS)


def product(ops, left, right):
    return ops.sum(left * right)


def test_backgrounds_of_several_inputs_are_drawn_together(lab):
    """On left . right the score of the background depends on which rows belong to each other."""
    rows = single(RNG.standard_normal((8, 3)))
    inputs = {"right": X[:, 1:], "left": X[:, :3]}
    background = {"left": rows, "right": -rows}

    def model(parts):
        return product(lab.ops, parts["left"], parts["right"])

    method = expected(lab, model, background=background, nb_samples=2000)
    result = method.attribute({name: lab.tensor(part) for name, part in inputs.items()})
    base = -(rows**2).sum(axis=1)
    assert_close(result.base_values, np.full(5, base.mean()))
    total = sum(lab.numpy(part).sum(axis=1) for part in result.values.values())
    rise = (inputs["left"] * inputs["right"]).sum(axis=1) - base.mean()
    apart = (rows.mean(axis=0) * -rows.mean(axis=0)).sum()
    assert abs(apart - base.mean()) > 1
    assert np.abs(total - rise).max() < 0.1
    # On the path both factors are linear in alpha.
    for name, other in (("left", "right"), ("right", "left")):
        moves = inputs[name][:, None] - background[name]
        truth = (moves * (inputs[other][:, None] + background[other]) / 2).mean(axis=1)
        error = lab.numpy(result.standard_error[name])
        away = np.abs(lab.numpy(result.values[name]) - truth)
        assert (away <= 5 * error + 1e-5).all()
        assert away.max() <= 0.03 * np.abs(truth).max()


def test_the_background_may_be_native_or_numpy_of_any_kind(lab):
    wanted = lab.numpy(expected(lab, nb_samples=9).explain(lab.tensor(X), TARGETS))
    for background in (lab.tensor(BACKGROUND), BACKGROUND.astype(np.float32)):
        method = expected(lab, background=background, nb_samples=9)
        assert (lab.numpy(method.explain(lab.tensor(X), TARGETS)) == wanted).all()
    whole = np.round(BACKGROUND).astype(np.int64)
    as_float = expected(lab, background=whole * 1.0, nb_samples=9).explain(lab.tensor(X), TARGETS)
    as_int = expected(lab, background=whole, nb_samples=9).explain(lab.tensor(X), TARGETS)
    assert (lab.numpy(as_float) == lab.numpy(as_int)).all()


def test_the_background_at_a_layer_holds_its_activations(lab):
    model = lab.network(NETWORK, softmax=False)
    hidden = single(np.random.default_rng(1034).standard_normal((6, 10)))
    method = polyattr.ExpectedGradients(
        model, input_layer="dense0", background=hidden, nb_samples=600
    )
    result = method.attribute(lab.tensor(X), TARGETS)
    (last, bias) = NETWORK.layers[1]
    base = (np.tanh(hidden) @ last + bias).mean(axis=0)
    assert_close(result.base_values, base[TARGETS])
    rise = NETWORK.outputs(X)[np.arange(5), TARGETS] - base[TARGETS]
    assert np.abs(lab.numpy(result.values).sum(axis=1) - rise).max() <= 0.05 * np.abs(rise).max()


def test_a_background_of_inputs_goes_through_the_layer(lab):
    model = lab.network(NETWORK, softmax=False)
    (first, shift), _ = NETWORK.layers
    settings = {"input_layer": "dense0", "nb_samples": 40, "batch_size": 7}
    whole = polyattr.ExpectedGradients(model, background=BACKGROUND, **settings)
    inside = polyattr.ExpectedGradients(
        model, background=single(BACKGROUND @ first + shift), **settings
    )
    found, wanted = (method.attribute(lab.tensor(X), TARGETS) for method in (whole, inside))
    assert_close(lab.numpy(found.values), lab.numpy(wanted.values), 1e-4)
    assert_close(found.base_values, wanted.base_values, 1e-4)


@pytest.mark.parametrize(
    ("background", "error", "said"),
    [
        (BACKGROUND[:, :3], "InputError", r"background has shape \(6, 3\).*\(B, 4\)"),
        (BACKGROUND[0], "InputError", r"background has shape \(4,\).*\(B, 4\)"),
        (BACKGROUND[:0], "InputError", r"background has shape \(0, 4\).*at least 1"),
        (0.0, "InputError", "background"),
        (np.where(BACKGROUND > 0, BACKGROUND, np.nan), "InputError", "background contains nan"),
        (np.array([["a"] * 4]), "InputTypeError", r"background is a ndarray.*\(B, 4\)"),
        ((BACKGROUND, BACKGROUND), "InputError", r"background is tuple\(.*expected array$"),
        (
            BACKGROUND.tolist(),
            "InputError",
            r"expected array; for data pass np.array\(\[\.\.\.\]\)",
        ),
    ],
)
def test_backgrounds_that_do_not_fit(lab, background, error, said):
    method = expected(lab, background=background)
    with pytest.raises(getattr(polyattr, error), match=said):
        method.explain(lab.tensor(X), TARGETS)


def test_backgrounds_of_unequal_length(lab):
    method = expected(lab, lab.function(product), background=(BACKGROUND, BACKGROUND[:4]))
    inputs = (lab.tensor(X), lab.tensor(X))
    with pytest.raises(polyattr.InputError, match=r"background has 6, 4 rows .*all inputs"):
        method.explain(inputs)


def test_what_it_does_not_take(lab):
    with pytest.raises(polyattr.InputTypeError, match="background is None"):
        polyattr.ExpectedGradients(lab.mlp(NETWORK), backend=lab.name)
    with pytest.raises(polyattr.InputError, match="nb_samples"):
        expected(lab, nb_samples=0)
    with pytest.raises(polyattr.InputError, match="baselines is given, but ExpectedGradients"):
        expected(lab).explain(lab.tensor(X), TARGETS, baselines=0.0)
