"""The baselines of `polyattr.baselines`: their formulas, in every framework."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.baselines import (
    Blur,
    Constant,
    DataRows,
    MaximumDistance,
    Mean,
    Permutation,
    UniformNoise,
    Zeros,
)

RNG = np.random.default_rng(1201)
X = RNG.standard_normal((3, 3, 5, 6)).astype(np.float32)
STEPS = np.arange(5)


def blurred(values, sigma):
    """Along the third axis, by the definition."""
    weights = np.exp(-((STEPS[:, None] - STEPS) ** 2) / (2 * sigma**2))
    return np.einsum("hk,nckw->nchw", weights / weights.sum(1, keepdims=True), values)


FORMULAS = [
    (Zeros(), lambda x: 0 * x[:1] + 0),
    (Constant(0.5), lambda x: 0 * x[:1] + 0.5),
    (Constant([[[1.0]], [[2.0]], [[3.0]]]), lambda x: 0 * x[:1] + [[[1.0]], [[2.0]], [[3.0]]]),
    (Mean(), lambda x: 0 * x + x.mean((1, 2, 3), keepdims=True)),
    (Mean(channel_axis=1), lambda x: 0 * x + x.mean((2, 3), keepdims=True)),
    (Mean(channel_axis=-1), lambda x: 0 * x + x.mean((1, 2), keepdims=True)),
    (Blur(1.5, axes=(2,)), lambda x: blurred(x, 1.5)),
    (Blur(0.0), lambda x: x),
    (MaximumDistance(-2.0, 2.0), lambda x: np.where(x <= 0, 2.0, -2.0)),
    (
        MaximumDistance(),
        lambda x: np.where(
            x * 2 <= x.max((1, 2, 3), keepdims=True) + x.min((1, 2, 3), keepdims=True),
            x.max((1, 2, 3), keepdims=True),
            x.min((1, 2, 3), keepdims=True),
        ),
    ),
    (DataRows(X[::-1] * 2), lambda x: 2 * x[::-1][None]),
]


@pytest.mark.parametrize(
    ("baseline", "formula"), FORMULAS, ids=[repr(part)[:40] for part, _ in FORMULAS]
)
def test_a_baseline_is_its_formula(lab, baseline, formula):
    with lab.double():
        found = baseline(lab.tensor(X, "float64"))
        assert lab.is_native(found)
        assert lab.dtype(found) == "float64"
        expected = formula(X.astype(np.float64))
        assert tuple(found.shape) == expected.shape
        np.testing.assert_allclose(lab.numpy(found), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("baseline", [Mean(), Blur(2.0)])
def test_half_precision_is_computed_in_single(lab, baseline):
    halves = X.astype(np.float16).astype(np.float32)
    single = lab.numpy(baseline(lab.tensor(halves)))
    half = baseline(lab.tensor(halves, "float16"))
    assert lab.dtype(half) == "float16"
    assert_close(lab.numpy(half), single, 2.0**-10)


def test_a_blur_takes_all_of_a_picture_but_its_channels(lab):
    first = lab.numpy(Blur(2.0)(lab.tensor(X)))
    assert_close(first, lab.numpy(Blur(2.0, axes=(2, 3))(lab.tensor(X))))
    last = lab.numpy(Blur(2.0)(lab.tensor(np.moveaxis(X, 1, -1).copy())))
    assert_close(np.moveaxis(last, -1, 1), first)
    wave = lab.tensor(X[:, 0, :, 0].copy())
    assert_close(lab.numpy(Blur(2.0)(wave)), lab.numpy(Blur(2.0, axes=(1,))(wave)))


@pytest.mark.parametrize("made", [UniformNoise, Permutation])
def test_draws_belong_to_the_sample(lab, made):
    """Alone, in another order, in float64: the same; another seed, draw or sample: another."""
    with lab.double():
        whole = lab.numpy(made(seed=3)(lab.tensor(X)))
        alone = lab.numpy(made(seed=3)(lab.tensor(X[1:2].copy())))
        turned = lab.numpy(made(seed=3)(lab.tensor(X[::-1].copy())))
        wide = lab.numpy(made(seed=3)(lab.tensor(X, "float64")))
        other = lab.numpy(made(seed=4)(lab.tensor(X)))
    np.testing.assert_array_equal(alone[0], whole[1])
    np.testing.assert_array_equal(turned[::-1], whole)
    np.testing.assert_allclose(wide, whole, rtol=1e-6, atol=1e-6)
    assert not np.isclose(other, whole).all()
    several = lab.numpy(made(seed=3, nb_draws=3)(lab.tensor(X)))
    assert several.shape == (3, 3, *X.shape[1:])
    np.testing.assert_array_equal(several[:, 0], whole)
    assert not np.isclose(several[:, 1], whole).all()


def test_shared_draws_are_those_of_all_samples(lab):
    noise = UniformNoise(-1.0, 1.0, shared_draws=True, nb_draws=2)
    assert tuple(noise(lab.tensor(X)).shape) == (1, 2, *X.shape[1:])
    order = lab.numpy(Permutation(shared_draws=True)(lab.tensor(X))).reshape(3, -1)
    flat = X.reshape(3, -1)
    place = [int(np.flatnonzero(flat[0] == value)[0]) for value in order[0]]
    np.testing.assert_array_equal(order, flat[:, place])


def test_noise_has_the_range_and_a_permutation_the_values(lab):
    noise = lab.numpy(UniformNoise(nb_draws=200)(lab.tensor(X))).reshape(3, -1)
    flat = X.reshape(3, -1)
    assert (noise >= flat.min(1, keepdims=True)).all()
    assert (noise <= flat.max(1, keepdims=True)).all()
    middle = (flat.min(1) + flat.max(1)) / 2
    spread = (flat.max(1) - flat.min(1)) / np.sqrt(12 * noise.shape[1])
    assert (np.abs(noise.mean(1) - middle) < 4 * spread).all()
    order = lab.numpy(Permutation()(lab.tensor(X))).reshape(3, -1)
    np.testing.assert_array_equal(np.sort(order), np.sort(flat))
    assert not np.array_equal(order, flat)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_whole_slices_change_places(lab, axis):
    found = lab.numpy(Permutation(axis=axis, seed=1)(lab.tensor(X)))
    for before, after in zip(X, found, strict=True):
        place = axis - (axis > 0)
        slices = np.moveaxis(before, place, 0).reshape(before.shape[place], -1)
        turned = np.moveaxis(after, place, 0).reshape(slices.shape)
        assert {tuple(row) for row in turned} == {tuple(row) for row in slices}


def body(ops, x):
    return ops.sum(ops.tanh(x) * x)


KINDS = [
    Zeros(),
    Blur(2.0, axes=(1,)),
    UniformNoise(seed=2, nb_draws=3),
    DataRows(2 * X[:, 0, :, 0], nb_draws=2),
]
"""One of each shape: (1, ...), (N, ...), (N, K, ...), (1, K, ...)."""


def test_paths_start_there(lab):
    """As from the array it makes; whole or alone, a sample's map is the same."""
    series = X[:, 0, :, 0]
    with lab.double():
        x, one = lab.tensor(series, "float64"), lab.tensor(series[1:2], "float64")
        method = polyattr.IntegratedGradients(
            lab.function(body), backend=lab.name, steps=3, rule="gauss-legendre"
        )
        for baseline in KINDS:
            found = lab.numpy(method.explain(x, baselines=baseline))
            start = lab.numpy(baseline(x))
            assert_close(found, lab.numpy(method.explain(x, baselines=start)), 1e-12)
        noise = UniformNoise(seed=2)
        whole = lab.numpy(method.explain(x, baselines=noise))
        assert_close(lab.numpy(method.explain(one, baselines=noise))[0], whole[1], 1e-12)


def test_several_inputs_have_one_each_and_what_is_whole_has_none(lab):
    def joined(ops, parts):
        return ops.sum(parts["a"] * parts["a"]) + ops.sum(parts["b"])

    inputs = {"a": lab.tensor(X[:, 0]), "b": lab.tensor(X[:, 1, 0])}
    found = Mean()({**inputs, "ids": lab.tensor(np.arange(3), "int32")})
    assert found["ids"] is None
    assert_close(lab.numpy(found["a"])[:, 0, 0], X[:, 0].mean((1, 2)))
    method = polyattr.IntegratedGradients(
        lab.function(joined), backend=lab.name, baseline_value=UniformNoise(nb_draws=2)
    )
    maps = method.explain(inputs)
    assert set(maps) == {"a", "b"}
    rows = DataRows({"a": X[:, 0], "b": X[:, 1, 0]}, nb_draws=2)(inputs)
    drawn = lab.numpy(rows["a"])[0]
    picked = [int(np.flatnonzero((X[:, 0] == row).all((1, 2)))[0]) for row in drawn]
    np.testing.assert_array_equal(lab.numpy(rows["b"])[0], X[picked, 1, 0])


def test_a_pure_function_takes_them(lab):
    method = polyattr.IntegratedGradients(
        lab.function(body), backend=lab.name, steps=2, rule="midpoint", baseline_value=Blur(1.0)
    )
    x = lab.tensor(X)
    assert_close(lab.numpy(method.function(x)(x)), lab.numpy(method.explain(x)))


WRONG = [
    (lambda: Blur(-1.0), "sigma is -1.0"),
    (lambda: Blur(1.0, axes=2), "axes is 2; expected a tuple"),
    (lambda: Blur(1.0, axes=(0,)), "axis 0, which counts samples"),
    (lambda: Mean(channel_axis=0), "axis 0"),
    (lambda: Constant("grey"), "value is 'grey'; expected a number"),
    (lambda: Constant(np.inf), "expected finite"),
    (lambda: UniformNoise(1.0, 0.0), "low is 1.0 and high is 0.0"),
    (lambda: UniformNoise(nb_draws=0), "nb_draws is 0"),
    (lambda: Permutation(seed=-1), "seed is -1"),
    (lambda: Permutation(shared_draws=1), "shared_draws is 1"),
    (lambda: DataRows([1.0, 2.0]), "data holds a float"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[said for _, said in WRONG])
def test_wrong_arguments_are_told(make, said):
    with pytest.raises((polyattr.InputError, polyattr.InputTypeError), match=said):
        make()


UNFIT = [
    (Blur(1.0), X[:, 0], r"inputs of shape \(3, 5, 6\) and no axes.*expected axes="),
    (Blur(1.0, axes=(4,)), X, "axes is 4, and the inputs have 4 axes"),
    (Mean(channel_axis=7), X, "channel_axis is 7"),
    (Constant(np.zeros(7)), X, r"value has shape \(7,\); expected a number"),
    (DataRows(X[:, :1]), X, r"data has shape \(3, 1, 5, 6\)"),
    (DataRows(X, nb_draws=9), X, "nb_draws is 9, and data has 3 rows"),
    (DataRows((X, X)), X, r"data is tuple\(array, array\); expected array"),
    (Permutation(axis=5), X, "axis is 5"),
]


@pytest.mark.parametrize(("baseline", "x", "said"), UNFIT, ids=[said for *_, said in UNFIT])
def test_what_does_not_fit_the_inputs_is_told(lab, baseline, x, said):
    with pytest.raises(polyattr.InputError, match=said):
        baseline(lab.tensor(x))


def test_numpy_arrays_alone_name_no_framework():
    with pytest.raises(polyattr.InputTypeError, match="no tensor of a framework"):
        Zeros()(X)


def test_token_ids_have_no_mean(lab):
    with pytest.raises(polyattr.InputTypeError, match="floating inputs, and there are none"):
        Mean()(lab.tensor(np.arange(6).reshape(2, 3), "int32"))
