"""What SavedModels and signatures take: names, containers, dtypes, rows; and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import polyattr
from polyattr import GradientInput


@pytest.fixture
def rows():
    return np.random.default_rng(1).standard_normal((5, 4))


class Product(tf.Module):
    """Several inputs, several outputs."""

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name=name) for name in "ab"])
    def __call__(self, a, b):
        return {"product": tf.reduce_sum(a * b, axis=1), "sum": tf.reduce_sum(a + b, axis=1)}


def _keras_product(kind, container):
    a, b = kind.Input((4,), name="a"), kind.Input((4,), name="b")
    score = kind.layers.Dot(axes=1)([a, b])
    return kind.Model({"a": a, "b": b} if container == "dict" else [a, b], {"product": score})


@pytest.fixture(params=["module", "keras list", "keras dict", "tf_keras list", "tf_keras dict"])
def product(request, tmp_path):
    kind, _, container = request.param.partition(" ")
    if kind == "module":
        tf.saved_model.save(Product(), str(tmp_path))
    elif kind == "keras":
        _keras_product(keras, container).export(str(tmp_path), verbose=False)
    else:
        _keras_product(tf_keras, container).save(str(tmp_path), save_format="tf")
    return container or "tuple", tf.saved_model.load(str(tmp_path))


def _given(container, rows):
    a, b = rows, np.cos(rows)
    return {"a": a, "b": b} if container == "dict" else {"tuple": (a, b), "list": [a, b]}[container]


def test_several_inputs_in_the_containers_it_was_saved_with(product, rows):
    container, loaded = product
    for kind in {container, "tuple" if container == "list" else container}:
        given = _given(kind, rows)
        values = GradientInput(loaded, output="product").explain(given)
        assert type(values) is type(given)
        for part in values.values() if kind == "dict" else values:
            np.testing.assert_allclose(part, rows * np.cos(rows), rtol=1e-5, atol=1e-6)


def test_a_signature_takes_its_inputs_by_name(product, rows):
    signature = product[1].signatures["serving_default"]
    several = len(signature.structured_outputs) > 1
    explainer = GradientInput(signature, output="product" if several else None)
    values = explainer.explain(_given("dict", rows))
    assert list(values) == ["a", "b"]
    for part in values.values():
        np.testing.assert_allclose(part, rows * np.cos(rows), rtol=1e-5, atol=1e-6)
    beside = explainer.explain(rows, forward_kwargs={"b": np.cos(rows)})
    np.testing.assert_allclose(beside, values["a"], rtol=1e-6)
    with pytest.raises(polyattr.InputError, match=r"takes a: float32 \(N, 4\), b: .* a dict with"):
        explainer.explain(_given("tuple", rows))


def test_other_containers_and_shapes_are_refused(product, rows):
    container, loaded = product
    explainer = GradientInput(loaded, output="product")
    wrong = {"a": rows, "c": rows}
    with pytest.raises(polyattr.InputError, match=r"the SavedModel takes .*float32 \(N, 4\)"):
        explainer.explain(wrong)
    narrow = _given(container, rows[:, :3])
    with pytest.raises(polyattr.InputError, match=r"\(N, 4\).*; given was .*float32 \(N, 3\)"):
        explainer.explain(narrow)


@pytest.mark.parametrize("wanted", ["int32", "int64"])
@pytest.mark.parametrize("given", ["int32", "int64", "uint8"])
def test_integers_take_the_dtype_of_the_signature(tmp_path, wanted, given):
    table = tf.Variable(np.random.default_rng(2).standard_normal(5).astype("float32"))
    specs = [tf.TensorSpec((None, 4), wanted), tf.TensorSpec((None, 4))]
    module = tf.Module()
    module.table = table
    module.score = tf.function(
        lambda ids, scale: tf.reduce_sum(tf.gather(table, ids) * scale, axis=1),
        input_signature=specs,
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))  # owns the variables
    score = loaded.score
    ids, scale = np.arange(8).reshape(2, 4) % 5, np.linspace(-1, 1, 8).reshape(2, 4)
    values = GradientInput(score).explain((ids.astype(given), scale))
    assert values[0] is None
    np.testing.assert_allclose(values[1], scale * table.numpy()[ids], rtol=1e-5)
    with pytest.raises(polyattr.InputError, match=f"ids: {wanted}.*; given was ids: float32"):
        GradientInput(score).explain((scale, scale))


class Inner(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def __call__(self, x):
        return tf.sin(x)


class Parts(tf.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def encode(self, x):
        return tf.tanh(x)

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def square(self, x):
        return {"squares": x**2}


def test_a_part_of_a_saved_model_is_a_model(tmp_path, rows):
    parts = Parts()
    tf.saved_model.save(parts, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    values = GradientInput(loaded.inner).explain(rows, 2).numpy()
    np.testing.assert_allclose(values[:, 2], rows[:, 2] * np.cos(rows[:, 2]), rtol=1e-4, atol=1e-6)
    slope = 1 - np.tanh(rows[:, 2]) ** 2
    values = GradientInput(loaded.encode).explain(rows, 2).numpy()
    np.testing.assert_allclose(values[:, 2], rows[:, 2] * slope, rtol=1e-4, atol=1e-6)
    with pytest.raises(polyattr.UnrecognisedModelError, match=r"functions .*loaded\.encode"):
        GradientInput(loaded)


def test_which_signature_is_asked_for(tmp_path, rows):
    parts = Parts()
    one, both = {"only": parts.square}, {"encode": parts.encode, "square": parts.square}
    tf.saved_model.save(parts, str(tmp_path / "one"), signatures=one)
    tf.saved_model.save(parts, str(tmp_path / "both"), signatures=both)
    only = tf.saved_model.load(str(tmp_path / "one"))
    expected = np.where(np.arange(4) == 1, 2 * rows**2, 0)
    np.testing.assert_allclose(GradientInput(only).explain(rows, 1), expected, rtol=1e-5, atol=1e-6)
    several = tf.saved_model.load(str(tmp_path / "both"))
    with pytest.raises(polyattr.UnrecognisedModelError, match=r"signatures 'encode', 'square' and"):
        GradientInput(several)
    values = GradientInput(several.signatures["square"]).explain(rows, 1)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


class Untraced(tf.Module):
    @tf.function
    def __call__(self, x):
        return x


@pytest.mark.parametrize("module", [tf.Module, Untraced])
def test_a_saved_model_with_nothing_to_call(tmp_path, module):
    tf.saved_model.save(module(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    with pytest.raises(polyattr.UnrecognisedModelError, match="no signature and nothing to call"):
        GradientInput(loaded)
