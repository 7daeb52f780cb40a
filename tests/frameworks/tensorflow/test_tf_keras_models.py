"""Legacy tf_keras models, and what is special to Keras on TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

import polyattr
from polyattr import IntegratedGradients, LayerNotFoundError


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
    x = inputs = layers.Input((5, 5, 2))
    for layer in _stack():
        x = layer(x)
    return tf_keras.Model(inputs, x)


class Subclassed(tf_keras.Model):
    def __init__(self):
        super().__init__()
        self.chain = _stack()
        self.fail = False

    def call(self, x, training=None):
        for layer in self.chain:
            mode = {"training": training} if layer.name in {"norm", "drop"} else {}
            x = layer(x, **mode)
        if self.fail:
            raise RuntimeError("the model gave up")
        return x


BUILD = {
    "functional": _functional,
    "sequential": lambda: tf_keras.Sequential([layers.Input((5, 5, 2)), *_stack()]),
    "subclassed": Subclassed,
}


@pytest.fixture(params=BUILD)
def model(request, images):
    tf_keras.utils.set_random_seed(0)
    model = BUILD[request.param]()
    model(images)
    norm = model.get_layer("norm")
    norm.moving_mean.assign([0.3, -0.2, 0.1])
    norm.moving_variance.assign([0.5, 2.0, 1.5])
    return model


def _cut(model, name):
    """The model as far as a layer, built by hand from its layers."""
    chain = [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)]
    last = [layer.name for layer in chain].index(name)

    def run(x):
        for layer in chain[: last + 1]:
            mode = {"training": False} if layer.name in {"norm", "drop"} else {}
            x = layer(x, **mode)
        return x

    return run


def test_the_map_is_the_gradient_in_inference_mode(model, images, path_integral):
    result = IntegratedGradients(model, steps=9, batch_size=5).attribute(tf.constant(images), 1)
    expected = path_integral(lambda x: model(x, training=False)[:, 1], images, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, model(images, training=False)[:, 1], rtol=1e-5)


# Nine points are enough to tell the two maps apart, and too few for one of the samples.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
@pytest.mark.parametrize("selector", ["index", "name", "object"])
def test_the_logits_layer_explains_the_model_cut_there(model, images, path_integral, selector):
    layer = {
        "index": -2,
        "name": "logits",
        "object": model.get_layer("logits"),
    }[selector]
    explainer = IntegratedGradients(model, output_layer=layer, steps=9)
    result = explainer.attribute(tf.constant(images), 1)
    cut = _cut(model, "logits")
    expected = path_integral(lambda x: cut(x)[:, 1], images, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result.scores, cut(images)[:, 1], rtol=1e-4, atol=1e-6)
    whole = IntegratedGradients(model, steps=9).explain(tf.constant(images), 1)
    assert abs(result.values - whole).numpy().max() > 0.01


def test_nothing_changes_in_the_model(model, images):
    before = [v.numpy() for v in model.variables]
    for method in (polyattr.IntegratedGradients, polyattr.SmoothGrad, polyattr.VarGrad):
        for layer, target in ((None, 1), ("conv", (1, 0, 2))):
            explainer = method(model, output_layer=layer, batch_size=7)
            first = explainer.explain(tf.constant(images), target)
            np.testing.assert_array_equal(first, explainer.explain(tf.constant(images), target))
    for old, new in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    assert all("call" not in vars(layer) for layer in model.layers)


@pytest.mark.parametrize("eager", [False, True])
def test_a_model_that_raises_leaves_its_layers_and_settings(images, eager):
    model = Subclassed()
    model(images)
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(eager)
    try:
        model.fail = True
        for layer in (None, "logits"):
            with pytest.raises(RuntimeError, match="gave up"):
                IntegratedGradients(model, output_layer=layer).explain(tf.constant(images), 1)
            assert tf.config.functions_run_eagerly() is eager
            assert all("call" not in vars(each) for each in [model, *model.layers])
        model.fail = False
        values = IntegratedGradients(model, output_layer="logits").explain(tf.constant(images), 1)
        assert tf.config.functions_run_eagerly() is eager
    finally:
        tf.config.run_functions_eagerly(before)
    expected = IntegratedGradients(_cut(model, "logits")).explain(tf.constant(images), 1)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_training_between_two_calls_is_seen(model, images, gradient):
    explainer = polyattr.GradientInput(model)
    explainer.explain(tf.constant(images), 1)
    model.compile("sgd", "mse")
    model.train_on_batch(images, np.eye(4, dtype="float32")[[0, 1, 2]])
    logits = model.get_layer("logits")
    logits.kernel.assign(-2 * logits.kernel)
    values = explainer.explain(tf.constant(images), 1)
    expected = images * gradient(lambda x: model(x, training=False)[:, 1], images)
    np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-6)


def test_an_unknown_layer_is_named_with_the_nearest(model):
    with pytest.raises(LayerNotFoundError, match="Did you mean 'logits'"):
        polyattr.Saliency(model, output_layer="logit")
    with pytest.raises(LayerNotFoundError, match=f"has {len(model.layers)} layers"):
        polyattr.Saliency(model, output_layer=40)


@pytest.mark.parametrize("container", ["tuple", "list", "dict"])
def test_several_inputs_in_every_container(container):
    a, b = layers.Input((4,), name="a"), layers.Input((2,), name="b")
    project = layers.Dense(2, use_bias=False)
    score = tf_keras.layers.Dot(axes=1)([project(a), b])
    inputs = {"a": a, "b": b} if container == "dict" else [a, b]
    model = tf_keras.Model(inputs, score)
    rng = np.random.default_rng(2)
    x, y = (rng.standard_normal(s).astype("float32") for s in ((3, 4), (3, 2)))
    given = {"tuple": (x, y), "list": [x, y], "dict": {"a": x, "b": y}}[container]
    values = polyattr.GradientInput(model).explain(given)
    assert type(values).__name__ == container
    found = list(values.values()) if container == "dict" else list(values)
    kernel = project.kernel.numpy()
    np.testing.assert_allclose(found[0], x * (y @ kernel.T), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[1], y * (x @ kernel), rtol=1e-4, atol=1e-6)


def test_the_logits_of_a_fused_softmax():
    inputs = tf_keras.Input((5,))
    hidden = tf_keras.layers.Dense(7, activation="relu")(inputs)
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(4, activation="softmax")(hidden))
    x = np.random.default_rng(7).standard_normal((3, 5)).astype("float32")
    method = polyattr.GradientInput(model, output_layer="logits")
    found, other = method.attribute(x, [3, 0, 2]), method.attribute(x, 1)
    logs = np.log(model(x).numpy().astype("float64"))
    # A softmax keeps the differences of logits, in the logarithm.
    wanted = logs[np.arange(3), [3, 0, 2]] - logs[:, 1]
    np.testing.assert_allclose(found.scores - other.scores, wanted, atol=1e-5)
