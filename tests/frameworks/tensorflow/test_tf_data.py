"""Datasets, dtypes, variables as inputs, the caller's own tape, and devices."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import polyattr
from polyattr import IntegratedGradients, SmoothGrad


@pytest.fixture
def network():
    draw = np.random.default_rng(0).standard_normal
    inner = tf.Variable(draw((50, 6)) / 5, dtype=tf.float32)
    outer = tf.Variable(draw((6, 4)), dtype=tf.float32)
    return lambda x: tf.tanh(tf.reshape(x, (-1, 50)) @ inner) @ outer


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64, tf.uint8])
def test_a_dataset_brings_inputs_and_targets(network, images, dtype):
    labels = np.array([3, 0, 2])
    explainer = IntegratedGradients(network, steps=9, backend="tensorflow")
    whole = explainer.attribute(tf.constant(images), labels)
    data = tf.data.Dataset.from_tensor_slices((images, tf.constant(labels, dtype)))
    result = explainer.attribute(data.batch(2))
    np.testing.assert_allclose(result.values.numpy(), whole.values.numpy(), rtol=1e-5, atol=1e-7)
    assert result.targets.tolist() == labels.tolist()
    assert result.scores.shape == result.error.shape == (3,)
    streamed = explainer.explain(data.batch(1).prefetch(1))
    np.testing.assert_allclose(streamed.numpy(), whole.values.numpy(), rtol=1e-5, atol=1e-7)


def test_a_dataset_without_targets(network, images):
    explainer = polyattr.GradientInput(network, backend="tensorflow")
    data = tf.data.Dataset.from_tensor_slices(images).batch(2)
    x = tf.constant(images)
    np.testing.assert_allclose(explainer.explain(data, 1), explainer.explain(x, 1), rtol=1e-5)
    predicted = explainer.attribute(data)
    assert predicted.targets.tolist() == np.argmax(network(x), axis=1).tolist()
    np.testing.assert_allclose(predicted.values, explainer.explain(x), rtol=1e-5)


def test_a_dataset_of_dicts(images):
    def model(image, scale):
        return tf.reduce_sum(tf.reshape(image, (-1, 50)), axis=1) * scale[:, 0]

    scale = np.array([[1.0], [2.0], [-3.0]], dtype="float32")
    data = tf.data.Dataset.from_tensor_slices({"image": images, "scale": scale}).batch(2)
    values = polyattr.GradientInput(model, backend="tensorflow").explain(data)
    np.testing.assert_allclose(values["image"], images * scale[..., None, None], rtol=1e-5)
    sums = images.reshape(3, 50).sum(1, keepdims=True)
    np.testing.assert_allclose(values["scale"], sums * scale, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_every_floating_dtype_comes_back_and_is_right(images, dtype, path_integral):
    def model(x):
        weights = tf.cast(tf.linspace(-1.0, 1.0, 50), x.dtype)
        return tf.reduce_sum(tf.tanh(tf.reshape(x, (-1, 50)) * weights), axis=1)

    x = tf.cast(tf.constant(images), dtype)
    values = IntegratedGradients(model, steps=21).explain(x)
    assert values.dtype.name == dtype
    exact = path_integral(model, tf.cast(x, tf.float64).numpy(), 21)
    # Inputs and gradients of the half types have 11 and 8 bits; sums are kept wider.
    tolerance = {"float16": 4e-3, "bfloat16": 3e-2, "float64": 1e-7}[dtype]
    assert abs(tf.cast(values, tf.float64).numpy() - exact).max() < tolerance * abs(exact).max()


def test_numpy_inputs_take_the_dtype_of_the_variables(images):
    class Linear(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = tf.Variable(tf.ones((50, 2), tf.float64) * 2)

        def __call__(self, x):
            return tf.reshape(x, (-1, 50)) @ self.weights

    values = polyattr.Saliency(Linear()).explain(images, 1)
    assert values.dtype == tf.float64
    np.testing.assert_array_equal(values, np.full(images.shape, 2.0))


def test_a_variable_is_an_input_and_stays(network, images):
    kinds = set()

    def model(x):
        kinds.add(isinstance(x, tf.Variable))
        return network(x)

    variable = tf.Variable(images)
    values = IntegratedGradients(model).explain(variable)
    assert kinds == {False}  # it is read once; a model meets tensors only
    np.testing.assert_array_equal(variable.numpy(), images)
    np.testing.assert_array_equal(values, IntegratedGradients(network).explain(images))


def test_the_callers_tape_and_random_state_go_on(network, images):
    x = tf.constant(images)
    tf.random.set_seed(3)
    undisturbed = tf.random.normal((4,)).numpy(), tf.random.get_global_generator().state.numpy()
    tf.random.set_seed(3)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        for source in ("portable", "native"):
            SmoothGrad(network, nb_samples=4, noise_source=source).explain(x, 1)
        loss = tf.reduce_sum(x**2)
    np.testing.assert_allclose(tape.gradient(loss, x), 2 * images)
    np.testing.assert_array_equal(tf.random.normal((4,)).numpy(), undisturbed[0])
    np.testing.assert_array_equal(tf.random.get_global_generator().state, undisturbed[1])


def test_native_noise_belongs_to_seed_input_and_draw():
    backend = polyattr.backend.registry.get_backend("tensorflow")
    like = tf.zeros((2, 30, 40))
    noise = backend.noise(7, [0, 5, 2], 1, like)
    assert (tuple(noise.shape), noise.dtype) == ((3, 30, 40), tf.float32)
    np.testing.assert_array_equal(noise[2:], backend.noise(7, [2], 1, like))
    for seed, leaf in ((8, 1), (7, 0)):
        assert np.mean(noise[2:] == backend.noise(seed, [2], leaf, like)) < 0.01
    assert abs(np.mean(noise)) < 0.1
    assert abs(np.std(noise) - 1) < 0.1


ON_THE_SECOND_DEVICE = """
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import polyattr

with tf.device("CPU:1"):
    weights = tf.Variable(tf.random.normal((4, 3)))
    x = tf.random.normal((5, 4))
assert polyattr.backends()["tensorflow"].devices == ["/device:CPU:0", "/device:CPU:1"]
placed = []


def model(z):
    return tf.nn.relu(z @ weights)


for name in polyattr.methods.__all__:
    kind = getattr(polyattr, name)
    for source in ("portable", "native"):
        own = {"noise_source": source, "background": np.ones((2, 4), np.float32), "axes": (1,)}
        own = {key: value for key, value in own.items() if hasattr(kind, key)}
        explainer = kind(model, batch_size=7, **own)
        values = explainer.attribute(x, np.array([0, 1, 2, 0, 1])).values
        assert values.device.endswith("CPU:1"), (name, source, values.device)
        predicted = explainer.explain(x)
        assert predicted.device.endswith("CPU:1"), (name, source, predicted.device)
baseline = polyattr.IntegratedGradients(model).explain(x, 1, baselines=np.ones(4))
assert baseline.device.endswith("CPU:1")
expected = (x - 1) * tf.transpose(weights)[1]
linear = polyattr.IntegratedGradients(lambda z: z @ weights).explain(x, 1, baselines=np.ones(4))
np.testing.assert_allclose(linear, expected, rtol=1e-4, atol=1e-5)
assert not polyattr.backend.registry.get_backend("tensorflow").accelerated(x)


class Linear(tf.Module):
    def __init__(self):
        self.weights = weights

    def __call__(self, z):
        return z @ self.weights


with tf.device("CPU:1"):
    import keras

    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, use_bias=False)])
for module, kernel in ((Linear(), weights), (dense, dense.layers[0].kernel.value)):
    values = polyattr.GradientInput(module).explain(x.numpy(), 1)  # goes to where the model is
    assert values.device.endswith("CPU:1"), (module, values.device)
    np.testing.assert_allclose(values, x * tf.transpose(kernel)[1], rtol=1e-5)
print("all on the second device")
"""


def test_results_are_on_the_device_of_the_inputs():
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_SECOND_DEVICE],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "all on the second device" in done.stdout
