"""Layers as inputs: found by name, index or object, replaced wherever they are called."""

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx
from layered import MODELS, WEIGHTS, Nnx, PerExample, apply, linen_variables, logits

import polyattr
from polyattr import (
    GradientInput,
    InputError,
    InputTypeError,
    IntegratedGradients,
    LayerNotFoundError,
    SmoothGrad,
)


@pytest.fixture(scope="module")
def x():
    return jnp.asarray(np.random.default_rng(3).standard_normal((3, 5)), jnp.float32)


def _after_first(x, hidden):
    """The network cut behind its first layer, for the inputs it was given."""
    return jax.nn.softmax(apply("second", jnp.tanh(hidden) + apply("side", x)))


@pytest.mark.parametrize("kind", ["nnx", "equinox", "equinox batched", "linen", "haiku"])
def test_the_map_of_a_layer_is_that_of_the_network_cut_there(kind, x, path_integral):
    method = IntegratedGradients(MODELS[kind](), input_layer="first", steps=9, batch_size=5)
    result = method.attribute(x, 2)
    hidden = apply("first", x)
    expected = path_integral(lambda h: _after_first(x, h)[:, 2], hidden, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, _after_first(x, hidden)[:, 2], rtol=1e-5)
    at_zero = _after_first(x, hidden * 0)[:, 2]
    np.testing.assert_allclose(result.baseline_scores, at_zero, rtol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_what_a_layer_takes_and_the_same_layer_scored(kind, x):
    method = GradientInput(
        MODELS[kind](), input_layer="second", attribute_to_layer_input=True, output_layer="second"
    )
    result = method.attribute(x, 2)
    taken = jnp.tanh(apply("first", x)) + apply("side", x)
    np.testing.assert_allclose(result.values, taken * WEIGHTS["second"][0][:, 2], rtol=1e-4)
    np.testing.assert_allclose(result.scores, logits(x)[:, 2], rtol=1e-4)


@pytest.mark.parametrize("kind", ["nnx", "equinox", "linen", "haiku"])
def test_several_layers_give_a_dict(kind, x):
    layers = ["side", "first"]
    values = GradientInput(MODELS[kind](), input_layer=layers, output_layer="second").explain(x, 1)
    assert list(values) == layers
    weight, hidden = WEIGHTS["second"][0][:, 1], apply("first", x)
    expected = hidden * (1 - jnp.tanh(hidden) ** 2) * weight
    np.testing.assert_allclose(values["side"], apply("side", x) * weight, rtol=1e-4)
    np.testing.assert_allclose(values["first"], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["nnx", "equinox"])
def test_the_path_between_activations_is_complete(kind, x):
    method = IntegratedGradients(
        MODELS[kind](), input_layer="first", rule="gauss-legendre", steps=16, batch_size=7
    )
    result = method.attribute(x, 0)
    hidden = apply("first", x)
    reached = _after_first(x, hidden)[:, 0] - _after_first(x, hidden * 0)[:, 0]
    np.testing.assert_allclose(result.values.sum(1), reached, atol=2e-6)
    np.testing.assert_allclose(result.completeness_gap, np.zeros(3), atol=2e-6)


@pytest.mark.parametrize("kind", ["nnx", "equinox"])
def test_noise_on_activations_does_not_depend_on_batch_size(kind, x):
    model = MODELS[kind]()

    def explain(batch_size):
        method = SmoothGrad(model, input_layer="first", nb_samples=6, batch_size=batch_size)
        return np.asarray(method.explain(x, 1))

    whole = explain(None)
    np.testing.assert_allclose(explain(4), whole, rtol=1e-5, atol=1e-7)
    quiet = GradientInput(model, input_layer="first").explain(x, 1) / apply("first", x)
    assert 0 < abs(whole - quiet).max() < 0.1


@pytest.mark.parametrize("kind", [Nnx, PerExample])
def test_every_way_to_name_a_layer_is_the_same(kind, x):
    model = kind()
    index = list(vars(model)).index("first") - list(vars(model)).index("unused") - 1
    values = [
        GradientInput(model, input_layer=layer).explain(x, 1)
        for layer in ("first", model.first, index)
    ]
    np.testing.assert_array_equal(values[1], values[0])
    np.testing.assert_array_equal(values[2], values[0])


def test_a_submodule_of_a_bound_linen_module_names_a_layer(x):
    model = MODELS["linen bound"]()
    named = GradientInput(model, output_layer="second").explain(x, 1)
    by_object = GradientInput(model, output_layer=model.second).explain(x, 1)
    np.testing.assert_array_equal(by_object, named)
    inner = 1 - jnp.tanh(apply("first", x)) ** 2
    (first, _), (side, _), (second, _) = WEIGHTS.values()
    expected = x * ((inner * second[:, 1]) @ first.T + second[:, 1] @ side.T)
    np.testing.assert_allclose(named, expected, rtol=1e-4, atol=1e-6)


class Twice(nnx.Module):
    def __init__(self):
        self.layer = nnx.Linear(5, 5, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return self.layer(self.layer(x))


class EquinoxTwice(eqx.Module):
    layer: eqx.nn.Linear

    def __call__(self, x):
        return self.layer(self.layer(x))


class LinenTwice(linen.Module):
    def setup(self):
        self.layer = linen.Dense(5)

    def __call__(self, x):
        return self.layer(self.layer(x))


def _haiku_twice(x):
    layer = hk.Linear(5, name="layer")
    return layer(layer(x))


def _twice(kind, x):
    if kind == "linen":
        return LinenTwice(), LinenTwice().init(jax.random.key(0), x)
    if kind == "haiku":
        transformed = hk.transform(_haiku_twice)
        return transformed, transformed.init(jax.random.key(0), x)
    return Twice() if kind == "nnx" else EquinoxTwice(eqx.nn.Linear(5, 5, key=jax.random.key(0)))


@pytest.mark.parametrize("kind", ["nnx", "equinox", "linen", "haiku"])
def test_a_layer_that_is_called_twice_is_an_error(kind, x):
    with pytest.raises(InputError, match="'layer' is called 2 times"):
        GradientInput(_twice(kind, x), input_layer="layer").explain(x, 1)


@pytest.mark.parametrize("kind", ["nnx", "equinox", "linen", "haiku"])
def test_one_of_two_calls_of_a_layer(kind, x):
    model = _twice(kind, x)
    scored = GradientInput(model, output_layer=("layer", 0))
    hidden = np.stack([scored.attribute(x, unit).scores for unit in range(5)], axis=1)
    kernel = scored.explain(x, 1) / x
    first, second = (GradientInput(model, input_layer=("layer", n)).explain(x, 1) for n in (0, 1))
    np.testing.assert_allclose(first, hidden * kernel, rtol=1e-4, atol=1e-6)
    outputs = np.zeros((3, 5))
    outputs[:, 1] = GradientInput(model).attribute(x, 1).scores
    np.testing.assert_allclose(second, outputs, rtol=1e-5)


@pytest.mark.parametrize("kind", ["nnx", "equinox"])
def test_a_layer_that_is_not_called_is_an_error(kind, x):
    with pytest.raises(LayerNotFoundError, match="'unused' belongs to the model but was not call"):
        GradientInput(MODELS[kind](), input_layer="unused").explain(x, 1)


BAD_LAYERS = {
    "linen": [
        ("secnd", LayerNotFoundError, "of the flax linen module. Did you mean 'second'.*: first,"),
        (0, InputTypeError, "input_layer is 0; expected a name: .*: first, side, second"),
    ],
    "haiku": [
        ("thrid", LayerNotFoundError, "of the haiku function.*Its layers with parameters: first,"),
        (-1, InputTypeError, "input_layer is -1; expected a name"),
    ],
    "nnx": [("frist", LayerNotFoundError, "Did you mean 'first'"), (True, InputTypeError, "True")],
    "equinox": [(9, LayerNotFoundError, "the model has 4 direct submodules, expected -4 to 3")],
}


@pytest.mark.parametrize("kind", BAD_LAYERS)
def test_a_layer_that_is_not_there_is_an_error(kind):
    for layer, error, message in BAD_LAYERS[kind]:
        with pytest.raises(error, match=message):
            GradientInput(MODELS[kind](), input_layer=layer)


def test_a_function_is_told_to_take_the_activation():
    with pytest.raises(LayerNotFoundError, match="a function that takes the wanted layer's activ"):
        GradientInput(logits, backend="jax", input_layer="first")


class Wrapped(linen.Module):
    wrap: object

    @linen.compact
    def __call__(self, x):
        return linen.Dense(4, name="outer")(self.wrap(linen.Dense)(6, name="inner")(x))


@pytest.mark.parametrize("wrap", [linen.remat, linen.jit])
def test_layers_inside_jit_and_remat_are_reached(wrap, x):
    model = Wrapped(wrap)
    variables = model.init(jax.random.key(0), x)
    inner, outer = (variables["params"][name]["kernel"] for name in ("inner", "outer"))
    for _ in range(2):  # the second explainer finds a jitted part that was traced before
        values = GradientInput((model, variables), input_layer="inner").explain(x, 1)
        np.testing.assert_allclose(values, (x @ inner) * outer[:, 1], rtol=1e-4, atol=1e-6)
    plain = GradientInput((model, variables)).explain(x, 1)
    np.testing.assert_allclose(plain, x * (inner @ outer[:, 1]), rtol=1e-4, atol=1e-6)


class Loop(eqx.Module):
    layer: eqx.nn.Linear

    def __call__(self, x):
        return jax.lax.scan(lambda carry, _: (self.layer(carry), None), x, length=2)[0]


def test_a_layer_inside_a_loop_is_an_error(x):
    model = Loop(eqx.nn.Linear(5, 5, key=jax.random.key(0)))
    weight, bias = model.layer.weight, model.layer.bias
    values = GradientInput(model).attribute(x, 1)
    np.testing.assert_allclose(values.values, x * (weight @ weight)[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        values.scores, ((x @ weight.T + bias) @ weight.T + bias)[:, 1], rtol=1e-4
    )
    for role in ("input_layer", "output_layer"):
        with pytest.raises(LayerNotFoundError, match="'layer' is called inside 'scan', a loop"):
            GradientInput(model, **{role: "layer"}).explain(x, 1)


def test_new_parameters_are_seen_at_a_layer_without_tracing_again(x):
    variables, traced = linen_variables(), []

    class Counting(type(MODELS["linen"]()[0])):
        def __call__(self, x):
            traced.append(None)
            return super().__call__(x)

    method = GradientInput((Counting(), variables), input_layer="side", output_layer="second")
    method.explain(x, 1)
    variables["params"]["side"] = jax.tree.map(lambda w: w * -2, variables["params"]["side"])
    count = len(traced)
    values = method.explain(x, 1)
    assert len(traced) == count
    np.testing.assert_allclose(
        values, -2 * apply("side", x) * WEIGHTS["second"][0][:, 1], rtol=1e-4
    )


def test_training_mode_warns_at_a_layer_too(x):
    model = nnx.Sequential(nnx.Linear(5, 5, rngs=nnx.Rngs(0)), nnx.BatchNorm(5, rngs=nnx.Rngs(0)))
    model.train()
    with pytest.warns(polyattr.TrainingModeWarning):
        values = GradientInput(model, input_layer=0).explain(x, 1)
    expected = np.zeros((3, 5))
    expected[:, 1] = model.layers[0](x)[:, 1] / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", MODELS)
def test_nothing_traced_is_kept(kind, x):
    method = GradientInput(MODELS[kind](), input_layer="first", output_layer="second")
    with jax.checking_leaks():
        values = method.explain(x, 1)
    hidden, weight = apply("first", x), WEIGHTS["second"][0][:, 1]
    expected = hidden * (1 - jnp.tanh(hidden) ** 2) * weight
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)
