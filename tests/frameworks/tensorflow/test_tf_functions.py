"""Functions, tf.functions and modules: graphs, variables, control flow, operations XLA refuses."""

import numpy as np
import pytest
import tensorflow as tf
from labs import METHODS

import polyattr
from polyattr import InputError, IntegratedGradients, ModelOutputError, UnrecognisedModelError
from polyattr_tensorflow import TensorFlowBackend


class Network(tf.Module):
    def __init__(self):
        super().__init__()
        draw = np.random.default_rng(0).standard_normal
        self.inner = tf.Variable(draw((50, 6)) / 5, dtype=tf.float32)
        self.outer = tf.Variable(draw((6, 4)), dtype=tf.float32)
        self.count = tf.Variable(0)

    def __call__(self, x):
        hidden = tf.nn.relu(tf.reshape(x, (-1, 50)) @ self.inner + 0.1)
        return hidden @ self.outer


@pytest.fixture
def network():
    return Network()


WRAPPED = {
    "module": lambda network: network,
    "function": lambda network: lambda x: network(x),
    "method": lambda network: network.__call__,
    "tf.function": tf.function,
    "autograph off": lambda network: tf.function(network.__call__, autograph=False),
    "fixed signature": lambda network: tf.function(
        network.__call__, input_signature=[tf.TensorSpec((None, 5, 5, 2))]
    ),
    "jit": lambda network: tf.function(network.__call__, jit_compile=True),
    "recomputed": lambda network: tf.recompute_grad(network.__call__),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_a_wrapped_model_has_the_plain_models_map(network, images, path_integral, kind):
    explainer = IntegratedGradients(WRAPPED[kind](network), steps=9, batch_size=5)
    result = explainer.attribute(tf.constant(images), 2)
    expected = path_integral(lambda x: network(x)[:, 2], images, 9)
    assert isinstance(result.values, tf.Tensor)
    np.testing.assert_allclose(result.values.numpy(), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, network(images)[:, 2], rtol=1e-5)
    assert result.backend == "tensorflow"


def test_a_saved_module_is_a_model(network, images, gradient, tmp_path):
    network.call = tf.function(
        network.__call__, input_signature=[tf.TensorSpec((None, 5, 5, 2), name="x")]
    )
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.call)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    expected = abs(gradient(lambda x: network(x)[:, 1], images))
    values = polyattr.Saliency(loaded.call, backend="tensorflow").explain(tf.constant(images), 1)
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-5, atol=1e-7)
    served = loaded.signatures["serving_default"]
    explainer = polyattr.Saliency(
        lambda x: served(x=x), output=lambda outputs: next(iter(outputs.values()))
    )
    np.testing.assert_allclose(
        explainer.explain(tf.constant(images), 1).numpy(), expected, rtol=1e-5, atol=1e-7
    )


def test_assigned_variables_are_seen_without_tracing_again(network, images, gradient):
    traced = []

    def model(x):
        traced.append(None)
        return network(x)

    explainer = polyattr.GradientInput(model)
    x = tf.constant(images)
    explainer.explain(x, 1)
    before = len(traced)
    assert before
    network.inner.assign_add(tf.ones_like(network.inner) * 0.1)
    network.outer.assign(network.outer * -2)
    values = explainer.explain(x, 3)
    assert len(traced) == before
    expected = images * gradient(lambda x: network(x)[:, 3], images)
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_a_rebound_constant_is_seen(images):
    held = {"weights": tf.ones((50, 4))}
    explainer = polyattr.Saliency(lambda x: tf.reshape(x, (-1, 50)) @ held["weights"])
    x = tf.constant(images)
    np.testing.assert_array_equal(explainer.explain(x, 1).numpy(), np.ones_like(images))
    held["weights"] = tf.fill((50, 4), 3.0)
    np.testing.assert_array_equal(explainer.explain(x, 1).numpy(), np.full_like(images, 3))


@pytest.mark.parametrize("method", METHODS)
def test_python_control_flow_on_tensors_becomes_a_graph(method):
    def model(x):
        total = tf.zeros_like(x[:, 0])
        if tf.reduce_sum(x) > -1e9:
            for step in tf.range(3):
                total += tf.reduce_sum(x, axis=1) * tf.cast(step + 1, x.dtype)
        return total

    x = tf.constant([[1.0, -2.0], [3.0, 0.5]])
    expected = {
        "Saliency": np.full((2, 2), 6.0),
        "SmoothGrad": np.full((2, 2), 6.0),
        "SquareGrad": np.full((2, 2), 36.0),
        "VarGrad": np.zeros((2, 2)),
        "IDGI": 3 * np.repeat(x.numpy().sum(axis=1, keepdims=True), 2, axis=1),
        "IntegratedDecisionGradients": 36 * x.numpy() * x.numpy().sum(axis=1, keepdims=True),
        "BlurIntegratedGradients": 6 * (x.numpy() - x.numpy().mean(axis=1, keepdims=True)),
    }.get(method.__name__, 6 * x.numpy())
    values = method(model, batch_size=3).explain(x)
    # A blurred input is its mean up to what the first hundredth of the path leaves out.
    near = 1e-3 if hasattr(method, "max_sigma") else 1e-5
    np.testing.assert_allclose(values.numpy(), expected, rtol=near, atol=1e-6)


class Noisy(tf.Module):
    def __call__(self, x, training=True):
        return tf.reduce_sum(x, axis=1) * (3.0 if training else 2.0)


@pytest.mark.parametrize(
    "model",
    [Noisy().__call__, tf.function(Noisy().__call__), Noisy()],
    ids=lambda m: type(m).__name__,
)
def test_what_takes_training_is_explained_in_inference_mode(model):
    explainer = polyattr.Saliency(model, backend="tensorflow")
    np.testing.assert_array_equal(explainer.explain(tf.ones((2, 3))), np.full((2, 3), 2.0))
    with pytest.raises(InputError, match=r"has training=True, but .* in inference mode"):
        explainer.explain(tf.ones((2, 3)), forward_kwargs={"training": True})


def _numpy_square(x):
    @tf.custom_gradient
    def square(x):
        result = tf.numpy_function(np.square, [x], x.dtype)
        result.set_shape(x.shape)
        return result, lambda upstream: upstream * 2 * x

    return tf.reduce_sum(square(x), axis=1)


def _strings(x):
    written = tf.strings.to_number(tf.strings.as_string(tf.stop_gradient(x)))
    return tf.reduce_sum(x**2 + tf.nn.relu(x * 0 - abs(written) - 1), axis=1)


def _table(x):
    keys, values = tf.constant([0, 1]), tf.constant([0.0, 1.0])
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1.0)
    positive = tf.cast(tf.stop_gradient(x) > -1e9, tf.int32)
    return tf.reduce_sum(x**2 * table.lookup(positive), axis=1)


@pytest.mark.usefixtures("by_xla")
@pytest.mark.parametrize("model", [_numpy_square, _strings, _table])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_what_xla_refuses_runs_as_a_plain_graph(model, batch_size):
    x = tf.constant([[1.0, -2.0, 4.0], [3.0, 0.5, 5.0]])
    with pytest.raises(tf.errors.OpError):
        tf.function(model, jit_compile=True)(x)
    explainer = IntegratedGradients(model, steps=11, rule="midpoint", batch_size=batch_size)
    for _ in range(2):
        result = explainer.attribute(x)
        np.testing.assert_allclose(result.values.numpy(), x.numpy() ** 2, rtol=1e-5)
        np.testing.assert_allclose(result.completeness_gap, 0, atol=1e-4)
        np.testing.assert_allclose(result.scores, (x.numpy() ** 2).sum(1), rtol=1e-5)


def test_a_failing_model_leaves_tensorflow_as_it_was(network, images):
    def model(x):
        with tf.control_dependencies([tf.debugging.assert_less(tf.reduce_max(x), 2.0)]):
            return network(x)

    explainer = IntegratedGradients(model, batch_size=4)
    calm, wild = tf.constant(np.tanh(images)), tf.constant(images * 1000)
    with pytest.raises(tf.errors.InvalidArgumentError):
        explainer.explain(wild, 1)
    expected = IntegratedGradients(network, batch_size=4).explain(calm, 1)
    np.testing.assert_allclose(explainer.explain(calm, 1), expected, rtol=1e-5, atol=1e-7)


def test_sparse_gradients_are_made_dense():
    order = tf.constant([2, 0, 2])

    def model(x):
        return tf.reduce_sum(tf.gather(x, order, axis=1) * [1.0, 2.0, 3.0], axis=1)

    def embeds(x):  # the gradient of a gather on the first axis is an IndexedSlices
        rows = tf.gather(x, tf.range(tf.shape(x)[0]))
        return tf.reduce_sum(rows * [2.0, 0.0, 4.0], axis=1)

    x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = tf.reduce_sum(embeds(x))
    assert isinstance(tape.gradient(score, x), tf.IndexedSlices)
    for function in (model, embeds):
        values = polyattr.Saliency(function).explain(x)
        np.testing.assert_array_equal(values.numpy(), [[2, 0, 4], [2, 0, 4]])
        path = IntegratedGradients(function, batch_size=3).explain(x)
        np.testing.assert_allclose(path.numpy(), x.numpy() * [2, 0, 4], rtol=1e-5)


@pytest.mark.parametrize("cut", ["stop_gradient", "integers", "numpy"])
def test_a_path_that_is_cut_is_an_error_and_a_zero_gradient_is_not(network, images, cut):
    models = {
        "stop_gradient": lambda x: network(tf.stop_gradient(x)),
        "integers": lambda x: network(tf.cast(tf.cast(x, tf.int32), tf.float32)),
        "numpy": lambda x: network(
            tf.ensure_shape(tf.numpy_function(lambda z: z, [x], tf.float32), (None, 5, 5, 2))
        ),
    }
    with pytest.raises(ModelOutputError, match="no gradient to attribute"):
        polyattr.Saliency(models[cut]).explain(tf.constant(images), 1)
    dead = polyattr.Saliency(lambda x: tf.nn.relu(-1 - abs(tf.reshape(x, (-1, 50)))))
    np.testing.assert_array_equal(dead.explain(tf.constant(images), 1), np.zeros_like(images))


@pytest.mark.parametrize("container", [tuple, list, dict])
def test_several_inputs_come_back_in_their_containers(images, container):
    def model(image, scale):
        return tf.reduce_sum(tf.reshape(image, (-1, 50)) ** 2 * scale, axis=1)

    x, scale = tf.constant(images), tf.constant([[1.0], [2.0], [-3.0]])
    given = {"image": x, "scale": scale} if container is dict else container([x, scale])
    values = polyattr.Saliency(model).explain(given)
    assert type(values) is container
    image, scale_map = values.values() if container is dict else values
    factor = scale.numpy()[..., None, None]
    np.testing.assert_allclose(image.numpy(), abs(2 * images * factor), rtol=1e-5)
    squares = (images**2).reshape(3, 50).sum(1, keepdims=True)
    np.testing.assert_allclose(scale_map.numpy(), squares, rtol=1e-5)


@pytest.mark.parametrize("model", ["mobilenet", 3, None, tf.Module()])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(UnrecognisedModelError, match="expected a Keras model"):
        polyattr.Saliency(model, backend="tensorflow")


def test_a_function_has_no_layers(network):
    with pytest.raises(polyattr.LayerNotFoundError, match="no layers to name"):
        polyattr.Saliency(network, output_layer="logits")


def test_the_devices_are_listed():
    assert any("CPU" in name for name in TensorFlowBackend().devices())
