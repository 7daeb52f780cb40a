"""Attributions in other coordinates are those of the composed function, f after the way back."""

import dataclasses
import functools

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.domains import Components, Domain, Fourier, Haar, Linear, TrendSeason
from polyattr.domains.space import Space

RNG = np.random.default_rng(1210)
NETWORK = random_network(1211, 8, 12, 3, activation="tanh")
X = single(RNG.standard_normal((5, 8)))
START = single(RNG.standard_normal((5, 8)))
TARGETS = np.arange(5) % 3
MATRIX = RNG.standard_normal((8, 8)) + 3 * np.eye(8)
PARTS = RNG.standard_normal((3, 8))
SHIFT = RNG.standard_normal(8)
EYE = np.eye(8)


def there(domain):
    """The matrix and the offset of a linear domain, from what it does to a basis."""
    found = domain.forward(NUMPY, np.concatenate([np.zeros((1, 8)), EYE]))
    flat = found.reshape(9, -1)
    return (flat[1:] - flat[0]).T, flat[0]


def back(domain, size):
    z = np.concatenate([np.zeros((1, size)), np.eye(size)])
    shape = domain.forward(NUMPY, np.zeros((1, 8))).shape[1:]
    found = domain.inverse(NUMPY, z.reshape(-1, *shape))
    return (found[1:] - found[0]).T


class _NumpyVerbs:
    """The few verbs domains use, on NumPy arrays."""

    def cast(self, x, dtype):
        return x

    def dtype(self, x):
        return "float64"

    accumulator_dtype = dtype

    def reshape(self, x, shape):
        return x.reshape(shape)

    def along(self, x, matrix, axis):
        return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)

    def to_native(self, array, like, dtype):
        return np.asarray(array)


NUMPY = _NumpyVerbs()

DOMAINS = [
    Fourier(),
    Haar(axes=(1,)),
    Linear(MATRIX),
    Linear(np.concatenate([EYE, EYE]), np.concatenate([EYE, EYE]).T / 2),
    Components(PARTS, SHIFT),
    TrendSeason(period=3),
]
by_name = pytest.mark.parametrize("domain", DOMAINS, ids=lambda d: f"{type(d).__name__}")


@functools.cache
def model(lab):
    return lab.mlp(NETWORK)


def gradient(x):
    return NETWORK.gradient(x, one_hot(TARGETS, 3))


@by_name
def test_the_way_back_ends_where_it_began(domain):
    z = domain.forward(NUMPY, X.astype(np.float64))
    np.testing.assert_allclose(domain.inverse(NUMPY, z), X, atol=1e-12)


@by_name
def test_attributions_are_those_of_the_composed_function(lab, domain):
    """Gradients by z are (T^-1)' times those by x; paths are straight in z."""
    matrix, offset = there(domain)
    way = back(domain, len(matrix))
    z, start = (np.asarray(x, np.float64) @ matrix.T + offset for x in (X, START))
    with lab.double():
        x = lab.tensor(X, "float64")
        method = polyattr.IntegratedGradients(
            model(lab), backend=lab.name, domain=domain, rule="midpoint", steps=7, batch_size=8
        )
        result = method.attribute(x, TARGETS, baselines=START)
        alphas = (np.arange(7) + 0.5) / 7
        points = [START + a * (X.astype(np.float64) - START) for a in alphas]
        expected = (z - start) * (np.mean([gradient(p) for p in points], axis=0) @ way)
        assert_close(lab.numpy(result.values).reshape(5, -1), expected, 1e-12)
        rise = NETWORK.outputs(X) - NETWORK.outputs(START)
        gap = expected.sum(axis=1) - rise[np.arange(5), TARGETS]
        np.testing.assert_allclose(result.completeness_gap, gap, atol=1e-12)


def test_frequencies_and_wavelets_are_orthonormal_and_what_they_are_called():
    for domain in (Fourier(), Haar()):
        for size in (1, 2, 8, *((3, 7) if isinstance(domain, Fourier) else ())):
            basis = domain.forward(NUMPY, np.eye(size)).T
            np.testing.assert_allclose(basis @ basis.T, np.eye(size), atol=1e-12)
    t = np.arange(8)
    for frequency in range(5):
        z = Fourier().forward(NUMPY, np.cos(2 * np.pi * frequency * t / 8 + 0.3)[None])[0]
        assert set(np.flatnonzero(np.abs(z) > 1e-9)) <= set(
            np.flatnonzero(Fourier.frequencies(8) == frequency)
        )
    step = Haar().forward(NUMPY, np.repeat([1.0, -1.0], 4)[None])[0]
    np.testing.assert_allclose(step, np.sqrt(8) * EYE[1], atol=1e-12)


def test_pictures_have_frequencies_of_both_axes(lab):
    pictures = single(RNG.standard_normal((2, 3, 4, 5)))
    domain = Fourier(axes=(2, 3))

    def squares(ops, x):
        return ops.sum(x * x)

    with lab.double():
        method = polyattr.GradientInput(lab.function(squares), backend=lab.name, domain=domain)
        found = lab.numpy(method.explain(lab.tensor(pictures, "float64")))
    z = domain.forward(NUMPY, pictures.astype(np.float64))
    assert_close(found, 2 * z**2, 1e-12)
    spectrum = np.abs(np.fft.fft2(pictures.astype(np.float64), norm="ortho")) ** 2
    assert_close(found[:, :, 0, 0], 2 * spectrum[:, :, 0, 0], 1e-12)
    assert_close(found.sum(axis=(1, 2, 3)), 2 * spectrum.sum(axis=(1, 2, 3)), 1e-12)


def test_a_season_and_a_trend_are_told_apart():
    t = np.arange(24)
    season = np.tile([1.0, -2.0, 1.0], 8)
    z = TrendSeason(period=3).forward(NUMPY, (0.5 * t + season)[None])[0]
    inner = slice(1, -1)
    np.testing.assert_allclose(z[0, inner], 0.5 * t[inner], atol=1e-12)
    np.testing.assert_allclose(z[1, inner], season[inner], atol=0.2)
    even = TrendSeason(period=4).forward(NUMPY, (0.5 * t + np.tile([1, -1, 2, -2.0], 6))[None])[0]
    np.testing.assert_allclose(even[0, 2:-2], 0.5 * t[2:-2], atol=1e-12)


def test_the_identity_changes_nothing(lab):
    x = lab.tensor(X)
    plain, same = (
        polyattr.IntegratedGradients(model(lab), backend=lab.name, domain=domain, steps=20)
        for domain in (None, Linear(EYE))
    )
    assert_close(lab.numpy(same(x, TARGETS)), lab.numpy(plain(x, TARGETS)), 1e-6)


def test_noise_is_added_in_the_domain_and_background_moves_there(lab):
    """Of an orthogonal transform the variance is that along its axes."""
    domain = Fourier()
    basis, _ = there(domain)
    with lab.double():
        x = lab.tensor(X, "float64")
        settings = {"nb_samples": 4, "seed": 3, "noise": 0.4}
        found = polyattr.SmoothGrad(model(lab), backend=lab.name, domain=domain, **settings)
        draws = [s * e for e in _draws(3, 2) for s in (1, -1)]
        expected = np.mean([gradient(X + 0.4 * d @ basis) @ basis.T for d in draws], axis=0)
        assert_close(lab.numpy(found(x, TARGETS)), expected, 1e-6)
        rows = np.broadcast_to(START[:1], (1, 8))
        parent = polyattr.ExpectedGradients(model(lab), backend=lab.name, background=rows)
        moved = dataclasses.replace(parent, domain=Linear(EYE))
        assert_close(lab.numpy(moved(x, TARGETS)), lab.numpy(parent(x, TARGETS)), 1e-12)
        smoothed = polyattr.SmoothGrad(of=dataclasses.replace(parent, domain=domain), **settings)
        assert smoothed(x, TARGETS).shape == x.shape


def _draws(seed, count):
    from polyattr.sampling.noise import portable_noise

    return [portable_noise(seed, k, 0, (8,)).astype(np.float64) for k in range(count)]


def test_a_pure_function_goes_there_and_back(lab):
    method = polyattr.IntegratedGradients(
        model(lab), backend=lab.name, domain=Fourier(), steps=20, baseline_value=0.5
    )
    x = lab.tensor(X)
    pure = method.function(x, TARGETS)
    assert_close(lab.numpy(pure(x)), lab.numpy(method.explain(x, TARGETS)))


def test_several_inputs_have_one_each(lab):
    def joined(ops, inputs):
        return ops.sum(inputs["a"] * inputs["a"]) + ops.sum(inputs["b"])

    inputs = {"a": lab.tensor(X), "b": lab.tensor(START)}
    method = polyattr.GradientInput(
        lab.function(joined), backend=lab.name, domain={"a": Haar(), "b": None}
    )
    maps = method.explain(inputs)
    assert_close(lab.numpy(maps["a"]), 2 * Haar().forward(NUMPY, X.astype(np.float64)) ** 2)
    assert_close(lab.numpy(maps["b"]), START)
    both = dataclasses.replace(method, domain=Haar()).explain(inputs)
    assert_close(lab.numpy(both["b"])[:, 0], START.sum(axis=1))


def test_activations_of_a_layer_have_components(lab):
    """The principal parts of a hidden layer, as concepts are looked for."""
    network = lab.network(random_network(1212, 8, 6, 3), softmax=False)
    plain = polyattr.GradientInput(network, backend=lab.name, input_layer="dense0")
    basis = np.linalg.qr(RNG.standard_normal((6, 6)))[0]
    parts = dataclasses.replace(plain, domain=Components(basis[:2]))
    x = lab.tensor(X)
    before, after = (lab.numpy(m.explain(x, TARGETS)) for m in (plain, parts))
    assert after.shape == before.shape
    assert_close(after.sum(axis=1), before.sum(axis=1))
    gradients = lab.numpy(
        polyattr.SmoothGrad(
            network, backend=lab.name, input_layer="dense0", noise=0.0, nb_samples=1
        ).explain(x, TARGETS)
    )
    activations = before / np.where(gradients == 0, 1, gradients)
    known = (gradients != 0).all(axis=1)
    expected = (activations @ basis[0]) * (gradients @ basis[0])
    np.testing.assert_allclose(after[known, 0], expected[known], rtol=1e-3, atol=1e-5)


@dataclasses.dataclass(frozen=True)
class Doubling(Domain):
    """Does not lead back."""

    def forward(self, backend, x):
        return x * 2

    def inverse(self, backend, z):
        return z


def test_a_domain_that_does_not_lead_back_is_refused(lab):
    method = polyattr.Saliency(model(lab), backend=lab.name, domain=Doubling())
    with pytest.raises(polyattr.InputError, match=r"Doubling\(\) does not lead back to inputs"):
        method.explain(lab.tensor(X), 0)


WRONG = [
    (lambda: polyattr.Saliency(abs, domain="fourier"), "domain is 'fourier'; expected a Domain"),
    (lambda: polyattr.Saliency(abs, domain=Fourier), r"Fourier'>; expected a Domain.*Fourier\(\)"),
    (lambda: polyattr.Saliency(abs, domain=Fourier(), tangent="simplex"), "both given"),
    (lambda: Fourier(axes=(0,)), "axis 0"),
    (lambda: Linear(np.zeros((2, 3))), "expected a square matrix, or"),
    (lambda: Linear(np.zeros((2, 2))), "has no inverse"),
    (lambda: Linear(EYE, 2 * EYE), "does not lead back"),
    (lambda: Linear("db4"), "matrix is a str"),
    (lambda: Components(np.ones((2, 3))), "2 rows, of which 1 are independent"),
    (lambda: Components(np.eye(3), np.zeros(2)), r"mean has shape \(2,\)"),
    (lambda: TrendSeason(period=1), "period is 1"),
]


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[said for _, said in WRONG])
def test_wrong_arguments_are_told(make, said):
    with pytest.raises((polyattr.InputError, polyattr.InputTypeError), match=said):
        make()


UNFIT = [
    (Haar(), X[:, :6], "axis of size 6; expected a power of 2"),
    (Linear(EYE), X[:, :6], r"matrix has shape \(8, 8\), and the inputs have 6 numbers"),
    (Components(EYE), X[:, :6], "components has shape"),
    (Fourier(axes=(2,)), X, "axes is 2, and the inputs have 2 axes"),
    ((Haar(), None), X, r"domain is tuple\(Domain, Domain\); expected one Domain for all"),
]


@pytest.mark.parametrize(("domain", "x", "said"), UNFIT, ids=[said for *_, said in UNFIT])
def test_what_does_not_fit_the_inputs_is_told(lab, domain, x, said):
    def body(ops, x):
        return ops.sum(x)

    method = polyattr.Saliency(lab.function(body), backend=lab.name, domain=domain)
    with pytest.raises(polyattr.InputError, match=said):
        method.explain(lab.tensor(np.ascontiguousarray(x)))


def test_a_model_bound_anew_finds_the_kernels_of_its_domain():
    """Spaces are equal where their domains are the same objects, whoever made them."""
    haar = Haar()
    assert Space((haar, None), None) == Space((haar, None), None)
    assert hash(Space((haar,), 1)) == hash(Space((haar,), 1))
    assert Space((haar,), None) != Space((Haar(),), None)
    assert Space((haar,), None) != Space((haar,), 1)
