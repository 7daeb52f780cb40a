"""`function`: attributions as a part of a loss, differentiated by weights and by inputs."""

import numpy as np
import pytest
from guided import Guided
from labs import EVERY_METHOD
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr

RNG = np.random.default_rng(1051)
X, BACKGROUND, STARTS = (single(RNG.standard_normal((n, 4))) for n in (3, 5, 3))
# Scaled by the square root, so that gradients are of the same order for both layers.
FIRST, SECOND = RNG.standard_normal((4, 5)) / 2, RNG.standard_normal((5, 3)) / 2
TARGETS = np.array([0, 2, 1])
PRIOR = RNG.standard_normal((3, 4))

METHODS = {
    "product": polyattr.GradientInput,
    "saliency": polyattr.Saliency,
    "steps": lambda model, **more: polyattr.IntegratedGradients(model, steps=5, **more),
    "mean gradient": lambda model, **more: polyattr.IntegratedGradients(
        model, steps=5, multiply_by_inputs=False, baseline_value=STARTS, **more
    ),
    "baseline of the input": lambda model, **more: polyattr.IntegratedGradients(
        model, steps=5, baseline_value=lambda x: x * 0.5, **more
    ),
    "blurred": lambda model, **more: polyattr.BlurIntegratedGradients(
        model, steps=5, max_sigma=2.0, **more
    ),
    "guided": lambda model, **more: polyattr.GuidedIntegratedGradients(
        model, steps=5, max_dist=0.3, **more
    ),
    "several baselines": lambda model, **more: polyattr.IntegratedGradients(
        model, steps=5, baseline_value=np.stack([STARTS, -STARTS], axis=1), **more
    ),
    "noise": lambda model, **more: polyattr.SmoothGrad(model, nb_samples=3, **more),
    "squares": lambda model, **more: polyattr.SquareGrad(model, nb_samples=3, **more),
    "variance": lambda model, **more: polyattr.VarGrad(model, nb_samples=3, **more),
    "background": lambda model, **more: polyattr.ExpectedGradients(
        model, background=BACKGROUND, nb_samples=4, **more
    ),
    "smoothed": lambda model, batch_size="auto", **more: polyattr.SmoothGrad(
        of=polyattr.IntegratedGradients(model, steps=5, **more),
        nb_samples=3,
        batch_size=batch_size,
    ),
}


def outputs(lab, first, second):
    return lambda x: lab.ops.matmul(lab.ops.tanh(lab.ops.matmul(x, first)), second)


def test_every_shipped_method_is_among_them():
    made = {type(make(lambda x: x, backend=None)) for make in METHODS.values()}
    needed = {polyattr.ExpectedGradients: {"background": BACKGROUND}}
    # Rows that are chosen by what others told are no function of the inputs.
    fixed = {m for m in EVERY_METHOD if m(abs, **needed.get(m, {})).recipe().one_round}
    assert made == fixed


@pytest.mark.parametrize("name", METHODS)
def test_it_is_what_explain_returns(lab, name):
    first, second = lab.tensor(FIRST), lab.tensor(SECOND)
    method = METHODS[name](outputs(lab, first, second), backend=lab.name)
    x = lab.tensor(X)
    phi = method.function(lab.tensor(X * 0.5 + 0.1), TARGETS)
    found = phi(x)
    assert lab.is_native(found)
    assert lab.dtype(found) == "float32"
    assert_close(lab.numpy(found), lab.numpy(method.explain(x, TARGETS)))
    assert_close(lab.numpy(phi(x)), lab.numpy(found), 1e-6)


def assert_slopes(run, arrays, gradients, step=1e-5):
    """Compares gradients with finite differences along a few directions in each array."""
    rng = np.random.default_rng(1053)
    for i, gradient in enumerate(gradients):
        for _ in range(3):
            direction = rng.standard_normal(gradient.shape)
            ends = []
            for sign in (1, -1):
                moved = list(arrays)
                moved[i] = arrays[i] + sign * step * direction
                ends.append(run(*moved)[0])
            slope = (ends[0] - ends[1]) / (2 * step)
            size = np.linalg.norm(gradient) * np.linalg.norm(direction)
            assert size > 1e-3
            assert abs((gradient * direction).sum() - slope) <= 1e-6 * size


@pytest.mark.parametrize("name", METHODS)
def test_a_loss_on_attributions_by_weights_and_inputs(lab, name):
    """An explainer made inside the loss, from weights that are being differentiated by."""

    def loss(first, second, x):
        method = METHODS[name](outputs(lab, first, second), backend=lab.name)
        found = method.function(x, TARGETS)(x)
        return lab.ops.total(lab.ops.sum(found * lab.ops.like(PRIOR, found)))

    with lab.double():
        run = lab.differentiated(loss)
        arrays = [FIRST, SECOND, X]
        value, gradients = run(*arrays)
        method = METHODS[name](
            outputs(lab, *(lab.tensor(a, "float64") for a in (FIRST, SECOND))), backend=lab.name
        )
        explained = lab.numpy(method.explain(lab.tensor(X, "float64"), TARGETS))
        assert value == pytest.approx((explained * PRIOR).sum(), rel=1e-10)
        assert_slopes(run, arrays, gradients)


def test_a_training_step_lowers_a_loss_on_attributions(lab):
    """The prior of Erion et al.: some features ought not to matter."""

    def loss(first, second):
        method = polyattr.ExpectedGradients(
            outputs(lab, first, second), background=BACKGROUND, nb_samples=4, backend=lab.name
        )
        x = lab.tensor(X, "float64")
        found = method.function(x, TARGETS)(x)
        return lab.ops.total(lab.ops.sum(found * found * lab.ops.like(np.eye(4)[0], found)))

    with lab.double():
        run = lab.differentiated(loss)
        before, gradients = run(FIRST, SECOND)
        size = sum((g**2).sum() for g in gradients)
        step = 1e-3 * before / size
        after = run(*(w - step * g for w, g in zip((FIRST, SECOND), gradients, strict=True)))[0]
        assert after == pytest.approx(before * (1 - 1e-3), rel=1e-4)


@pytest.mark.parametrize("batch_size", [2, 7])
@pytest.mark.parametrize("name", ["variance", "smoothed"])
def test_a_bound_on_rows_changes_nothing(lab, name, batch_size):
    first, second = lab.tensor(FIRST), lab.tensor(SECOND)
    method = METHODS[name](outputs(lab, first, second), backend=lab.name, batch_size=batch_size)
    found = method.function(lab.tensor(X), TARGETS)(lab.tensor(X))
    assert_close(lab.numpy(found), lab.numpy(method.explain(lab.tensor(X), TARGETS)))


def pair(ops, left, right, scale):
    return ops.sum(ops.tanh(left * right)) * scale


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_containers_baselines_and_further_arguments(lab):
    method = polyattr.IntegratedGradients(lab.function(pair), backend=lab.name, steps=5)
    inputs = (lab.tensor(X), lab.tensor(X[:, ::-1].copy()))
    options = {"baselines": (0.5, STARTS), "forward_args": (lab.tensor(np.arange(1.0, 4.0)),)}
    found = method.function(inputs, **options)(inputs)
    assert type(found) is tuple
    for part, wanted in zip(found, method.explain(inputs, **options), strict=True):
        assert_close(lab.numpy(part), lab.numpy(wanted))


def test_a_callable_baseline_is_that_of_each_call(lab):
    method = polyattr.IntegratedGradients(
        outputs(lab, lab.tensor(FIRST), lab.tensor(SECOND)),
        backend=lab.name,
        steps=5,
        baseline_value=lambda x: x * 0.5,
    )
    phi = method.function(lab.tensor(X), TARGETS)
    for x in (X, STARTS):
        assert_close(
            lab.numpy(phi(lab.tensor(x))), lab.numpy(method.explain(lab.tensor(x), TARGETS))
        )


def test_baselines_that_are_not_finite(lab):
    model = outputs(lab, lab.tensor(FIRST), lab.tensor(SECOND))
    method = polyattr.IntegratedGradients(model, backend=lab.name, baseline_value=np.nan)
    with pytest.raises(polyattr.InputError, match="baseline_value contains nan"):
        method.function(lab.tensor(X), TARGETS)
    method = polyattr.ExpectedGradients(model, background=BACKGROUND * np.inf, backend=lab.name)
    with pytest.raises(polyattr.InputError, match="background contains"):
        method.function(lab.tensor(X), TARGETS)


def test_a_score_needs_no_target(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x * x))
    phi = polyattr.GradientInput(model, backend=lab.name).function(lab.tensor(X))
    assert_close(lab.numpy(phi(lab.tensor(X))), 3 * X**3)


def test_a_method_with_several_rounds_refuses(lab):
    model = outputs(lab, lab.tensor(FIRST), lab.tensor(SECOND))
    auto = polyattr.IntegratedGradients(model, backend=lab.name, steps="auto")
    said = r"steps='auto'.*chooses its points from what earlier ones told.*number of steps"
    for method in (auto, polyattr.SmoothGrad(of=auto)):
        with pytest.raises(polyattr.InputError, match=said):
            method.function(lab.tensor(X), TARGETS)
    for kind in (polyattr.IDGI, polyattr.IntegratedDecisionGradients):
        with pytest.raises(polyattr.InputError, match="chooses its points from what earlier ones"):
            kind(model, backend=lab.name).function(lab.tensor(X), TARGETS)


def test_a_class_that_would_have_to_be_predicted(lab):
    model = outputs(lab, lab.tensor(FIRST), lab.tensor(SECOND))
    with pytest.raises(polyattr.InputError, match=r"targets is None.*would change with the inputs"):
        polyattr.GradientInput(model, backend=lab.name).function(lab.tensor(X))


def test_a_layer_refuses(lab):
    network = random_network(1052, 4, 5, 3)
    method = polyattr.GradientInput(lab.network(network), input_layer="dense0")
    with pytest.raises(polyattr.InputError, match=r"attributes to a layer.*a model of its own"):
        method.function(lab.tensor(X), TARGETS)


def test_other_inputs_than_those_of_the_example(lab):
    model = outputs(lab, lab.tensor(FIRST), lab.tensor(SECOND))
    phi = polyattr.GradientInput(model, backend=lab.name).function(lab.tensor(X), TARGETS)
    with pytest.raises(polyattr.InputError, match=r"made for inputs of shape \(3, 4\).*\(2, 4\)"):
        phi(lab.tensor(X[:2]))
    with pytest.raises(polyattr.InputError, match="same containers"):
        phi((lab.tensor(X),))


def test_a_sequential_recipe_is_differentiable_too(lab):
    """Its points are chosen inside the tile: the host needs to be told nothing."""

    def loss(first, second, x):
        method = Guided(outputs(lab, first, second), moves=3, backend=lab.name)
        found = method.function(x, TARGETS)(x)
        return lab.ops.total(lab.ops.sum(found * lab.ops.like(PRIOR, found)))

    with lab.double():
        run = lab.differentiated(loss)
        assert_slopes(run, [FIRST, SECOND, X], run(FIRST, SECOND, X)[1])
