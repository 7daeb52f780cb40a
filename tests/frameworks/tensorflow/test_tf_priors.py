"""Training with attributions in the loss: `function` on Keras models, inside `tf.function`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import polyattr

RNG = np.random.default_rng(1091)
X, BACKGROUND = (tf.constant(RNG.standard_normal((n, 4)), tf.float32) for n in (6, 8))
TARGETS = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Dense(5),
        keras.layers.BatchNormalization(),
        keras.layers.Activation("tanh"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(3),
    ]
    made = keras.Sequential([keras.Input((4,)), *layers])
    made(X)
    return made


def test_a_step_inside_a_tf_function_lowers_the_loss(model):
    phi = polyattr.ExpectedGradients(model, background=BACKGROUND, nb_samples=4).function(
        X, TARGETS
    )
    optimizer = keras.optimizers.SGD(0.05)
    optimizer.build(model.trainable_variables)

    @tf.function
    def train():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(phi(X)[:, 0] ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        pairs = zip(gradients, model.trainable_variables, strict=True)
        optimizer.apply_gradients([(g, v) for g, v in pairs if g is not None])
        return loss

    losses = [float(train()) for _ in range(5)]
    assert all(after < before for after, before in zip(losses[1:], losses, strict=False))


def test_it_is_taken_in_inference_mode_and_leaves_the_model_alone(model):
    before = [variable.numpy() for variable in model.variables]
    method = polyattr.IntegratedGradients(model, steps=4)
    phi = method.function(X, TARGETS)
    first, second = phi(X).numpy(), phi(X).numpy()
    assert (first == second).all()  # no dropout
    np.testing.assert_allclose(first, method.explain(X, TARGETS).numpy(), rtol=1e-5, atol=1e-7)
    for variable, value in zip(model.variables, before, strict=True):
        assert (variable.numpy() == value).all()
    assert len(model.trainable_variables) == 6


def test_second_derivatives_by_the_inputs_in_a_persistent_tape():
    x = tf.constant([[1.0, 2.0]])
    method = polyattr.GradientInput(lambda x: tf.reduce_sum(x**3, axis=1), backend="tensorflow")
    phi = method.function(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        total = tf.reduce_sum(phi(x))
    np.testing.assert_allclose(tape.gradient(total, x), 9 * x.numpy() ** 2, rtol=1e-6)


def test_labels_of_a_graph_step_are_taken_unread():
    x, labels = tf.constant([[0.5, -1.0], [2.0, 0.25]]), np.array([1, 0])
    weights = tf.Variable([[1.0, -2.0], [0.5, 3.0]])

    def slope(given):
        with tf.GradientTape() as tape:
            method = polyattr.IntegratedGradients(
                lambda t: tf.tanh(t @ weights), backend="tensorflow", steps=5
            )
            loss = tf.reduce_sum(method.function(x, given)(x) ** 2)
        return tape.gradient(loss, weights)

    traced = tf.function(slope)(tf.constant(labels))
    np.testing.assert_allclose(traced, slope(labels), rtol=1e-5, atol=1e-6)
