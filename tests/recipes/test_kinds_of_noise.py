"""Noise in units of a sample's range, from other distributions, and of each sample's own."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.demo.digits import held_out_digits
from polyattr.demo.model import logits_layer, network
from polyattr.sampling.noise import portable_noise

NETWORK = random_network(1111, 4, 16, 3, activation="tanh")
RNG = np.random.default_rng(1112)
X = single(RNG.standard_normal((6, 4)) * np.array([0.1, 1.0, 3.0, 1.0, 0.5, 2.0])[:, None])
TARGETS = np.arange(6) % 3
COUNT, NOISE, SEED = 12, 0.3, 7
IDS = np.array([40, 3, 2**40, 0, 17, 5])


def uniform(generator, shape):
    return generator.uniform(-1.0, 1.0, shape)


def skewed(generator, shape):
    return generator.exponential(1.0, shape)


def method_of(lab, name="SmoothGrad", model=None, **arguments):
    model = lab.mlp(NETWORK) if model is None else model
    settings = {"nb_samples": COUNT, "noise": NOISE, "seed": SEED, **arguments}
    return getattr(polyattr, name)(model, backend=lab.name, **settings)


def gradients(scale, antithetic=True, rows=None, **names):
    """The gradients (P, N, F) at the copies x + scale * e, where samples may have own draws."""
    found = []
    for number in range(COUNT):
        draw, sign = (number // 2, (-1) ** number) if antithetic else (number, 1)
        each = [None] if rows is None else rows
        noise = [portable_noise(SEED, draw, 0, (4,), row=row, **names) for row in each]
        steps = sign * scale * np.stack(noise).astype(np.float64)
        found.append(NETWORK.gradient(X + steps, one_hot(TARGETS, 3)))
    return np.stack(found)


# -- in units of the range -------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [5])
def test_relative_noise_is_a_fraction_of_each_samples_range(lab, batch_size):
    with lab.double():
        method = method_of(lab, noise_mode="relative", batch_size=batch_size)
        found = lab.numpy(method.explain(lab.tensor(X, "float64"), TARGETS))
    scale = NOISE * (X.max(axis=1) - X.min(axis=1))[:, None]
    assert scale.max() > 10 * scale.min()
    assert_close(found, gradients(scale).mean(axis=0), 1e-12)


def test_each_input_has_a_range_of_its_own(lab):
    def product(ops, left, right):
        return ops.sum(left * left * left * right)

    inputs = (lab.tensor(X[:, :2]), lab.tensor(X[:, 2:] * 10))
    relative = method_of(lab, "VarGrad", lab.function(product), noise_mode="relative")
    values = [lab.numpy(part) for part in relative.explain(inputs)]
    scales = [NOISE * np.ptp(x, axis=1)[:, None] for x in (X[:, :2], X[:, 2:] * 10)]
    draws = [[portable_noise(SEED, d, leaf, (2,)) for d in range(COUNT)] for leaf in (0, 1)]
    left = X[:, :2] + scales[0] * np.array(draws[0])[:, None]
    right = X[:, 2:] * 10 + scales[1] * np.array(draws[1])[:, None]
    assert_close(values[0], (3 * left**2 * right).var(axis=0, ddof=1), 1e-4)
    assert_close(values[1], (left**3).var(axis=0, ddof=1), 1e-4)


def test_images_of_any_rank_and_constant_ones(lab):
    x = np.zeros((2, 3, 2, 1))
    x[1] = np.arange(6).reshape(3, 2, 1)
    model = lab.function(lambda ops, t: ops.sum(t * t * t))
    found = lab.numpy(
        method_of(lab, "VarGrad", model, noise_mode="relative").explain(lab.tensor(x))
    )
    assert (found[0] == 0).all()
    assert found[1].max() > 1


# -- from another distribution ---------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [5])
def test_draws_of_another_distribution(lab, batch_size):
    with lab.double():
        x = lab.tensor(X, "float64")
        arguments = {"distribution": uniform, "batch_size": batch_size}
        found = lab.numpy(method_of(lab, antithetic=True, **arguments).explain(x, TARGETS))
        alone = method_of(lab, **arguments).explain(lab.tensor(X[3:4], "float64"), int(TARGETS[3]))
    assert_close(found, gradients(NOISE, distribution=uniform).mean(axis=0), 1e-12)
    plain = gradients(NOISE, antithetic=False, distribution=uniform).mean(axis=0)
    assert_close(lab.numpy(alone), plain[3:4], 1e-12)  # pairs only where they are asked for


def test_the_mean_of_a_skewed_distribution(lab):
    # The gradient 2 (x + e) of a square has the mean 2 (x + E e): pairs would take it for 2 x.
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = method_of(lab, model=model, nb_samples=2000, distribution=skewed, shared_draws=False)
    result = method.attribute(lab.tensor(X))
    away = lab.numpy(result.values) - 2 * (X + NOISE)
    assert (np.abs(away) <= 6 * lab.numpy(result.standard_error)).all()
    assert not method.antithetic
    assert polyattr.SmoothGrad(model).antithetic


@pytest.mark.parametrize(
    ("distribution", "error", "said"),
    [
        (0.5, "InputTypeError", r"distribution is 0.5; expected a function"),
        (lambda shape: np.zeros(shape), "InputTypeError", r"distribution takes \(shape\)"),
    ],
)
def test_distributions_that_cannot_be_called(lab, distribution, error, said):
    with pytest.raises(getattr(polyattr, error), match=said):
        method_of(lab, distribution=distribution)


@pytest.mark.parametrize(
    ("distribution", "said"),
    [
        (lambda g, shape: g.uniform(), r"gave an array of shape \(\) and float64.*\(4,\)"),
        (lambda g, shape: np.full(shape, "a"), r"gave an array of shape \(4,\) and <U1"),
        (lambda g, shape: np.full(shape, np.nan), "gave NaN"),
    ],
)
def test_distributions_that_give_something_else(lab, distribution, said):
    with pytest.raises(polyattr.InputError, match=said):
        method_of(lab, distribution=distribution).explain(lab.tensor(X), TARGETS)


def test_what_does_not_fit_together(lab):
    with pytest.raises(polyattr.InputError, match="noise_source='native' draws in the framework"):
        method_of(lab, distribution=uniform, noise_source="native")
    with pytest.raises(polyattr.InputError, match="noise_mode is 'percent'; expected 'absolute'"):
        method_of(lab, noise_mode="percent")
    with pytest.raises(polyattr.InputTypeError, match="shared_draws is 1"):
        method_of(lab, shared_draws=1)


# -- of each sample's own --------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_sample_has_the_draws_of_its_id(lab, batch_size):
    with lab.double():
        method = method_of(lab, shared_draws=False, batch_size=batch_size)
        x = lab.tensor(X, "float64")
        places = lab.numpy(method.explain(x, TARGETS))
        named = lab.numpy(method.explain(x, TARGETS, sample_ids=IDS))
        order = [4, 2, 0]
        some = method.explain(
            lab.tensor(X[order], "float64"), TARGETS[order], sample_ids=IDS[order].tolist()
        )
    assert_close(places, gradients(NOISE, rows=range(6)).mean(axis=0), 1e-12)
    assert_close(named, gradients(NOISE, rows=IDS.tolist()).mean(axis=0), 1e-12)
    assert_close(lab.numpy(some), named[order], 1e-12)


@pytest.mark.parametrize("source", ["portable", "native"])
def test_equal_samples_differ_by_their_draws_alone(lab, source):
    x, settings = lab.tensor(X[[1, 1, 1]]), {"noise_source": source, "batch_size": 4}
    shared = lab.numpy(method_of(lab, "VarGrad", **settings).explain(x, 0))
    assert_close(shared[1:], shared[:-1], 1e-6)
    own = method_of(lab, "VarGrad", shared_draws=False, **settings)
    found = lab.numpy(own.explain(x, 0, sample_ids=[8, 9, 8]))
    assert_close(found[0], found[2], 1e-6)
    assert np.abs(found[0] - found[1]).max() > 0.1 * found.max()


def test_places_are_counted_over_all_batches_of_a_dataset(lab):
    method = method_of(lab, shared_draws=False)
    whole = lab.numpy(method.explain(lab.tensor(X), TARGETS))
    named = lab.numpy(method.explain(lab.tensor(X), TARGETS, sample_ids=IDS))
    for size in (2, 4):
        cuts = range(0, 6, size)
        batches = [(lab.tensor(X[i : i + size]), TARGETS[i : i + size]) for i in cuts]
        assert_close(lab.numpy(method.explain(iter(batches))), whole, 1e-5)
        assert_close(lab.numpy(method.explain(iter(batches), sample_ids=IDS)), named, 1e-5)
    with pytest.raises(polyattr.InputError, match="sample_ids has 6 ids for 8 samples"):
        method.explain(iter([*batches[:1], *batches[:1]]), sample_ids=IDS)
    with pytest.raises(polyattr.InputError, match="sample_ids has 6 ids for 4 samples"):
        method.explain(iter(batches[:1]), sample_ids=IDS)


@pytest.mark.parametrize(
    ("ids", "error", "said"),
    [
        (IDS[:5], "InputError", "sample_ids has 5 ids for 6 samples"),
        ([*IDS, 1], "InputError", "sample_ids has 7 ids for 6 samples"),
        (-IDS, "InputError", "sample_ids has -1099511627776; expected whole"),
        (IDS * 0.5, "InputTypeError", r"sample_ids has shape \(6,\) and float64"),
        (IDS[None], "InputTypeError", r"sample_ids has shape \(1, 6\)"),
        (["a"] * 6, "InputTypeError", "sample_ids"),
    ],
)
def test_ids_that_do_not_fit(lab, ids, error, said):
    with pytest.raises(getattr(polyattr, error), match=said):
        method_of(lab, shared_draws=False).explain(lab.tensor(X), TARGETS, sample_ids=ids)


def test_ids_where_draws_are_shared(lab):
    for method in (method_of(lab), polyattr.Saliency(lab.mlp(NETWORK), backend=lab.name)):
        with pytest.raises(polyattr.InputError, match=r"no draw of .* belongs to a sample"):
            method.explain(lab.tensor(X), TARGETS, sample_ids=IDS)


def test_a_method_inside_another_knows_the_sample(lab):
    inner = method_of(lab, shared_draws=False)
    outer = polyattr.SmoothGrad(of=inner, nb_samples=3, noise=0.0, batch_size=4)
    found = outer.explain(lab.tensor(X), TARGETS, sample_ids=IDS)
    wanted = gradients(NOISE, rows=IDS.tolist(), depth=1).mean(axis=0)
    assert_close(lab.numpy(found), wanted, 1e-5)


def test_draws_of_its_own_as_a_pure_function(lab):
    method = method_of(lab, shared_draws=False)
    function = method.function(lab.tensor(X), TARGETS, sample_ids=IDS)
    wanted = method.explain(lab.tensor(X), TARGETS, sample_ids=IDS)
    assert_close(lab.numpy(function(lab.tensor(X))), lab.numpy(wanted), 1e-5)


# -- how right it is -------------------------------------------------------------------------------

MANY = 60
EACH = np.repeat(X, MANY, axis=0)
RELU = random_network(1113, 4, 32, 32, 3)


def maps(lab, name, **arguments):
    """Maps of every sample with draws of their own (N, MANY, F), and their stated errors."""
    arguments = {"noise": 0.5, "shared_draws": False, **arguments}
    method = method_of(lab, name, lab.mlp(RELU), **arguments)
    result = method.attribute(lab.tensor(EACH), np.repeat(TARGETS, MANY))
    return [lab.numpy(a).reshape(6, MANY, 4) for a in (result.values, result.standard_error)]


def truth(name):
    """The expectation over noise (N, 1, F), to a hundredth of what 64 draws leave."""
    noise = np.random.default_rng(1114).standard_normal((20_000, 1, 4)) * 0.5
    noise = np.concatenate([noise, -noise])
    points = (X + noise).reshape(-1, 4)
    found = RELU.gradient(points, np.tile(one_hot(TARGETS, 3), (len(noise), 1)))
    found = found.reshape(len(noise), 6, 4)
    kinds = {"SquareGrad": (found**2).mean(axis=0), "VarGrad": found.var(axis=0)}
    return kinds.get(name, found.mean(axis=0))[:, None]


@pytest.mark.parametrize(
    ("name", "count"),
    [("SmoothGrad", "auto"), ("SquareGrad", 64), ("VarGrad", 64)],
)
def test_two_of_three_values_are_within_one_standard_error(lab, name, count):
    settings = {"tolerance": 0.1} if count == "auto" else {}
    values, stated = maps(lab, name, nb_samples=count, **settings)
    assert (stated > 0).all()
    away = np.abs(values - truth(name))
    assert 0.60 <= (away <= stated).mean() <= 0.76
    assert (away <= 2 * stated).mean() >= 0.88
    assert 0.8 <= np.sqrt((stated**2).mean() / (away**2).mean()) <= 1.25


def variance_ratio(lab, model, x, targets, **settings):
    """How much more the maps of samples with 24 ids each scatter without pairs than with them."""
    inputs, goals = (np.repeat(part, 24, axis=0) for part in (x, targets))
    variances = []
    for antithetic in (True, False):
        method = polyattr.SmoothGrad(
            model, nb_samples=16, shared_draws=False, antithetic=antithetic, **settings
        )
        found = lab.numpy(method.explain(lab.tensor(inputs), goals))
        variances.append(found.reshape(len(x), 24, -1).var(axis=1).mean())
    return variances[1] / variances[0]


def test_pairs_have_a_third_of_the_variance(lab):
    model = lab.mlp(NETWORK)
    assert variance_ratio(lab, model, X, TARGETS, noise=0.1, backend=lab.name) >= 3
    # A trained network of ReLUs on images: 1.8 times.
    model, (images, labels) = network(lab.name), held_out_digits()
    layer = logits_layer(model)
    assert variance_ratio(lab, model, images[:2], labels[:2], output_layer=layer) >= 1.5
