"""What is special to layers on TensorFlow: tf_keras, and methods that are graphs of their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import polyattr
from polyattr import GradientInput, InputError, InputTypeError, IntegratedGradients

IDS = np.array([[1, 2, 0, 0], [3, 1, 4, 2], [2, 0, 0, 0]])


def _reader(dtype="float32"):
    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    ids = tf_keras.Input((4,), dtype="int32", name="ids")
    x = layers.Embedding(5, 3, mask_zero=True, name="embed", dtype=dtype)(ids)
    x = layers.GlobalAveragePooling1D(name="pool", dtype=dtype)(x)
    return tf_keras.Model(ids, layers.Dense(2, name="head", dtype=dtype)(x))


def _shares(model, target):
    table = model.get_layer("embed").embeddings.numpy()
    kernel = model.get_layer("head").kernel.numpy()
    present = (IDS != 0) / (IDS != 0).sum(1, keepdims=True)
    return table[IDS] * present[..., None] * kernel[:, target]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("selector", ["name", "object"])
def test_token_ids_are_explained_at_their_embedding(dtype, selector):
    model = _reader(dtype)
    layer = "embed" if selector == "name" else model.get_layer("embed")
    with tf.GradientTape() as tape:  # nothing to differentiate, and TensorFlow does not say so
        ids = tf.constant(IDS)
        tape.watch(tf.cast(ids, tf.float32))
        score = tf.reduce_sum(model(ids)[:, 1])
    assert tape.gradient(score, ids) is None
    expected = _shares(model, 1)
    close = 1e-14 if dtype == "float64" else 1e-6
    for given in (IDS, ids, IDS.astype("int32")):
        values = IntegratedGradients(model, input_layer=layer).explain(given, 1)
        assert values.dtype == dtype
        assert abs(values - expected).numpy().max() < close * abs(expected).max()
    with pytest.raises(InputTypeError, match="name their embedding with input_layer"):
        GradientInput(model).explain(IDS, 1)


def test_two_layers_and_what_a_layer_takes():
    model = _reader()
    at_pool = GradientInput(model, input_layer="pool", attribute_to_layer_input=True)
    np.testing.assert_allclose(at_pool.explain(IDS, 0), _shares(model, 0), rtol=1e-5, atol=1e-8)
    at_head = GradientInput(model, input_layer=["head"]).explain(IDS, 0)
    assert list(at_head) == ["head"]
    outputs = model(IDS).numpy()
    np.testing.assert_allclose(at_head["head"], outputs * [1, 0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_of_tf_keras_is_right_to_its_rounding(policy):
    before = tf_keras.mixed_precision.global_policy().name
    tf_keras.utils.set_random_seed(0)
    dense = tf_keras.layers.Dense(3, dtype=policy, name="dense")
    model = tf_keras.Sequential([tf_keras.layers.Input((6,)), dense])
    x = np.random.default_rng(0).standard_normal((5, 6)).astype("float32")
    values = GradientInput(model).explain(x, 1)
    assert values.dtype == tf.float32
    expected = x * dense.kernel.numpy()[:, 1]
    # The kernel itself is rounded to 11 or 8 bits.
    close = {"mixed_float16": 2.0**-11, "mixed_bfloat16": 2.0**-8}[policy]
    assert abs(values - expected).numpy().max() <= close * abs(expected).max()
    assert tf_keras.mixed_precision.global_policy().name == before


def _decorated(kind):
    class Decorated(kind.Model):
        """Its call is a graph, and so is a helper of it."""

        def __init__(self):
            super().__init__()
            self.inner = kind.layers.Dense(4, activation="tanh", name="inner")
            self.outer = kind.layers.Dense(2, name="outer")

        @tf.function
        def hidden(self, x):
            return self.inner(x)

        @tf.function
        def call(self, x):
            return self.outer(self.hidden(x))

    return Decorated()


@pytest.mark.parametrize("kind", [keras, tf_keras])
@pytest.mark.parametrize("traced", [False, True])
def test_a_layer_inside_a_method_that_is_a_graph(kind, traced):
    kind.utils.set_random_seed(0)
    model = _decorated(kind)
    x = np.random.default_rng(1).standard_normal((3, 5)).astype("float32")
    model.inner(x)
    model.outer(np.zeros((1, 4), "float32"))
    if traced:
        model(x)
        model(x[:2])
    hidden = np.tanh(x @ model.inner.kernel.numpy())
    weight = model.outer.kernel.numpy()[:, 1]
    for _ in range(2):
        values = GradientInput(model, input_layer="inner").explain(x, 1)
        np.testing.assert_allclose(values, hidden * weight, rtol=1e-5, atol=1e-6)
        result = GradientInput(model, output_layer="inner").attribute(x, 2)
        np.testing.assert_allclose(result.scores, hidden[:, 2], rtol=1e-5, atol=1e-6)
    # The model's own graphs know nothing of it.
    np.testing.assert_allclose(model(x)[:, 1], hidden @ weight, rtol=1e-5, atol=1e-6)
    assert not {"call", "hidden"} & set(vars(model))


@pytest.mark.parametrize("kind", [keras, tf_keras])
def test_what_a_call_says_about_the_mode_is_refused(kind):
    model = kind.Sequential([kind.layers.Input((4,)), kind.layers.Dense(2)])
    with pytest.raises(InputError, match=r"training=True.* explained in inference mode"):
        GradientInput(model).explain(np.ones((2, 4)), 1, forward_kwargs={"training": True})


class Scaled(tf_keras.Model):
    """Two inputs, a mask by name, and outputs in a dict."""

    def call(self, a, b, mask=None):
        product = a * b if mask is None else a * b * mask
        return {"score": tf.reduce_sum(product, axis=1), "product": product}


def test_a_mask_by_name_and_outputs_in_a_dict():
    rng = np.random.default_rng(2)
    a, b = (rng.standard_normal((3, 4)).astype("float32") for _ in range(2))
    mask = (IDS != 0).astype("float32")
    explainer = GradientInput(Scaled(), output="score")
    for given in ((a, b), {"a": a, "b": b}):
        found = explainer.explain(given, forward_kwargs={"mask": mask})
        for part in found.values() if isinstance(found, dict) else found:
            np.testing.assert_allclose(part, a * b * mask, rtol=1e-5, atol=1e-7)


class Weighted(tf.Module):
    def __init__(self):
        super().__init__()
        self.weights = tf.Variable(tf.linspace(-1.0, 1.0, 4))

    def __call__(self, x, mask=None, power=1):
        terms = x * self.weights if mask is None else x * self.weights * mask
        return tf.reduce_sum(terms, axis=1) ** power


@pytest.mark.parametrize(
    "wrap", [lambda m: m, lambda m: m.__call__, lambda m: tf.function(m.__call__)]
)
def test_modules_and_functions_take_further_arguments(wrap):
    x = np.random.default_rng(3).standard_normal((3, 4)).astype("float32")
    mask = (IDS != 0).astype("float32")
    explainer = GradientInput(wrap(Weighted()))
    terms = x * np.linspace(-1, 1, 4) * mask
    expected = 2 * terms * terms.sum(1, keepdims=True)
    for how in ({"forward_args": (mask, 2)}, {"forward_kwargs": {"mask": mask, "power": 2}}):
        np.testing.assert_allclose(explainer.explain(x, **how), expected, rtol=1e-4, atol=1e-6)


def test_numpy_inputs_follow_the_variables_of_a_function():
    weights = tf.Variable(np.linspace(-1, 1, 8).reshape(4, 2))
    values = polyattr.GradientInput(lambda x: x @ weights, backend="tensorflow").explain(
        np.ones((3, 4), "float32"), 1
    )
    assert values.dtype == tf.float64
    np.testing.assert_array_equal(values, np.broadcast_to(weights.numpy()[:, 1], (3, 4)))
