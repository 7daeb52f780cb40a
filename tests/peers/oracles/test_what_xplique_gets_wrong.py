"""xplique 2.0.2's wrong answers, reproduced, each beside polyattr's right one.

When a later xplique is right, the test of it fails: its row then leaves this list, and the test in
tests/peers/rows loses its comment.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network
from xplique import attributions

import polyattr

X = np.random.default_rng(511).standard_normal((5, 4)).astype(np.float32)
NETWORK = random_network(512, 4, 8, 5)
TARGETS = np.array([2, 0, 4, 1, 3])
ONE_HOT = one_hot(TARGETS, 5).astype(np.float32)


def classifier(softmax=False):
    x = inputs = keras.Input((4,))
    x = keras.layers.Dense(8, "relu")(x)
    x = keras.layers.Dense(5, name="logits")(x)
    model = keras.Model(inputs, keras.layers.Softmax()(x) if softmax else x)
    model.set_weights([array for pair in NETWORK.layers for array in pair])
    return model


def of_scores(score, features):
    """A model (N, features) -> (N, 1)."""
    inputs = keras.Input((features,))
    return keras.Model(inputs, keras.ops.sum(score(inputs), axis=1, keepdims=True))


@pytest.mark.parametrize("name", ["Saliency", "GradientInput", "IntegratedGradients"])
def test_output_layer_has_no_effect(name):
    model = classifier(softmax=True)
    theirs = [
        getattr(attributions, name)(model, output_layer=layer)(X, ONE_HOT).numpy()
        for layer in ("logits", None)
    ]
    assert (theirs[0] == theirs[1]).all()
    ours = getattr(polyattr, name)(model, output_layer="logits").explain(X, TARGETS)
    cut = getattr(attributions, name)(classifier())(X, ONE_HOT)
    assert np.abs(cut - theirs[0]).max() > 0.1
    assert_close(ours, cut)


@pytest.mark.parametrize(
    ("score", "true"),
    [
        (lambda x: x * np.linspace(500, 1500, 30, dtype=np.float32), 0.0),
        (lambda x: x * 1000.0 + x * x * 0.005, 4e-6),
    ],
    ids=["linear", "nearly linear"],
)
def test_variance_is_rounding_at_gradients_of_1000(score, true):
    x = np.random.default_rng(0).standard_normal((4, 30)).astype(np.float32)
    tf.random.set_seed(0)
    model = of_scores(score, 30)
    theirs = attributions.VarGrad(model)(x, np.ones((4, 1), np.float32)).numpy()
    assert theirs.min() < -0.1
    assert theirs.max() > 0.1
    ours = polyattr.VarGrad(model).explain(x).numpy()
    assert ours.min() >= 0
    assert 0.3 * true <= ours.min() <= ours.max() <= 2 * true


def test_integer_targets_become_weights():
    gradient = np.abs(NETWORK.gradient(X, ONE_HOT))
    model = classifier()
    theirs, ours = attributions.Saliency(model), polyattr.Saliency(model)
    # As many samples as classes: every sample's classes are weighted with all the indices.
    all_indices = np.abs(NETWORK.gradient(X, np.tile(TARGETS, (5, 1)).astype(float)))
    assert_close(theirs(X, TARGETS), all_indices)
    assert_close(ours(X, TARGETS), gradient)
    # One sample: the sum of its classes times the index.
    index = np.abs(NETWORK.gradient(X[:1], np.full((1, 5), 2.0)))
    assert_close(theirs(X[:1], TARGETS[:1]), index)
    assert_close(ours(X[:1], TARGETS[:1]), gradient[:1])


def test_the_same_seed_gives_other_noise_with_another_batch_size():
    model = classifier()

    def theirs(batch_size):
        tf.random.set_seed(3)
        return attributions.SmoothGrad(model, batch_size=batch_size)(X, ONE_HOT).numpy()

    assert (theirs(50) == theirs(50)).all()
    assert np.abs(theirs(50) - theirs(100)).max() > 1e-3
    ours = [polyattr.SmoothGrad(model, batch_size=size)(X, TARGETS) for size in (50, 100)]
    assert_close(ours[0], ours[1])


def test_no_batch_size_is_the_slowest_setting():
    sizes = []

    class Counted(keras.layers.Layer):
        def call(self, x):
            tf.py_function(lambda rows: sizes.append(int(rows)), [tf.shape(x)[0]], [])
            return x

    inputs = keras.Input((4,))
    model = keras.Model(inputs, Counted()(inputs))

    def calls(batch_size):
        method = attributions.IntegratedGradients(model, batch_size=batch_size)
        method(X, np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0]])
        made = list(sizes)
        sizes.clear()
        return made

    calls(None)  # building and tracing count rows of their own
    assert calls(None) == [5] * 50
    calls(256)
    assert calls(256) == [250]


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes_than_float32_raise(dtype):
    inputs = keras.Input((4,), dtype=dtype)
    model = keras.Model(inputs, keras.layers.Dense(5, dtype=dtype)(inputs))
    with pytest.raises(TypeError):
        attributions.Saliency(model)(X.astype(dtype), ONE_HOT.astype(dtype))
    ours = polyattr.Saliency(model).explain(X.astype(dtype), 1)
    assert ours.dtype.name == dtype
    assert (ours.numpy() == np.abs(model.layers[-1].kernel.numpy()[:, 1])).all()


def test_too_few_steps_are_not_refused():
    model = classifier()
    with pytest.raises(ZeroDivisionError):
        attributions.IntegratedGradients(model, steps=0)(X, ONE_HOT)
    assert np.isnan(attributions.IntegratedGradients(model, steps=1)(X, ONE_HOT)).all()
    for steps in (0, 1):
        with pytest.raises(polyattr.InputError, match="at least 2"):
            polyattr.IntegratedGradients(model, steps=steps)


def test_a_plain_callable_is_answered_with_a_message_about_arguments():
    def model(x):
        return x * x

    with pytest.raises(TypeError, match="takes 0 positional arguments but 4 were given"):
        attributions.Saliency(model)(X, np.ones_like(X))
    ours = polyattr.GradientInput(model, backend="tensorflow").explain(X, np.ones_like(X))
    assert_close(ours, 2 * X * X)


def test_an_empty_segmentation_target_gives_nan():
    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3, padding="same")(inputs))
    images, empty = np.ones((1, 4, 4, 1), np.float32), np.zeros((1, 4, 4, 2), np.float32)
    theirs = attributions.Saliency(model, operator="semantic segmentation")(images, empty)
    assert np.isnan(theirs).all()

    def mean_over_pixels(network, x, pixels):
        scores = tf.reduce_sum(network(x) * pixels, axis=(1, 2, 3))
        return scores / tf.reduce_sum(pixels, axis=(1, 2, 3))

    ours = polyattr.Saliency(model, operator=mean_over_pixels)
    with pytest.raises(polyattr.NonFiniteGradientError, match="sample 0"):
        ours.explain(images, tf.constant(empty))
