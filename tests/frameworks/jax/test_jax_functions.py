"""Functions: jitted or not, closing over weights, cut paths, precision."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import polyattr
from polyattr import IntegratedGradients, ModelOutputError, UnrecognisedModelError


@pytest.fixture
def weights():
    draw = np.random.default_rng(0).standard_normal
    return {
        "inner": jnp.asarray(draw((50, 6)) / 5, jnp.float32),
        "outer": jnp.asarray(draw((6, 4)), jnp.float32),
    }


def _network(weights, x):
    return jax.nn.relu(x.reshape(x.shape[0], 50) @ weights["inner"] + 0.1) @ weights["outer"]


class Callable:
    def __init__(self, weights):
        self.weights = weights

    def __call__(self, x):
        return _network(self.weights, x)


WRAPPED = {
    "function": lambda w: lambda x: _network(w, x),
    "jitted": lambda w: jax.jit(lambda x: _network(w, x)),
    "partial": lambda w: functools.partial(_network, w),
    "jitted partial": lambda w: functools.partial(jax.jit(_network), w),
    "vmapped": lambda w: jax.vmap(lambda x: _network(w, x[None])[0]),
    "checkpointed": lambda w: jax.checkpoint(lambda x: _network(w, x)),
    "object": Callable,
    "method": lambda w: Callable(w).__call__,
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_wrapped_function_has_the_plain_functions_map(weights, images, path_integral, kind):
    explainer = IntegratedGradients(WRAPPED[kind](weights), steps=9, batch_size=5)
    result = explainer.attribute(images, 2)
    expected = path_integral(lambda x: _network(weights, x)[:, 2], images, 9)
    assert isinstance(result.values, jax.Array)
    assert result.backend == "jax"
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, _network(weights, images)[:, 2], rtol=1e-5)


def test_a_jitted_function_alone_is_recognised(weights, images):
    model = jax.jit(lambda x: _network(weights, x))
    values = polyattr.Saliency(model).explain(np.asarray(images), 1)
    np.testing.assert_array_equal(values, polyattr.Saliency(model).explain(images, 1))


def _product(x, w):
    return x.reshape(-1, 50) @ w


_BOUND_LATER = None


@pytest.mark.parametrize("product", [_product, jax.jit(_product)])
@pytest.mark.parametrize("holder", ["cell", "global", "attribute", "dict", "default"])
def test_weights_bound_anew_are_seen(images, product, holder, monkeypatch):
    cell, held, keeper = jnp.ones((50, 4)), {"w": jnp.ones((50, 4))}, Callable(jnp.ones((50, 4)))
    monkeypatch.setitem(globals(), "_BOUND_LATER", cell)
    model = {
        "cell": lambda x: product(x, cell),
        "global": lambda x: product(x, _BOUND_LATER),
        "attribute": lambda x: product(x, keeper.weights),
        "dict": lambda x: product(x, held["w"]),
        "default": lambda x, where=held: product(x, where["w"]),
    }[holder]
    explainer = polyattr.Saliency(model)
    np.testing.assert_array_equal(explainer.explain(images, 1), np.ones(images.shape))
    cell = held["w"] = keeper.weights = jnp.full((50, 4), 3.0)
    monkeypatch.setitem(globals(), "_BOUND_LATER", cell)
    np.testing.assert_array_equal(explainer.explain(images, 1), np.full(images.shape, 3))


def test_the_same_weights_are_not_traced_again(weights, images):
    traced = []

    def model(x):
        traced.append(None)
        return _network(weights, x)

    explainer = IntegratedGradients(model, batch_size=4)
    first = explainer.explain(images, 1)
    count = len(traced)
    assert count
    second = explainer.explain(images * 2, jnp.array([0, 3, 2]), baselines=0.3)
    assert len(traced) == count
    assert first.shape == second.shape


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("cut", ["stop_gradient", "integers", "comparison", "constant"])
def test_a_path_that_is_cut_is_an_error(weights, images, cut, jitted):
    models = {
        "stop_gradient": lambda x: _network(weights, jax.lax.stop_gradient(x)),
        "integers": lambda x: _network(weights, x.astype(int).astype(float)),
        "comparison": lambda x: _network(weights, (x > 0) * 1.0),
        "constant": lambda x: jnp.ones((len(x), 4)),
    }
    model = jax.jit(models[cut]) if jitted else models[cut]
    with pytest.raises(ModelOutputError, match="no gradient to attribute"):
        polyattr.Saliency(model, backend="jax").explain(images, 1)


@pytest.mark.parametrize("jitted", [False, True])
def test_a_zero_gradient_is_an_answer(images, jitted):
    def dead(x):
        return jax.nn.relu(-1 - abs(x.reshape(-1, 50)))

    model = jax.jit(dead) if jitted else dead
    values = IntegratedGradients(model).explain(images, 1)
    np.testing.assert_array_equal(values, np.zeros(images.shape))


@pytest.mark.parametrize("jitted", [False, True])
def test_an_input_cut_off_among_several_has_a_zero_map(images, jitted):
    def model(a, b):
        return (a**2).reshape(-1, 50).sum(1) + jax.lax.stop_gradient(b).sum(1)

    given = (images, jnp.ones((3, 2)))
    explainer = polyattr.Saliency(jax.jit(model) if jitted else model)
    with pytest.warns(polyattr.UnusedInputWarning, match=r"inputs\[1\]"):
        used, unused = explainer.explain(given)
    np.testing.assert_allclose(used, 2 * abs(images), rtol=1e-6)
    np.testing.assert_array_equal(unused, np.zeros((3, 2)))


@pytest.mark.parametrize(
    "loop",
    [
        jax.lax.fori_loop,
        lambda a, b, f, x: jax.lax.scan(lambda c, i: (f(i, c), 0), x, jnp.arange(b))[0],
    ],
)
def test_loops_and_branches_inside_the_model(images, loop):
    def model(x):
        flat = x.reshape(-1, 50)
        grown = loop(0, 3, lambda i, c: c * 2, flat)
        return jax.lax.cond(True, lambda z: z.sum(1), lambda z: z.sum(1) * 0, grown)

    values = IntegratedGradients(model, batch_size=7).explain(images)
    np.testing.assert_allclose(values, 8 * images, rtol=1e-5)


def test_a_custom_derivative_is_the_one_that_counts(images):
    @jax.custom_vjp
    def straight_through(x):
        return jnp.sign(x)

    straight_through.defvjp(lambda x: (jnp.sign(x), None), lambda _, upstream: (upstream * 5,))
    values = polyattr.Saliency(lambda x: straight_through(x).reshape(-1, 50)).explain(images, 3)
    expected = np.zeros((3, 50))
    expected[:, 3] = 5
    np.testing.assert_array_equal(values, expected.reshape(images.shape))


@pytest.mark.parametrize("container", [tuple, list, dict])
def test_several_inputs_come_back_in_their_containers(images, container):
    def model(image, scale):
        return (image.reshape(-1, 50) ** 2 * scale).sum(1)

    scale = jnp.array([[1.0], [2.0], [-3.0]])
    given = {"image": images, "scale": scale} if container is dict else container([images, scale])
    values = polyattr.Saliency(model).explain(given)
    assert type(values) is container
    image, scale_map = values.values() if container is dict else values
    np.testing.assert_allclose(image, abs(2 * images * scale[..., None, None]), rtol=1e-5)
    np.testing.assert_allclose(
        scale_map, (images**2).reshape(3, 50).sum(1, keepdims=True), rtol=1e-5
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_every_floating_dtype_comes_back_and_is_right(images, dtype, path_integral):
    def model(x):
        return jnp.tanh(x.reshape(-1, 50) * jnp.linspace(-1, 1, 50, dtype=x.dtype)).sum(1)

    x = images.astype(dtype)
    values = IntegratedGradients(model, steps=21).explain(x)
    assert values.dtype == dtype
    exact = path_integral(model, x.astype(jnp.float32), 21)
    # Inputs and gradients of the half types have 11 and 8 bits; sums are kept in float32.
    tolerance = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-5}[dtype]
    assert abs(values.astype(jnp.float32) - exact).max() < tolerance * abs(exact).max()


def test_float64_is_what_jax_makes_of_it():
    x = np.linspace(-1, 1, 8).reshape(2, 4)

    def model(z):
        return (z**3).sum(1)

    explainer = IntegratedGradients(model, backend="jax", steps=10, rule="midpoint")
    single = explainer.explain(x)
    assert single.dtype == jnp.float32
    # The midpoint rule on ten points of 3 a^2 gives 1 - 1 / (4 * 100).
    np.testing.assert_allclose(single, x**3 * (1 - 1 / 400), rtol=1e-5, atol=1e-7)
    with jax.enable_x64(True):
        double = explainer.explain(x)
        result = explainer.attribute(jnp.asarray(x))
        assert (double.dtype, result.values.dtype) == (jnp.float64, jnp.float64)
        np.testing.assert_allclose(double, x**3 * (1 - 1 / 400), rtol=1e-13, atol=1e-16)
        np.testing.assert_allclose(result.values, double, rtol=1e-15)
    assert explainer.explain(x).dtype == jnp.float32


@pytest.mark.parametrize("model", ["resnet", 3, None])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(UnrecognisedModelError, match="expected a function of arrays"):
        polyattr.Saliency(model, backend="jax")


def test_a_function_has_no_layers(weights):
    with pytest.raises(polyattr.LayerNotFoundError, match="has no layers to name"):
        polyattr.Saliency(lambda x: _network(weights, x), backend="jax", output_layer="logits")


def test_native_noise_belongs_to_seed_input_and_draw():
    backend = polyattr.backend.registry.get_backend("jax")
    like = jnp.zeros((2, 30, 40))
    noise = backend.noise(7, [0, 5, 2], 1, like)
    assert (noise.shape, noise.dtype) == ((3, 30, 40), jnp.float32)
    np.testing.assert_array_equal(noise[2:], backend.noise(7, [2], 1, like))
    for seed, leaf in ((8, 1), (7, 0), (7 + 2**40, 1)):
        assert np.mean(noise[2:] == backend.noise(seed, [2], leaf, like)) < 0.01
    assert abs(noise.mean()) < 0.1
    assert abs(noise.std() - 1) < 0.1
