"""SmoothGrad, SquareGrad and VarGrad of the maps of another method."""

import pickle

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.sampling.noise import portable_noise

NETWORK = random_network(1011, 4, 10, 3, activation="tanh")
RNG = np.random.default_rng(1012)
X, BACKGROUND, STARTS = (single(RNG.standard_normal((n, 4))) for n in (5, 6, 5))
TARGETS = np.arange(5) % 3
SEED, COPIES, NOISE = 3, 6, 0.5

STATISTICS = {
    polyattr.SmoothGrad: lambda maps: np.mean(maps, axis=0),
    polyattr.SquareGrad: lambda maps: np.mean(np.square(maps), axis=0),
    polyattr.VarGrad: lambda maps: np.var(maps, axis=0, ddof=1),
}
INNER = {
    "steps": lambda model, **more: polyattr.IntegratedGradients(model, steps=9, **more),
    "product": polyattr.GradientInput,
    "saliency": polyattr.Saliency,
    "background": lambda model, **more: polyattr.ExpectedGradients(
        model, background=BACKGROUND, nb_samples=7, **more
    ),
    "noise": lambda model, **more: polyattr.SmoothGrad(model, nb_samples=4, seed=SEED, **more),
    "auto": lambda model, **more: polyattr.IntegratedGradients(
        model, steps="auto", tolerance=1e-3, **more
    ),
}
OUTER = {"nb_samples": COPIES, "noise": NOISE, "seed": SEED}


def copies(depth=0, count=COPIES, antithetic=False, x=X):
    """The noisy copies from their definition: one draw for all samples."""
    for copy in range(count):
        draw = copy // 2 if antithetic else copy
        sign = -1 if antithetic and copy % 2 else 1
        yield x + sign * NOISE * portable_noise(SEED, draw, 0, (4,), depth)


def smooth(lab, method, **arguments):
    model = lab.mlp(NETWORK)
    return method(of=INNER[arguments.pop("inner")](model, backend=lab.name), **arguments)


def values(lab, method, x=X, **options):
    return lab.numpy(method.explain(lab.tensor(x), TARGETS, **options)).astype(np.float64)


def anti(method):
    return method is polyattr.SmoothGrad


@pytest.mark.parametrize("inner", [name for name in INNER if name != "noise"])
@pytest.mark.parametrize("method", STATISTICS, ids=lambda m: m.__name__)
def test_the_statistic_of_the_maps_at_the_copies(lab, method, inner):
    alone = INNER[inner](lab.mlp(NETWORK), backend=lab.name)
    maps = [values(lab, alone, x) for x in copies(antithetic=anti(method))]
    found = values(lab, smooth(lab, method, inner=inner, **OUTER))
    assert_close(found, STATISTICS[method](maps), 2e-5)


def nested_gradients(outer, depth, count, antithetic):
    """SmoothGrad's mean at each outer copy, with noise of its own."""
    weights = one_hot(TARGETS, 3)
    for x in outer:
        rows = []
        for copy in range(count):
            draw = copy // 2 if antithetic else copy
            sign = -1 if antithetic and copy % 2 else 1
            step = sign * 0.2 * portable_noise(SEED, draw, 0, (4,), depth)
            rows.append(NETWORK.gradient(x + step, weights))
        yield np.mean(rows, axis=0)


@pytest.mark.parametrize("method", STATISTICS, ids=lambda m: m.__name__)
def test_noise_inside_noise_is_other_noise(lab, method):
    """Equal seeds: with the same draws twice, copies would lie on one line through x."""
    found = values(lab, smooth(lab, method, inner="noise", **OUTER))
    outer = list(copies(antithetic=anti(method)))
    apart, same = (
        STATISTICS[method](list(nested_gradients(outer, depth, 4, True))) for depth in (1, 0)
    )
    assert_close(found, apart, 1e-5)
    assert np.abs(found - same).max() > 1e-3 * np.abs(same).max()


def test_native_noise_inside_noise_is_other_noise(lab):
    """A linear gradient shows the noise itself."""
    model = lab.function(lambda ops, x: ops.sum(x * x))
    inner = polyattr.SmoothGrad(
        model, backend=lab.name, nb_samples=1, noise=1.0, noise_source="native", antithetic=False
    )
    outer = polyattr.SmoothGrad(
        of=inner, nb_samples=1, noise=1.0, noise_source="native", antithetic=False
    )
    x = lab.tensor(X)
    alone, twice = ((lab.numpy(m.explain(x)) - 2 * X) / 2 for m in (inner, outer))
    assert np.abs(twice - 2 * alone).max() > 0.1


@pytest.mark.parametrize("inner", INNER)
def test_without_noise_the_inner_method_is_left(lab, inner):
    alone = values(lab, INNER[inner](lab.mlp(NETWORK), backend=lab.name))
    if inner == "noise":  # its own draws are others inside
        alone = next(nested_gradients([X], 1, 4, True))
    still = {"noise": 0.0, "nb_samples": 4}
    assert_close(values(lab, smooth(lab, polyattr.SmoothGrad, inner=inner, **still)), alone)
    square = values(lab, smooth(lab, polyattr.SquareGrad, inner=inner, **still))
    assert_close(square, alone**2)
    variance = values(lab, smooth(lab, polyattr.VarGrad, inner=inner, **still))
    assert np.abs(variance).max() <= 1e-12 * np.abs(square).max()


def cubes(ops, x):
    return ops.sum(x * x * x)


@pytest.mark.parametrize("inner", ["steps", "auto", "product", "background"])
@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_one_bound_on_rows_holds_for_the_whole(lab, inner, batch_size):
    model, counter = lab.counting(cubes)
    method = polyattr.SmoothGrad(
        of=INNER[inner](model, backend=lab.name), batch_size=batch_size, **OUTER
    )
    result = method.attribute(lab.tensor(X))
    counter.reset()
    method.explain(lab.tensor(X))
    assert counter.largest <= batch_size
    assert counter.rows >= result.evaluations.sum()
    if batch_size == 1:
        assert counter.rows == result.evaluations.sum()
    assert counter.bodies == (0 if lab.compiled else counter.calls)


def test_the_inner_bound_holds_where_the_outer_has_none(lab):
    model, counter = lab.counting(cubes)
    inner = polyattr.IntegratedGradients(model, backend=lab.name, steps=9, batch_size=4)
    method = polyattr.SmoothGrad(of=inner, **OUTER)
    method.explain(lab.tensor(X))
    counter.reset()
    method.explain(lab.tensor(X))
    assert counter.largest <= 4


@pytest.mark.parametrize("inner", ["steps", "auto", "noise"])
@pytest.mark.parametrize("method", STATISTICS, ids=lambda m: m.__name__)
def test_rows_per_call_change_nothing(lab, method, inner):
    whole = values(lab, smooth(lab, method, inner=inner, batch_size=None, **OUTER))
    for batch_size in (1, 3, 7):
        parts = smooth(lab, method, inner=inner, batch_size=batch_size, **OUTER)
        assert_close(values(lab, parts), whole)


def test_evaluations_multiply(lab):
    x = lab.tensor(X)
    for inner, each in {"steps": 9, "product": 1, "background": 7, "noise": 4}.items():
        result = smooth(lab, polyattr.VarGrad, inner=inner, **OUTER).attribute(x, TARGETS)
        assert (result.evaluations == COPIES * each).all()
    auto = INNER["auto"](lab.mlp(NETWORK), backend=lab.name)
    spent = [auto.attribute(lab.tensor(c), TARGETS).evaluations for c in copies()]
    assert len(set(np.concatenate(spent).tolist())) > 1
    result = smooth(lab, polyattr.VarGrad, inner="auto", batch_size=7, **OUTER)
    assert (result.attribute(x, TARGETS).evaluations == np.sum(spent, axis=0)).all()


def test_baselines_of_a_call_reach_the_inner_method(lab):
    alone = INNER["steps"](lab.mlp(NETWORK), backend=lab.name)
    maps = [values(lab, alone, x, baselines=STARTS) for x in copies(antithetic=True)]
    method = smooth(lab, polyattr.SmoothGrad, inner="steps", batch_size=7, **OUTER)
    found = values(lab, method, baselines=lab.tensor(STARTS))
    assert_close(found, np.mean(maps, axis=0))
    assert np.abs(found - values(lab, method)).max() > 0.01
    with pytest.raises(polyattr.InputError, match="SmoothGrad has no baseline"):
        values(lab, smooth(lab, polyattr.SmoothGrad, inner="product"), baselines=STARTS)


def test_several_baselines_reach_it_too(lab):
    several = np.stack([STARTS, -STARTS, 0 * STARTS], axis=1)
    method = smooth(lab, polyattr.SmoothGrad, inner="steps", batch_size=7, **OUTER)
    single_runs = [values(lab, method, baselines=several[:, k]) for k in range(3)]
    assert_close(values(lab, method, baselines=several), np.mean(single_runs, axis=0))


def test_three_deep(lab):
    core = INNER["steps"](lab.mlp(NETWORK), backend=lab.name)
    middle = polyattr.SmoothGrad(of=core, nb_samples=3, noise=NOISE, seed=SEED, antithetic=False)
    method = polyattr.VarGrad(of=middle, nb_samples=4, noise=NOISE, seed=SEED, batch_size=7)
    maps = [
        np.mean([values(lab, core, y) for y in copies(depth=1, count=3, x=x)], axis=0)
        for x in copies(count=4)
    ]
    result = method.attribute(lab.tensor(X), TARGETS)
    assert_close(lab.numpy(result.values), np.var(maps, axis=0, ddof=1), 1e-4)
    assert (result.evaluations == 4 * 3 * 9).all()


def pair(ops, left, right):
    return ops.sum(ops.tanh(left * right) + left * left)


def test_several_inputs(lab):
    left, right = X[:, :2], X[:, 2:]
    core = polyattr.IntegratedGradients(lab.function(pair), backend=lab.name, steps=9)
    method = polyattr.SquareGrad(of=core, batch_size=7, **OUTER)
    found = method.explain((lab.tensor(left), lab.tensor(right)))
    squares = []
    for draw in range(COPIES):
        moved = [
            part + NOISE * portable_noise(SEED, draw, leaf, (2,))
            for leaf, part in enumerate((left, right))
        ]
        maps = core.explain(tuple(lab.tensor(part) for part in moved))
        squares.append([lab.numpy(part).astype(np.float64) ** 2 for part in maps])
    for part, expected in zip(found, np.mean(squares, axis=0), strict=True):
        assert_close(lab.numpy(part), expected)


def test_the_standard_error_is_that_of_independent_copies(lab):
    arguments = {"nb_samples": 16, "noise": NOISE, "seed": SEED, "antithetic": False}
    result = smooth(lab, polyattr.SmoothGrad, inner="steps", **arguments).attribute(
        lab.tensor(X), TARGETS
    )
    core = INNER["steps"](lab.mlp(NETWORK), backend=lab.name)
    maps = np.stack([values(lab, core, x) for x in copies(count=16)])
    groups = maps.reshape(8, 2, 5, 4).mean(axis=1)
    error = np.sqrt(groups.var(axis=0, ddof=1) / 8)
    assert_close(lab.numpy(result.standard_error), error, 1e-4)
    size = error.sum(axis=1) / np.abs(maps.mean(axis=0)).sum(axis=1)
    assert_close(result.error, np.sqrt(2 / np.pi) * size, 1e-4)
    assert result.seed == SEED


def test_a_tolerance_of_the_inner_method_is_its_own(lab):
    """The outer error is the standard error; nobody asked how small it has to be."""
    core = polyattr.IntegratedGradients(lab.mlp(NETWORK), backend=lab.name, steps=9, tolerance=1e-9)
    result = polyattr.SmoothGrad(of=core, **OUTER).attribute(lab.tensor(X), TARGETS)
    assert not result.converged.all()


def test_the_predicted_class_is_that_of_the_input(lab):
    method = smooth(lab, polyattr.SmoothGrad, inner="steps", **OUTER)
    result = method.attribute(lab.tensor(X))
    classes = NETWORK.outputs(X).argmax(axis=1)
    assert (result.targets == classes).all()
    found = lab.numpy(method.explain(lab.tensor(X), classes))
    assert_close(lab.numpy(result.values), found)
    assert_close(result.scores, NETWORK.outputs(X).max(axis=1))


def test_what_cannot_be_combined(lab):
    model = lab.mlp(NETWORK)
    core = INNER["steps"](model, backend=lab.name)
    with pytest.raises(polyattr.InputError, match="model and of=Integ"):
        polyattr.SmoothGrad(model, of=core)
    with pytest.raises(polyattr.InputError, match=r"neither a model nor a method.*VarGrad\(of="):
        polyattr.VarGrad()
    with pytest.raises(polyattr.InputTypeError, match=r"of is .*expected a method"):
        polyattr.SquareGrad(of=model)
    for name, value in {
        "backend": lab.name,
        "output_layer": -1,
        "input_layer": 0,
        "attribute_to_layer_input": True,
        "operator": "regression",
        "output": 0,
    }.items():
        with pytest.raises(polyattr.InputError, match=rf"{name} is given beside of.*{name}=\.\.\."):
            polyattr.SmoothGrad(of=core, **{name: value})


def test_it_is_named_by_what_is_inside(lab):
    method = smooth(lab, polyattr.SmoothGrad, inner="steps", nb_samples=4)
    assert repr(method).startswith("SmoothGrad(of=IntegratedGradients(steps=9, ")
    assert method.attribute(lab.tensor(X), TARGETS).method == repr(method)


def test_it_travels_as_a_pickle(lab):
    core = polyattr.IntegratedGradients(lab.function(cubes), backend=lab.name, steps=9)
    method = polyattr.VarGrad(of=core, batch_size=7, **OUTER)
    before = lab.numpy(method.explain(lab.tensor(X)))
    copied = pickle.loads(pickle.dumps(method))
    assert repr(copied) == repr(method)
    assert (lab.numpy(copied.explain(lab.tensor(X))) == before).all()


def test_the_framework_is_found_through_the_inner_method(lab):
    named = values(lab, smooth(lab, polyattr.SmoothGrad, inner="steps", **OUTER))
    for model in (lab.network(NETWORK, softmax=False), lab.mlp(NETWORK)):
        method = polyattr.SmoothGrad(of=INNER["steps"](model), **OUTER)
        result = method.attribute(lab.tensor(X), TARGETS)
        assert result.backend == lab.name
        assert_close(lab.numpy(result.values), named)


def test_a_layer_named_inside_is_the_one_attributed_to(lab):
    model = lab.network(NETWORK, softmax=False)
    core = polyattr.IntegratedGradients(model, input_layer="dense0", steps=9)
    alone = values(lab, core)
    assert alone.shape == (5, 10)
    found = values(lab, polyattr.SmoothGrad(of=core, noise=0.0, nb_samples=2, batch_size=7))
    assert_close(found, alone)
