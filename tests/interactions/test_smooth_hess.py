"""SmoothHess: the Hessian of the smoothed score, with standard errors that hold."""

import functools

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.sampling.noise import portable_noise

RNG = np.random.default_rng(1240)
X = single(RNG.standard_normal((3, 4)))
HALF = single(RNG.standard_normal((4, 4)))
NETWORK = random_network(1241, 4, 16, 2)
TARGETS = np.arange(3) % 2


def quadratic(ops, x):
    return ops.sum(ops.matmul(x, ops.like(HALF, x)) * x) + 3 * ops.sum(x)


HESSIAN = HALF.astype(np.float64) + HALF.T


@functools.cache
def of_quadratic(lab, **settings):
    return polyattr.SmoothHess(lab.function(quadratic), backend=lab.name, noise=0.5, **settings)


def by_hand(gradient, draws, deviation):
    """The mean over draws (K, F) of half d g' + g d', over the variance."""
    found = []
    for d in draws:
        g = gradient(X + deviation * d)
        outer = deviation * d[None, :, None] * g[:, None]
        found.append((outer + outer.swapaxes(1, 2)) / 2 / deviation**2)
    return np.mean(found, axis=0)


def draws_of(seed, count):
    halves = [portable_noise(seed, k, 0, (4,)).astype(np.float64) for k in range(count // 2)]
    return [sign * half for half in halves for sign in (1, -1)]


@pytest.mark.parametrize("batch_size", [None, 5])
def test_it_is_the_mean_of_products_with_the_draws_of_smoothgrad(lab, batch_size):
    model = lab.mlp(NETWORK)
    method = polyattr.SmoothHess(
        model, backend=lab.name, noise=0.4, nb_samples=16, seed=7, batch_size=batch_size
    )
    with lab.double():
        result = method.attribute(lab.tensor(X, "float64"), TARGETS)
    expected = by_hand(lambda x: NETWORK.gradient(x, one_hot(TARGETS, 2)), draws_of(7, 16), 0.4)
    assert_close(lab.numpy(result.values), expected, 1e-6)
    assert (result.evaluations == 16).all()
    assert result.completeness_gap is None
    assert result.seed == 7


def test_of_a_quadratic_it_is_its_hessian(lab):
    """As near as its standard errors say: one sigma covers two thirds, none is 5 off."""
    with lab.double():
        x = lab.tensor(X[:1], "float64")
        result = of_quadratic(lab, nb_samples=4000, batch_size=4000).attribute(x)
        off = np.abs(lab.numpy(result.values)[0] - HESSIAN)
        spread = lab.numpy(result.standard_error)[0]
    assert (off < 5 * spread).all()
    assert off.max() < 0.1 * np.abs(HESSIAN).max()
    assert 0.3 <= (off < spread).mean() <= 1
    assert 0.3 < off.sum() / (np.sqrt(2 / np.pi) * spread.sum()) < 2


def test_the_curvature_of_a_kink_is_that_of_the_smoothed_one(lab):
    """E relu(a + s e) has the second derivative of a normal density, which relu itself lacks."""

    def kink(ops, x):
        return ops.sum(ops.relu(x))

    at = np.array([[0.0, 0.3, -0.5]], np.float32)
    method = polyattr.SmoothHess(
        lab.function(kink), backend=lab.name, noise=0.5, nb_samples=4000, batch_size=4000
    )
    result = method.attribute(lab.tensor(at))
    density = np.exp(-(at.astype(np.float64) ** 2) / 2 / 0.25) / np.sqrt(2 * np.pi * 0.25)
    off = np.abs(lab.numpy(result.values)[0] - np.diag(density[0]))
    assert (off < 5 * lab.numpy(result.standard_error)[0] + 1e-6).all()


def test_blocks_and_pairs_are_parts_of_the_whole(lab):
    x = lab.tensor(X)
    whole = lab.numpy(of_quadratic(lab)(x))
    assert whole.shape == (3, 4, 4)
    np.testing.assert_allclose(whole, whole.swapaxes(1, 2), rtol=1e-5, atol=1e-5)
    block = of_quadratic(lab, features=(2, 0), others=(1, 3, 2))(x)
    assert_close(lab.numpy(block), whole[:, [2, 0]][:, :, [1, 3, 2]])
    square = of_quadratic(lab, features=(3, 1))(x)
    assert_close(lab.numpy(square), whole[:, [3, 1]][:, :, [3, 1]])
    pairs = of_quadratic(lab, pairs=((0, 1), (3, 3)))(x)
    assert_close(lab.numpy(pairs), whole[:, [0, 3], [1, 3]])


def test_features_have_places_in_a_sample(lab):
    def body(ops, x):
        return quadratic(ops, ops.reshape(x, 4))

    plain = lab.numpy(of_quadratic(lab, features=(3, 1))(lab.tensor(X)))
    method = polyattr.SmoothHess(
        lab.function(body), backend=lab.name, noise=0.5, features=[(1, 1), (0, 1)]
    )
    assert_close(lab.numpy(method(lab.tensor(X.reshape(3, 2, 2)))), plain)


def test_samples_alone_have_the_same_interactions(lab):
    method = of_quadratic(lab, features=(3, 1))
    whole, alone = (lab.numpy(method(lab.tensor(x.copy()))) for x in (X, X[1:2]))
    assert_close(alone[0], whole[1])


def test_draws_until_it_is_near_enough(lab):
    method = polyattr.SmoothHess(
        lab.function(quadratic), backend=lab.name, nb_samples="auto", tolerance=0.2, noise=0.5,
        batch_size=512,
    )  # fmt: skip
    result = method.attribute(lab.tensor(X))
    assert result.converged.all()
    assert (result.error <= 0.2).all()
    assert (result.evaluations < 1024).all()
    off = np.abs(lab.numpy(result.values) - HESSIAN).sum(axis=(1, 2)) / np.abs(HESSIAN).sum()
    assert (off < 0.5).all()


def test_several_inputs_have_a_block_each_and_files_keep_it(lab, tmp_path):
    def body(ops, inputs):
        return quadratic(ops, inputs[0]) * ops.sum(inputs[1])

    inputs = (lab.tensor(X), lab.tensor(X[:, :2].copy()))
    method = polyattr.SmoothHess(lab.function(body), backend=lab.name, nb_samples=8)
    result = method.attribute(inputs)
    assert [tuple(part.shape) for part in result.values] == [(3, 4, 4), (3, 2, 2)]
    result.save(tmp_path / "hessian.npz")
    again = polyattr.load(tmp_path / "hessian.npz")
    np.testing.assert_array_equal(again.values[0], lab.numpy(result.values[0]))


def test_interactions_of_frequencies(lab):
    """In another domain the Hessian is that by its coordinates."""
    domain = polyattr.domains.Haar()
    basis = np.array([[0.5] * 4, [0.5, 0.5, -0.5, -0.5], [1, -1, 0, 0], [0, 0, 1, -1]])
    basis[2:] /= np.sqrt(2)
    method = of_quadratic(lab, nb_samples=4000, batch_size=4000, domain=domain)
    result = method.attribute(lab.tensor(X[:1]))
    off = np.abs(lab.numpy(result.values)[0] - basis @ HESSIAN @ basis.T)
    assert (off < 5 * lab.numpy(result.standard_error)[0]).all()


WRONG = [
    ({"noise": 0.0}, "noise is 0.0; expected more"),
    ({"features": 3}, "features is 3; expected a list of features"),
    ({"features": []}, "features is empty"),
    ({"features": [1.5]}, "features names 1.5"),
    ({"pairs": [1, 2]}, "pairs is .*expected a list of pairs"),
    ({"pairs": [(0, 1)], "features": [1]}, "expected one or the other"),
    ({"tangent": "simplex"}, "interactions have two"),
    ({"nb_samples": 0}, "nb_samples is 0"),
]


@pytest.mark.parametrize(("settings", "said"), WRONG, ids=[said for _, said in WRONG])
def test_wrong_arguments_are_told(settings, said):
    with pytest.raises((polyattr.InputError, polyattr.InputTypeError), match=said):
        polyattr.SmoothHess(abs, **settings)


def test_a_feature_that_is_not_there_is_told(lab):
    for features in ((4,), (-1,), ((0, 0),)):
        with pytest.raises(polyattr.InputError, match=r"there is no feature .* shape \(4,\)"):
            of_quadratic(lab, features=features)(lab.tensor(X))


def test_interactions_cannot_be_smoothed_as_maps():
    hessian = polyattr.SmoothHess(abs)
    with pytest.raises(polyattr.InputError, match="no attribution for each feature"):
        polyattr.SmoothGrad(of=hessian)
