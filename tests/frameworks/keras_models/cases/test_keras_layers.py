"""Attributing to layers of Keras models: their activations take the place of the inputs."""

import keras
import numpy as np
import pytest
from keras import layers

import polyattr
from polyattr import GradientInput, InputError, IntegratedGradients, LayerNotFoundError

NAMES = ("first", "second", "top")


def _stack():
    return [
        layers.Dense(5, activation="tanh", name="first"),
        layers.Dense(4, activation="tanh", name="second"),
        layers.Dense(3, name="top"),
    ]


def _functional():
    x = inputs = keras.Input((4,), name="features")
    for layer in _stack():
        x = layer(x)
    return keras.Model(inputs, x)


def _nested():
    first, second, top = _stack()
    inner = keras.Sequential([keras.Input((4,)), first, second], name="inner")
    return keras.Sequential([keras.Input((4,)), inner, top])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.chain = _stack()

    def call(self, x):
        for layer in self.chain:
            x = layer(x)
        return x


BUILD = {
    "functional": _functional,
    "sequential": lambda: keras.Sequential([keras.Input((4,)), *_stack()]),
    "subclassed": Subclassed,
    "nested": _nested,
}


def _layer(model, name):
    return next(layer for layer in model._flatten_layers() if layer.name == name)


@pytest.fixture
def x():
    return np.random.default_rng(3).standard_normal((3, 4)).astype("float32")


@pytest.fixture(params=BUILD)
def model(request, x, native):
    keras.utils.set_random_seed(0)
    model = BUILD[request.param]()
    model(native(x))  # builds it
    for name in NAMES:
        bias = _layer(model, name).bias
        bias.assign(np.linspace(-0.3, 0.4, bias.shape[0]))
    return model


def _weights(model, name):
    layer = _layer(model, name)
    convert = keras.ops.convert_to_numpy
    return convert(layer.kernel).astype("float64"), convert(layer.bias).astype("float64")


def _forward(model, x):
    """The activations of the three layers, and the gradients of all outputs at the first two."""
    (a, a0), (b, b0), (c, c0) = (_weights(model, name) for name in NAMES)
    first = np.tanh(x @ a + a0)
    second = np.tanh(first @ b + b0)
    at_second = np.broadcast_to(c, (len(x), *c.shape))
    at_first = b @ ((1 - second**2)[..., None] * c)
    return first, second, second @ c + c0, at_first, at_second


def _values(result):
    return result.to_numpy().values


@pytest.mark.parametrize("selector", ["name", "object"])
def test_a_layers_activation_is_attributed_to(model, x, selector):
    layer = "first" if selector == "name" else _layer(model, "first")
    result = GradientInput(model, input_layer=layer).attribute(x, 1)
    first, _, outputs, gradient, _ = _forward(model, x)
    np.testing.assert_allclose(_values(result), first * gradient[..., 1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, outputs[:, 1], rtol=1e-5, atol=1e-6)
    path = IntegratedGradients(model, input_layer="second").attribute(x, 2)  # linear from there on
    _, second, _, _, gradient = _forward(model, x)
    np.testing.assert_allclose(_values(path), second * gradient[..., 2], rtol=1e-4, atol=1e-6)
    assert abs(path.completeness_gap).max() < 1e-5


def test_an_index_names_a_layer_from_the_end(model, x):
    result = GradientInput(model, input_layer=-1).attribute(x, 1)
    outputs = _forward(model, x)[2]
    expected = np.zeros_like(outputs)
    expected[:, 1] = outputs[:, 1]
    np.testing.assert_allclose(_values(result), expected, rtol=1e-5, atol=1e-6)


def test_what_a_layer_takes_is_what_the_one_before_returns(model, x):
    before = GradientInput(model, input_layer="first").attribute(x, 1)
    takes = GradientInput(model, input_layer="second", attribute_to_layer_input=True)
    np.testing.assert_allclose(_values(takes.attribute(x, 1)), _values(before), rtol=1e-6)
    inputs = GradientInput(model, input_layer="first", attribute_to_layer_input=True)
    plain = _values(GradientInput(model).attribute(x, 1))
    np.testing.assert_allclose(_values(inputs.attribute(x, 1)), plain, rtol=1e-5, atol=1e-7)


def test_a_layer_is_scored_from_another(model, x):
    result = GradientInput(model, input_layer="first", output_layer="second").attribute(x, 2)
    first, second, *_ = _forward(model, x)
    slope = (1 - second[:, [2]] ** 2) * _weights(model, "second")[0][:, 2]
    np.testing.assert_allclose(_values(result), first * slope, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, second[:, 2], rtol=1e-5, atol=1e-6)


def test_nothing_stays_in_the_layers(model, x):
    explainer = IntegratedGradients(model, input_layer="first", output_layer="top", batch_size=7)
    before = _values(GradientInput(model).attribute(x, 1))
    once, again = (_values(explainer.attribute(x, 1)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert all("call" not in vars(layer) for layer in model._flatten_layers())
    np.testing.assert_array_equal(_values(GradientInput(model).attribute(x, 1)), before)


class Product(layers.Layer):
    def call(self, left, right):
        return left * right


class Branches(keras.Model):
    """Two branches that are multiplied: the derivative of one is the other."""

    def __init__(self):
        super().__init__()
        self.left = layers.Dense(3, name="left")
        self.right = layers.Dense(3, activation="tanh", name="right")
        self.product = Product(name="product")

    def call(self, x):
        return self.product(self.left(x), self.right(x))


def _functional_branches():
    x = keras.Input((4,))
    left = layers.Dense(3, name="left")(x)
    right = layers.Dense(3, activation="tanh", name="right")(x)
    return keras.Model(x, Product(name="product")(left, right))


@pytest.fixture(params=[Branches, _functional_branches])
def branches(request, x, native):
    keras.utils.set_random_seed(1)
    model = request.param()
    model(native(x))
    return model


def _only(values, column):
    return np.where(np.arange(values.shape[1]) == column, values, 0)


@pytest.mark.parametrize("selector", ["names", "objects"])
def test_several_layers_give_a_dict(branches, x, selector):
    named = ["left", "right"]
    given = named if selector == "names" else [branches.get_layer(name) for name in named]
    result = GradientInput(branches, input_layer=given).attribute(x, 1)
    left = x @ _weights(branches, "left")[0]
    right = np.tanh(x @ _weights(branches, "right")[0])
    found = _values(result)
    assert list(found) == named
    for name in named:
        np.testing.assert_allclose(found[name], _only(left * right, 1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, (left * right)[:, 1], rtol=1e-4, atol=1e-6)


def test_a_layer_that_takes_two_tensors_gives_two(branches, x):
    explainer = IntegratedGradients(
        branches, input_layer="product", attribute_to_layer_input=True, rule="midpoint"
    )
    result = explainer.attribute(x, 1)
    both = np.prod(
        [x @ _weights(branches, "left")[0], np.tanh(x @ _weights(branches, "right")[0])], 0
    )
    left, right = _values(result)  # a product shares equally between its factors
    np.testing.assert_allclose(left, _only(both / 2, 1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(right, _only(both / 2, 1), rtol=1e-4, atol=1e-6)
    assert abs(result.completeness_gap).max() < 1e-5


def test_a_layer_that_takes_a_list_gives_a_list(x):
    inputs = keras.Input((4,))
    parts = [layers.Dense(3, name="left")(inputs), layers.Dense(3, name="right")(inputs)]
    model = keras.Model(inputs, layers.Multiply(name="times")(parts))
    explainer = GradientInput(model, input_layer="times", attribute_to_layer_input=True)
    values = _values(explainer.attribute(x, 2))
    assert isinstance(values, list)
    product = (x @ _weights(model, "left")[0]) * (x @ _weights(model, "right")[0])
    for part in values:
        np.testing.assert_allclose(part, _only(product, 2), rtol=1e-4, atol=1e-5)


def test_a_layer_that_is_called_twice_is_refused_unless_a_call_is_named(x):
    inputs = keras.Input((4,))
    shared = layers.Dense(4, name="shared")
    model = keras.Model(inputs, shared(shared(inputs)))
    with pytest.raises(InputError, match="'shared' is called 2 times"):
        GradientInput(model, input_layer="shared").explain(x, 1)
    kernel, bias = _weights(model, "shared")
    first = _values(GradientInput(model, input_layer=("shared", 0)).attribute(x, 1))
    np.testing.assert_allclose(first, (x @ kernel + bias) * kernel[:, 1], rtol=1e-4, atol=1e-6)
    second = _values(GradientInput(model, input_layer=("shared", 1)).attribute(x, 1))
    whole = (x @ kernel + bias) @ kernel + bias
    np.testing.assert_allclose(second, _only(whole, 1), rtol=1e-4, atol=1e-6)


def test_a_layer_that_is_not_there_is_named_with_the_nearest(model):
    with pytest.raises(LayerNotFoundError, match=r"input_layer 'frist' .* Did you mean 'first'"):
        GradientInput(model, input_layer="frist")
    with pytest.raises(LayerNotFoundError, match=r"input_layer is 9; the model has \d layers"):
        GradientInput(model, input_layer=9)
    with pytest.raises(LayerNotFoundError, match="input_layer 'stranger' is not a layer"):
        GradientInput(model, input_layer=layers.Dense(2, name="stranger"))
    with pytest.raises(InputError, match="expected each layer once"):
        GradientInput(model, input_layer=["first", "first"])


@pytest.mark.parametrize("selector", [0, "features"])
@pytest.mark.parametrize("argument", ["input_layer", "output_layer"])
def test_the_place_where_inputs_enter_is_no_layer(selector, argument):
    with pytest.raises(LayerNotFoundError, match=f"is an InputLayer.*leave {argument} out"):
        GradientInput(_functional(), **{argument: selector})


@pytest.mark.parametrize("selector", [-1, "top", layers.Dense(2, name="top")])
def test_a_layer_alone_is_a_model_without_layers(selector, x, native):
    alone = layers.Dense(3, use_bias=False)
    alone(native(x))
    values = _values(GradientInput(alone).attribute(x, 1))
    np.testing.assert_allclose(
        values, x * keras.ops.convert_to_numpy(alone.kernel)[:, 1], rtol=1e-6
    )
    with pytest.raises(LayerNotFoundError, match="a Dense has no layers inside"):
        polyattr.Saliency(alone, input_layer=selector)
