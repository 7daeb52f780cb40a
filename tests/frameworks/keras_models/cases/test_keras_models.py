"""Functional, sequential and subclassed models: the same map as the framework's own gradient."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import layers
from labs.path_integral import path_integral

import polyattr
from polyattr import IntegratedGradients, LayerNotFoundError


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(3, 3, name="conv")
        self.norm = layers.BatchNormalization(name="norm")
        self.drop = layers.Dropout(0.5, name="drop")
        self.flatten = layers.Flatten(name="flatten")
        self.logits = layers.Dense(4, name="logits")
        self.softmax = layers.Softmax(name="softmax")
        self.fail = self.skip_softmax = False

    def features(self, x, training=None):
        x = keras.ops.relu(self.norm(self.conv(x), training=training))
        return self.flatten(self.drop(x, training=training))

    def call(self, x, training=None):
        logits = self.logits(self.features(x, training))
        if self.fail:
            raise RuntimeError("the model gave up")
        return logits if self.skip_softmax else self.softmax(logits)


def _stack():
    return [
        layers.Conv2D(3, 3, name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.ReLU(name="relu"),
        layers.Dropout(0.5, name="drop"),
        layers.Flatten(name="flatten"),
        layers.Dense(4, name="logits"),
        layers.Softmax(name="softmax"),
    ]


def _functional():
    x = inputs = keras.Input((5, 5, 2))
    for layer in _stack():
        x = layer(x)
    return keras.Model(inputs, x)


def _sequential():
    return keras.Sequential([keras.Input((5, 5, 2)), *_stack()])


BUILD = {"functional": _functional, "sequential": _sequential, "subclassed": Subclassed}
# The place of the logits among model.layers; a functional model lists its input first.
LOGITS_INDEX = {"functional": -2, "sequential": 5, "subclassed": 4}


@pytest.fixture(params=BUILD)
def kind(request):
    return request.param


@pytest.fixture
def images():
    return np.random.default_rng(1).standard_normal((3, 5, 5, 2)).astype("float32")


@pytest.fixture
def model(kind, images, native):
    keras.utils.set_random_seed(0)
    model = BUILD[kind]()
    model(native(images))
    norm = model.get_layer("norm")
    norm.moving_mean.assign([0.3, -0.2, 0.1])
    norm.moving_variance.assign([0.5, 2.0, 1.5])
    return model


def _cut(model):
    """The model without its softmax, built by hand from the same layers."""
    if isinstance(model, Subclassed):
        return lambda x: model.logits(model.features(x, training=False))
    chain = [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)][:-1]

    def run(x):
        for layer in chain:
            mode = {"training": False} if layer.name in {"norm", "drop"} else {}
            x = layer(x, **mode)
        return x

    return run


def _values(result):
    return result.to_numpy().values


def test_the_model_is_recognised_and_its_map_is_the_gradient(model, images, native, gradient):
    result = IntegratedGradients(model, steps=9, batch_size=5).attribute(native(images), 1)
    assert result.backend == keras.config.backend()
    assert type(result.values) is type(native(images) * 1.0)

    def plain(x):
        return model(x, training=False)[:, 1]

    expected = path_integral(partial(gradient, plain), images, 9)
    np.testing.assert_allclose(
        _values(result), expected, atol=1e-6 * abs(expected).max(), rtol=1e-4
    )
    scores = keras.ops.convert_to_numpy(plain(native(images)))
    np.testing.assert_allclose(result.scores, scores, rtol=1e-5)


@pytest.mark.parametrize("selector", ["index", "name", "object"])
def test_the_logits_layer_explains_the_model_cut_there(
    model, kind, images, native, gradient, selector
):
    layer = {
        "index": LOGITS_INDEX[kind],
        "name": "logits",
        "object": model.get_layer("logits"),
    }[selector]
    cut = _cut(model)
    explainer = IntegratedGradients(model, output_layer=layer, steps=9)
    result = explainer.attribute(native(images), 1)
    expected = path_integral(partial(gradient, lambda x: cut(x)[:, 1]), images, 9)
    np.testing.assert_allclose(
        _values(result), expected, atol=1e-6 * abs(expected).max(), rtol=1e-4
    )
    scores = keras.ops.convert_to_numpy(cut(native(images)))[:, 1]
    np.testing.assert_allclose(result.scores, scores, rtol=1e-4, atol=1e-6)
    whole = IntegratedGradients(model, steps=9).attribute(native(images), 1)
    assert abs(_values(result) - _values(whole)).max() > 0.01


def test_an_inner_layer_has_several_output_axes(model, images, native, gradient):
    conv = model.get_layer("conv")
    result = polyattr.Saliency(model, output_layer="conv").attribute(native(images), (1, 0, 2))
    expected = abs(gradient(lambda x: conv(x)[:, 1, 0, 2], images))
    np.testing.assert_allclose(_values(result), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("layer", [None, "conv"])
def test_nothing_changes_in_the_model(model, images, native, layer):
    model.trainable = True
    model.get_layer("norm").trainable = False
    before = [np.array(keras.ops.convert_to_numpy(v.value)) for v in model.variables]
    frozen = [v.trainable for v in model.variables]
    target = 1 if layer is None else (1, 0, 2)
    for method in (polyattr.IntegratedGradients, polyattr.SmoothGrad, polyattr.VarGrad):
        explainer = method(model, output_layer=layer, batch_size=7)
        first = explainer.attribute(native(images), target)
        second = explainer.attribute(native(images), target)
        np.testing.assert_array_equal(_values(first), _values(second))
    after = [keras.ops.convert_to_numpy(v.value) for v in model.variables]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert [v.trainable for v in model.variables] == frozen
    assert all("call" not in vars(each) for each in [model, *model.layers])


def test_a_model_that_raises_leaves_its_layers_as_they_were(images, native):
    model = Subclassed()
    model(native(images))
    explainer = IntegratedGradients(model, output_layer="logits", steps=5)
    expected = explainer.explain(native(images), 1)
    model.fail = True
    with pytest.raises(RuntimeError, match="gave up"):
        IntegratedGradients(model, output_layer="logits", steps=5).explain(native(images), 1)
    assert all("call" not in vars(each) for each in [model, *model.layers])
    model.fail = False
    again = IntegratedGradients(model, output_layer="logits", steps=5).explain(native(images), 1)
    convert = keras.ops.convert_to_numpy
    np.testing.assert_array_equal(convert(again), convert(expected))


def test_training_between_two_calls_is_seen(model, images, native, gradient):
    explainer = polyattr.GradientInput(model)
    explainer.explain(native(images), 1)
    model.compile("sgd", "mse")
    model.train_on_batch(images, np.eye(4, dtype="float32")[[0, 1, 2]])
    model.get_layer("logits").kernel.assign(-2 * model.get_layer("logits").kernel)
    result = explainer.attribute(native(images), 1)
    expected = images * gradient(lambda x: model(x, training=False)[:, 1], images)
    np.testing.assert_allclose(_values(result), expected, rtol=1e-3, atol=1e-6)


def test_an_unknown_layer_is_named_with_the_nearest(model):
    with pytest.raises(LayerNotFoundError, match="Did you mean 'logits'"):
        polyattr.Saliency(model, output_layer="logit")
    with pytest.raises(LayerNotFoundError, match=f"has {len(model.layers)} layers"):
        polyattr.Saliency(model, output_layer=40)
    with pytest.raises(LayerNotFoundError, match="'stranger'"):
        polyattr.Saliency(model, output_layer=layers.Dense(2, name="stranger"))
    with pytest.raises(polyattr.InputTypeError, match="expected an index"):
        polyattr.Saliency(model, output_layer=1.5)


def test_a_layer_that_is_not_called_is_an_error(images, native):
    model = Subclassed()
    model(native(images))
    model.skip_softmax = True
    with pytest.raises(LayerNotFoundError, match="not called"):
        polyattr.Saliency(model, output_layer="softmax").explain(native(images), 1)
