"""SavedModels and their signatures: the numbers of the model that was saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import polyattr
from polyattr import GradientInput, IntegratedGradients
from polyattr_tensorflow import TensorFlowBackend

CLOSE = {"float32": 1e-6, "float64": 1e-14}


class Network(tf.Module):
    def __init__(self, dtype):
        super().__init__()
        draw = np.random.default_rng(0).standard_normal
        self.inner = tf.Variable(draw((4, 6)) / 2, dtype=dtype)
        self.outer = tf.Variable(draw((6, 3)), dtype=dtype)
        spec = tf.TensorSpec((None, 4), dtype, name="x")
        self.__call__ = tf.function(self.__call__, input_signature=[spec])

    def __call__(self, x):
        return tf.tanh(x @ self.inner) @ self.outer


def _keras(kind, dtype):
    kind.utils.set_random_seed(0)
    parts = [
        kind.layers.Dense(6, activation="tanh", dtype=dtype),
        kind.layers.BatchNormalization(dtype=dtype, name="norm"),
        kind.layers.Dropout(0.9, dtype=dtype),
        kind.layers.Dense(3, dtype=dtype),
    ]
    model = kind.Sequential([kind.layers.Input((4,), dtype=dtype), *parts])
    norm = model.get_layer("norm")
    norm.moving_mean.assign(np.linspace(-0.2, 0.3, 6))
    norm.moving_variance.assign(np.linspace(0.5, 2.0, 6))
    return model


def _module(path, dtype):
    module = Network(dtype)
    tf.saved_model.save(module, path, signatures=module.__call__)
    return module


def _tf_keras_save(path, dtype):
    model = _keras(tf_keras, dtype)
    model.save(path, save_format="tf")
    return model


def _tf_keras_export(path, dtype):
    model = _keras(tf_keras, dtype)
    model.export(path)
    return model


def _keras_export(path, dtype):
    model = _keras(keras, dtype)
    model.export(path, verbose=False)
    return model


SAVERS = [_module, _tf_keras_save, _tf_keras_export, _keras_export]


@pytest.fixture
def rows():
    return np.random.default_rng(1).standard_normal((5, 4))


@pytest.fixture(params=SAVERS)
def save(request, tmp_path):
    def saved(dtype="float32"):
        model = request.param(str(tmp_path / "saved"), dtype)
        return model, tf.saved_model.load(str(tmp_path / "saved"))

    return saved


def _function(loaded):
    return loaded.__call__ if callable(loaded) else loaded.serve


DOORS = {
    "loaded": lambda loaded: loaded,
    "function": _function,
    "signature": lambda loaded: loaded.signatures["serving_default"],
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("dtype", CLOSE)
def test_a_saved_model_has_the_map_of_the_model_in_memory(save, rows, door, dtype, gradient):
    model, loaded = save(dtype)
    mode = {} if isinstance(model, Network) else {"training": False}
    x = tf.constant(rows, dtype)
    result = GradientInput(DOORS[door](loaded), batch_size=3).attribute(x, 1)
    assert result.backend == "tensorflow"
    assert result.values.dtype == dtype
    expected = x.numpy() * gradient(lambda x: model(x, **mode)[:, 1], x)
    assert abs(result.values - expected).numpy().max() < CLOSE[dtype] * abs(expected).max()
    scores = model(x, **mode)[:, 1].numpy()
    assert abs(result.scores - scores).max() < CLOSE[dtype] * abs(scores).max()
    path = IntegratedGradients(DOORS[door](loaded)).explain(x, 2).numpy()
    whole = IntegratedGradients(model).explain(x, 2).numpy()
    assert abs(path - whole).max() < CLOSE[dtype] * abs(whole).max()


def test_numpy_inputs_take_the_dtype_of_the_signature(save, rows):
    _, loaded = save("float32")
    explainer = GradientInput(loaded)
    exact = explainer.explain(tf.constant(rows, "float32"), 1)
    for dtype in ("float16", "float32", "float64"):
        given = rows.astype("float32").astype(dtype)
        values = explainer.explain(given, 1)
        assert values.dtype == tf.float32
        # Rounded to float16, the inputs themselves are another 2^-11 away.
        close = 2e-2 if dtype == "float16" else 1e-6
        assert abs(values - exact).numpy().max() < close * abs(exact).numpy().max()
    native = explainer.explain(tf.constant(rows), 1)  # float64, and the map too
    assert native.dtype == tf.float64
    np.testing.assert_allclose(native, exact, rtol=1e-5, atol=1e-7)


def test_all_its_parts_are_recognised(save):
    _, loaded = save()
    backend = TensorFlowBackend()
    for door in DOORS.values():
        assert backend.claims(door(loaded))
    assert not backend.claims(loaded.signatures)
    assert not backend.claims(lambda x: x)


@pytest.mark.parametrize("argument", ["output_layer", "input_layer"])
def test_a_saved_model_has_no_layers(save, argument):
    _, loaded = save()
    with pytest.raises(polyattr.LayerNotFoundError, match="a SavedModel has no layers to name"):
        GradientInput(loaded, **{argument: "logits"})
    with pytest.raises(polyattr.LayerNotFoundError, match=r"a signature .* has no layers to name"):
        GradientInput(loaded.signatures["serving_default"], **{argument: "logits"})


def test_weights_assigned_after_loading_are_seen(tmp_path, rows):
    _module(str(tmp_path), "float64")
    loaded = tf.saved_model.load(str(tmp_path))
    explainer = GradientInput(loaded)
    before = explainer.explain(rows, 1).numpy()
    loaded.outer.assign(-2 * loaded.outer)
    np.testing.assert_allclose(explainer.explain(rows, 1), -2 * before, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("batch_size", ["auto", None, 3])
def test_a_fixed_number_of_rows_is_filled_up(tmp_path, rows, size, saved, batch_size):
    module = Network("float64")
    plain = IntegratedGradients(lambda x: module(x) ** 2, steps=7)
    spec = tf.TensorSpec((size, 4), "float64", name="x")
    model = module.fixed = tf.function(lambda x: module(x) ** 2, input_signature=[spec])
    if saved:
        tf.saved_model.save(module, str(tmp_path))
        loaded = tf.saved_model.load(str(tmp_path))  # owns the variables
        model = loaded.fixed
    result = IntegratedGradients(model, steps=7, batch_size=batch_size).attribute(rows, 1)
    whole = plain.attribute(rows, 1)
    np.testing.assert_allclose(result.values, whole.values, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(result.scores, whole.scores, rtol=1e-12)


@pytest.mark.usefixtures("by_xla")
def test_what_xla_refuses_runs_as_a_plain_graph(tmp_path, rows):
    @tf.function(input_signature=[tf.TensorSpec((None, 4))])
    def model(x):
        written = tf.strings.to_number(tf.strings.as_string(tf.stop_gradient(x)))
        return tf.reduce_sum(x**2 + 0 * abs(written), axis=1)

    module = tf.Module()
    module.model = model
    tf.saved_model.save(module, str(tmp_path), signatures=model)
    with pytest.raises(tf.errors.OpError):
        tf.function(model, jit_compile=True)(tf.constant(rows, "float32"))
    loaded = tf.saved_model.load(str(tmp_path))
    result = IntegratedGradients(loaded).attribute(rows)
    np.testing.assert_allclose(result.values, rows**2, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result.scores, (rows**2).sum(1), rtol=1e-5)


def test_a_saved_model_of_tensorflow_1(tmp_path, rows):
    v1 = tf.compat.v1
    kernel = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (None, 4))
        weights = v1.get_variable("w", initializer=kernel)
        session.run(v1.global_variables_initializer())
        inputs, outputs = {"x": x}, {"y": tf.matmul(x, weights)}
        v1.saved_model.simple_save(session, str(tmp_path / "saved"), inputs, outputs)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    values = IntegratedGradients(loaded).explain(rows, 1)
    np.testing.assert_allclose(values, rows * kernel[:, 1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("endpoint", ["serve", "serving_default"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_saved_model_as_a_keras_layer(tmp_path, rows, endpoint, inside, gradient):
    model = _keras_export(str(tmp_path), "float32")
    layer = keras.layers.TFSMLayer(str(tmp_path), call_endpoint=endpoint)
    outputs = layer(rows[:1].astype("float32"))
    names = list(outputs) if isinstance(outputs, dict) else [None]
    x = rows.astype("float32")
    if not inside:
        expected = x * gradient(lambda x: model(x, training=False)[:, 1], x)
        values = GradientInput(layer, output=names[0]).explain(x, 1).numpy()
        assert abs(values - expected).max() < 1e-6 * abs(expected).max()
        return
    inputs = keras.Input((4,))
    outputs = layer(inputs)
    logits = outputs if names[0] is None else outputs[names[0]]
    whole = keras.Model(inputs, keras.layers.Activation("tanh", name="squash")(logits))
    expected = x * gradient(lambda x: tf.tanh(model(x, training=False))[:, 1], x)
    values = GradientInput(whole).explain(x, 1).numpy()
    assert abs(values - expected).max() < 1e-6 * abs(expected).max()
    at_layer = GradientInput(whole, input_layer=layer.name).explain(x, 1)
    at_layer = at_layer if names[0] is None else at_layer[names[0]]
    logits = model(x, training=False).numpy()
    slope = np.where(np.arange(3) == 1, 1 - np.tanh(logits) ** 2, 0)
    np.testing.assert_allclose(at_layer, logits * slope, rtol=1e-4, atol=1e-6)


def test_a_saved_model_as_a_layer_alone_has_no_layers(tmp_path):
    _keras_export(str(tmp_path), "float32")
    layer = keras.layers.TFSMLayer(str(tmp_path), call_endpoint="serve")
    with pytest.raises(polyattr.LayerNotFoundError, match="a TFSMLayer has no layers inside"):
        GradientInput(layer, input_layer="dense")
