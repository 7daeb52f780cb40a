"""Blur Integrated Gradients: its path, its start, and which axes are blurred."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr
from polyattr.testing.path_references import blurred, heated
from polyattr.testing.scored import Scored

RNG = np.random.default_rng(2031)
SIGNALS, PICTURES = single(RNG.uniform(0, 1, (3, 7))), single(RNG.uniform(0, 1, (3, 5, 4)))
NETWORK = random_network(2032, 7, 10, 3, activation="tanh")
WEIGHTS = RNG.standard_normal((5, 4))
TARGETS = np.array([0, 2, 1])

# Few points leave maps off, as `explain` says of these.
pytestmark = pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")


def made(lab, model, **settings):
    return polyattr.BlurIntegratedGradients(model, backend=lab.name, **settings)


def bent(ops, x):
    """A score in which neither rows nor columns nor features are alike."""
    return ops.sum(ops.tanh(x * ops.like(WEIGHTS, x)) * (x + 1.0))


def slope(x):
    inner = np.tanh(x * WEIGHTS)
    return inner + WEIGHTS * (1 - inner**2) * (x + 1)


def score(x):
    return (np.tanh(x * WEIGHTS) * (x + 1)).sum(axis=(1, 2))


@pytest.mark.parametrize("batch_size", [2, None])
@pytest.mark.parametrize("largest", [0.7, 4.0, 50.0])
def test_the_equation_in_numpy(lab, largest, batch_size):
    expected = blurred(Scored(score, slope), PICTURES, largest, 12)
    with lab.double():
        method = made(lab, lab.function(bent), steps=12, max_sigma=largest, batch_size=batch_size)
        result = method.attribute(lab.tensor(PICTURES, "float64"))
    assert_close(lab.numpy(result.values), expected, 1e-12)
    start = score(heated(PICTURES, largest**2 / 2)[0])
    assert_close(result.baseline_scores, start, 1e-12)
    assert_close(result.scores, score(PICTURES), 1e-12)
    gap = expected.sum(axis=(1, 2)) - (score(PICTURES) - start)
    assert np.abs(result.completeness_gap - gap).max() <= 1e-12


def test_the_blur_is_that_of_scipy():
    ndimage = pytest.importorskip("scipy.ndimage")
    wanted = ndimage.gaussian_filter(PICTURES, (0, 2, 2), mode="reflect", truncate=10)
    assert_close(heated(PICTURES, 2.0)[0], wanted, 1e-6)


def test_it_is_complete_in_the_limit(lab):
    with lab.double():
        x = lab.tensor(SIGNALS, "float64")
        method = made(lab, lab.mlp(NETWORK), rule="gauss-legendre", steps=60)
        result = method.attribute(x, TARGETS)
    mean = np.repeat(SIGNALS.mean(axis=1, keepdims=True), 7, axis=1)
    # A blur of 50 is the mean of 7 samples.
    assert_close(result.baseline_scores, NETWORK.outputs(mean)[np.arange(3), TARGETS], 1e-10)
    assert np.abs(result.completeness_gap).max() <= 1e-8


def test_a_linear_model_has_what_the_blur_takes(lab):
    model = lab.function(lambda ops, x: ops.sum(x * ops.like(WEIGHTS, x)))
    with lab.double():
        x = lab.tensor(PICTURES, "float64")
        method = made(lab, model, rule="gauss-legendre", steps=60, max_sigma=3.0)
        found = lab.numpy(method.explain(x))
    assert_close(found, WEIGHTS * (PICTURES - heated(PICTURES, 4.5)[0]), 1e-8)


def test_a_constant_has_no_attributions(lab):
    result = made(lab, lab.function(bent)).attribute(lab.tensor(np.full((2, 5, 4), 0.75)))
    assert np.abs(lab.numpy(result.values)).max() <= 1e-6
    assert np.abs(result.scores - result.baseline_scores).max() <= 1e-5


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("last", [True, False])
def test_channels_are_found_on_either_end(lab, last, channels):
    x = single(RNG.uniform(0, 1, (2, 6, 5, channels)))
    factors = RNG.standard_normal(x.shape[1:])
    each = [made(lab, lab.function(lambda ops, t: ops.sum(t * t * t)), steps=9)] * channels
    wanted = np.stack([lab.numpy(m.explain(lab.tensor(x[..., c]))) for c, m in enumerate(each)], -1)
    assert factors.shape == (6, 5, channels)
    given, axes = (x, (1, 2)) if last else (np.moveaxis(x, -1, 1), (2, 3))
    for settings in ({}, {"axes": axes}, {"axes": tuple(axis - 4 for axis in axes)}):
        method = made(lab, lab.function(lambda ops, t: ops.sum(t * t * t)), steps=9, **settings)
        found = lab.numpy(method.explain(lab.tensor(given)))
        assert_close(found if last else np.moveaxis(found, 1, -1), wanted)


def test_every_input_is_blurred_by_itself(lab):
    def model(ops, signal, picture):
        return ops.sum(signal * signal) * ops.sum(picture)

    with lab.double():
        pair = (lab.tensor(SIGNALS, "float64"), lab.tensor(PICTURES, "float64"))
        method = made(lab, lab.function(model), rule="gauss-legendre", steps=60, max_sigma=2.0)
        result = method.attribute(pair)
    start = (heated(SIGNALS, 2.0)[0] ** 2).sum(1) * heated(PICTURES, 2.0)[0].sum((1, 2))
    assert_close(result.baseline_scores, start, 1e-12)
    assert np.abs(result.completeness_gap).max() <= 1e-8


def test_half_precision(lab):
    x = lab.tensor(PICTURES, "bfloat16")
    result = made(lab, lab.function(bent)).attribute(x)
    assert lab.dtype(result.values) == "bfloat16"
    exact = made(lab, lab.function(bent)).explain(lab.tensor(lab.numpy(x).astype(np.float32)))
    assert_close(lab.numpy(result.values), lab.numpy(exact), 0.03)


def test_it_is_a_function_of_each_call(lab):
    method = made(lab, lab.mlp(NETWORK), steps=5, max_sigma=2.0)
    phi = method.function(lab.tensor(SIGNALS), TARGETS)
    x = lab.tensor(SIGNALS[:, ::-1].copy())
    assert_close(lab.numpy(phi(x)), lab.numpy(method.explain(x, TARGETS)))


def test_a_gradient_that_is_not_finite_is_named_by_its_scale(lab):
    model = lab.function(lambda ops, x: ops.sum(ops.sqrt(x)))
    x = lab.tensor(np.array([[1.0, 2.0], [1.0, -1.0]]))
    with pytest.raises(polyattr.NonFiniteGradientError, match=r"sample 1 at a blur of .* pixels"):
        made(lab, model).explain(x)


def test_wrong_arguments(lab):
    for settings, said in (
        ({"max_sigma": 0.0}, "max_sigma is 0.0; expected a number above 0"),
        ({"max_sigma": -1}, "max_sigma is -1"),
        ({"max_sigma": "all"}, "max_sigma is 'all'"),
        ({"axes": (0, 1)}, "axes names axis 0, which counts samples"),
        ({"axes": 1}, "axes is 1; expected a tuple of ints"),
        ({"steps": "auto"}, "steps is 'auto'"),
        ({"rule": "simpson", "steps": 2}, "steps is 2; the simpson rule needs"),
        ({"baseline_value": 0.0}, "BlurIntegratedGradients has no argument 'baseline_value'"),
        ({"domain": polyattr.domains.Fourier()}, "expected None: a blur is one of pixels"),
    ):
        with pytest.raises(polyattr.PolyattrError, match=said):
            made(lab, abs, **settings)
    method = made(lab, lab.function(lambda ops, x: ops.sum(x * x)))
    with pytest.raises(polyattr.InputError, match=r"\(2, 5, 5, 5\) and no axes.*expected axes="):
        method.explain(lab.tensor(np.ones((2, 5, 5, 5))))
    with pytest.raises(polyattr.InputError, match="baselines"):
        method.explain(lab.tensor(SIGNALS), baselines=0.0)
