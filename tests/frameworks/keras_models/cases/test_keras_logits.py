"""The scores before the softmax a Keras model ends in, wherever it is."""

import keras
import numpy as np
import pytest
from keras import layers

from polyattr import GradientInput, LayerNotFoundError, QuestionWarning

X = np.random.default_rng(5).random((5, 4, 4, 1)).astype("float32")
LABELS = [3, 0, 6, 1, 2]


def _ending(*last):
    inputs = keras.Input((4, 4, 1))
    x = layers.Flatten()(layers.Conv2D(3, 3, activation="relu")(inputs))
    for layer in last:
        x = layer(x)
    return keras.Model(inputs, x)


def _nested():
    inner = keras.Sequential([layers.Dense(8), layers.Dense(10, activation="softmax")])
    return keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), inner])


def _softmax_of_the_framework():
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.nn.softmax
    if keras.backend.backend() == "jax":
        import jax

        return jax.nn.softmax
    return keras.ops.softmax


BUILD = {
    "fused": lambda: _ending(layers.Dense(10, activation="softmax")),
    "a softmax layer": lambda: _ending(layers.Dense(10), layers.Softmax()),
    "an activation layer": lambda: _ending(
        layers.Dense(10), layers.Activation("softmax", dtype="float32")
    ),
    "a function of the framework's": lambda: _ending(
        layers.Dense(10, activation=_softmax_of_the_framework())
    ),
    "nested": _nested,
    "sequential": lambda: keras.Sequential(
        [keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")]
    ),
}


def _probabilities(model, x):
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(x))).astype("float64")


@pytest.mark.parametrize("kind", BUILD)
def test_the_logits_of_a_model_that_ends_in_a_softmax(kind):
    model = BUILD[kind]()
    before = _probabilities(model, X)
    method = GradientInput(model, output_layer="logits")
    result, other = method.attribute(X, LABELS), method.attribute(X, 9)
    # A softmax keeps the differences of logits, in the logarithm.
    rows, p = np.arange(5), np.log(before)
    wanted = p[rows, LABELS] - p[:, 9]
    np.testing.assert_allclose(result.scores - other.scores, wanted, atol=1e-5)
    step, found = 1e-2, np.asarray(result.to_numpy().values - other.to_numpy().values)
    sums = found.reshape(5, -1).sum(axis=1)  # x . grad, by differences along x
    up, down = (np.log(_probabilities(model, X * (1 + s))) for s in (step, -step))
    slope = ((up - down)[rows, LABELS] - (up - down)[:, 9]) / (2 * step)
    np.testing.assert_allclose(sums, slope, atol=2e-3)
    np.testing.assert_array_equal(_probabilities(model, X), before)


def test_a_sigmoid_and_no_squashing_at_all():
    for activation, inverse in [("sigmoid", lambda p: np.log(p / (1 - p))), (None, lambda z: z)]:
        model = _ending(layers.Dense(10, activation=activation))
        result = GradientInput(model, output_layer="logits").attribute(X, LABELS)
        wanted = inverse(_probabilities(model, X))[np.arange(5), LABELS]
        np.testing.assert_allclose(result.scores, wanted, atol=1e-5)


def test_a_layer_of_that_name_is_that_layer():
    model = _ending(layers.Dense(7, name="logits"), layers.Dense(10, activation="softmax"))
    hidden = keras.Model(model.inputs, model.get_layer("logits").output)
    result = GradientInput(model, output_layer="logits").attribute(X, lambda z: z[:, 2])
    np.testing.assert_allclose(result.scores, _probabilities(hidden, X)[:, 2], atol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_what_ends_in_no_softmax_has_no_logits(activation):
    model = _ending(layers.Dense(10, activation=activation))
    with pytest.raises(LayerNotFoundError, match="'logits' is not a layer of this model"):
        GradientInput(model, output_layer="logits")


def test_the_logits_of_a_softmax_of_ones_own_have_a_recipe():
    model = _ending(layers.Dense(10, activation=lambda z: keras.ops.softmax(2 * z)))
    with pytest.raises(LayerNotFoundError, match=r"layers\[-1\]\.activation = None"):
        GradientInput(model, output_layer="logits")
    model.layers[-1].activation = None
    scores = GradientInput(model).attribute(X, LABELS).scores
    assert scores.min() < 0  # no probabilities
    np.testing.assert_allclose(scores, _probabilities(model, X)[np.arange(5), LABELS], atol=1e-6)


def test_the_second_last_of_a_fused_softmax_is_told_of_by_name():
    model = BUILD["fused"]()
    method = GradientInput(model, output_layer=-2)
    text = r"output_layer is 'flatten\w*', which gives 12 numbers.*output_layer='logits'"
    with pytest.warns(QuestionWarning, match=text):
        method.explain(X, LABELS)
    with pytest.warns(QuestionWarning, match=r"are probabilities.* pass output_layer='logits'"):
        GradientInput(model).explain(X, LABELS)
