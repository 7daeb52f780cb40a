"""Several inputs, nested models, shared layers, several outputs, NumPy inputs."""

import keras
import numpy as np
import pytest
from keras import layers

import polyattr
from polyattr import ModelOutputError


@pytest.fixture
def pair():
    rng = np.random.default_rng(2)
    return [rng.standard_normal(s).astype("float32") for s in ((3, 4), (3, 2))]


def _functional(container):
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    product = layers.Dense(2, use_bias=False, name="project")(a) * b
    inputs = {"tuple": (a, b), "list": [a, b], "dict": {"a": a, "b": b}}[container]
    return keras.Model(inputs, keras.ops.sum(product, axis=1))


class Separate(keras.Model):
    """Takes its inputs one by one."""

    def __init__(self):
        super().__init__()
        self.project = layers.Dense(2, use_bias=False, name="project")

    def call(self, a, b, training=None):
        return keras.ops.sum(self.project(a) * b, axis=1)


class Together(Separate):
    """Takes its inputs as one container."""

    def call(self, inputs, training=None):
        a, b = inputs.values() if isinstance(inputs, dict) else inputs
        return keras.ops.sum(self.project(a) * b, axis=1)


MODELS = {"functional": _functional, "separate": lambda _: Separate(), "one": lambda _: Together()}


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("container", ["tuple", "list", "dict"])
def test_several_inputs_in_every_container(kind, container, pair, native):
    keras.utils.set_random_seed(0)
    model = MODELS[kind](container)
    a, b = map(native, pair)
    given = {"tuple": (a, b), "list": [a, b], "dict": {"a": a, "b": b}}[container]
    model(a, b) if kind == "separate" else model(given)  # builds it
    result = polyattr.GradientInput(model).attribute(given)
    values = result.to_numpy().values
    assert type(values).__name__ == container
    found = list(values.values()) if container == "dict" else list(values)
    kernel = keras.ops.convert_to_numpy(model.get_layer("project").kernel)
    np.testing.assert_allclose(found[0], pair[0] * (pair[1] @ kernel.T), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[1], pair[1] * (pair[0] @ kernel), rtol=1e-4, atol=1e-6)
    scores = ((pair[0] @ kernel) * pair[1]).sum(1)
    np.testing.assert_allclose(result.scores, scores, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("selector", ["name", "object"])
def test_a_layer_inside_a_nested_model(pair, native, selector):
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="deep"), layers.Activation("tanh")], name="inner"
    )
    model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(2, name="top")])
    layer = "deep" if selector == "name" else inner.get_layer("deep")
    result = polyattr.Saliency(model, output_layer=layer).attribute(native(pair[0]), 2)
    kernel = keras.ops.convert_to_numpy(inner.get_layer("deep").kernel)
    expected = np.broadcast_to(abs(kernel[:, 2]), (3, 4))
    np.testing.assert_allclose(result.to_numpy().values, expected, rtol=1e-6)


def test_a_shared_layer_gives_its_last_output(pair, native):
    keras.utils.set_random_seed(0)
    shared = layers.Dense(4, use_bias=False, name="shared")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.ops.tanh(shared(shared(inputs))))
    result = polyattr.Saliency(model, output_layer="shared").attribute(native(pair[0]), 2)
    kernel = keras.ops.convert_to_numpy(shared.kernel)
    expected = np.broadcast_to(abs((kernel @ kernel)[:, 2]), (3, 4))
    np.testing.assert_allclose(result.to_numpy().values, expected, rtol=1e-4, atol=1e-6)


def test_one_of_several_outputs_is_selected(pair, native):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    head, other = layers.Dense(3, name="head"), layers.Dense(2, name="other")
    model = keras.Model(inputs, {"head": head(inputs), "other": other(inputs)})
    x = native(pair[0])
    with pytest.raises(ModelOutputError, match=r"keys \['head', 'other'\]"):
        polyattr.Saliency(model).explain(x, 1)
    result = polyattr.Saliency(model, output="head").attribute(x, 1)
    kernel = keras.ops.convert_to_numpy(head.kernel)
    expected = np.broadcast_to(abs(kernel[:, 1]), (3, 4))
    np.testing.assert_allclose(result.to_numpy().values, expected, rtol=1e-6)


def test_numpy_inputs_alone_give_native_maps(pair, native):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="tanh")])
    explainer = polyattr.IntegratedGradients(model)
    from_numpy = explainer.explain(pair[0].astype("float64"), 1)
    from_native = explainer.explain(native(pair[0]), 1)
    assert type(from_numpy) is type(from_native)
    convert = keras.ops.convert_to_numpy
    assert convert(from_numpy).dtype == np.float32
    np.testing.assert_array_equal(convert(from_numpy), convert(from_native))


def test_layers_that_draw_in_training_are_silent(pair, native, gradient):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.GaussianNoise(1.0),
            layers.Dense(6, activation="tanh"),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )
    result = polyattr.GradientInput(model).attribute(native(pair[0]), 1)
    expected = pair[0] * gradient(lambda x: model(x, training=False)[:, 1], pair[0])
    np.testing.assert_allclose(result.to_numpy().values, expected, rtol=1e-4, atol=1e-6)


OPERATORS = {
    "in one": lambda model, inputs, targets: model(inputs)["logits"][:, 1],
    "its mode": lambda model, inputs, targets: model(inputs, training=False)["logits"][:, 1],
    "by name": lambda model, inputs, targets: model(**inputs)["logits"][:, 1],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_calls_a_graph_with_a_dict(pair, native, name):
    keras.utils.set_random_seed(0)
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    head = layers.Dense(3, name="head")
    outputs = {"logits": head(layers.Concatenate()([a, b])), "features": a}
    model = keras.Model({"a": a, "b": b}, outputs)
    method = polyattr.GradientInput(model, operator=OPERATORS[name], batch_size=2)
    found = method.explain({"a": native(pair[0]), "b": native(pair[1])})
    kernel = keras.ops.convert_to_numpy(head.kernel)
    convert = keras.ops.convert_to_numpy
    np.testing.assert_allclose(convert(found["a"]), pair[0] * kernel[:4, 1], rtol=1e-5)
    np.testing.assert_allclose(convert(found["b"]), pair[1] * kernel[4:, 1], rtol=1e-5)


def test_an_operator_asks_for_the_other_mode(pair, native):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    method = polyattr.GradientInput(
        model, operator=lambda model, inputs, targets: model(inputs, training=True)[:, 1]
    )
    with pytest.raises(polyattr.InputError, match=r"training=True.* in inference mode"):
        method.explain(native(pair[0]))


@pytest.mark.parametrize("given", ["a batch and its labels", "two batches", "two dicts"])
def test_a_graph_is_given_as_many_inputs_as_it_has(pair, native, given):
    """Keras takes the first of too many, and says nothing."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    x, y = native(pair[0]), native(np.array([0, 1, 2]))
    inputs = {
        "a batch and its labels": ((x, y), r"inputs\[0\] alone.*explain\(x, y\)"),
        "two batches": ([x, x], r"as a batch.*iter\(batches\)"),
        "two dicts": ([{"x": x}, {"x": x}], "has 1 input, but is given a list of 2"),
    }
    wrong, message = inputs[given]
    with pytest.raises(polyattr.InputError, match=message):
        polyattr.GradientInput(model).explain(wrong, 0)
