"""Run in an interpreter of its own: XLA ends the process when it is handed text."""

import keras
import numpy as np
import tensorflow as tf

import polyattr
from polyattr_tensorflow import kernel

TEXTS = ["the cat sat", "dogs run fast", "the dog", "cat"]
WORDS, SIZE, LONG = 20, 3, 4


def vectorization():
    layer = keras.layers.TextVectorization(max_tokens=WORDS, output_sequence_length=LONG)
    layer.adapt(TEXTS)
    return layer


def embedding():
    return keras.layers.Embedding(WORDS, SIZE, name="emb")


def classifier(text, hidden):
    logits = keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(hidden))
    return keras.Model(text, logits)


def reader():
    text = keras.Input((1,), dtype="string")
    return classifier(text, embedding()(vectorization()(text)))


def column(*texts):
    return tf.constant([[text] for text in texts])


def check(model, text, ids, found):
    """The score is linear in what the embedding returns."""
    words = model.get_layer("emb").embeddings.numpy()[ids]
    weight = model.get_layer("logits").kernel.numpy()[:, 1].reshape(ids.shape[1], SIZE)
    np.testing.assert_allclose(found, words * weight, rtol=1e-4, atol=1e-6)


def text_through_an_embedding():
    model = reader()
    ids = model.layers[1](column(*TEXTS)).numpy()
    path = polyattr.IntegratedGradients(model, input_layer="emb", steps=5)
    for method in (polyattr.GradientInput(model, input_layer="emb"), path):
        check(model, TEXTS, ids, method.explain(column(*TEXTS), 1))
    empty = column(*[""] * len(TEXTS))
    result = path.attribute(column(*TEXTS), 1, baselines=empty)
    weight = model.get_layer("logits").kernel.numpy()[:, 1].reshape(LONG, SIZE)
    words = model.get_layer("emb").embeddings.numpy()
    np.testing.assert_allclose(result.values, (words[ids] - words[0]) * weight, atol=1e-6)


def text_beside_numbers():
    text, numbers = (
        keras.Input((1,), dtype="string", name="text"),
        keras.Input((5,), name="numbers"),
    )
    hidden = keras.layers.Flatten()(embedding()(vectorization()(text)))
    both = keras.layers.Concatenate()([hidden, numbers])
    model = keras.Model({"text": text, "numbers": numbers}, keras.layers.Dense(2)(both))
    x = np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32)
    found = polyattr.GradientInput(model).explain({"text": column(*TEXTS), "numbers": x}, 1)
    assert found["text"] is None
    weight = model.layers[-1].kernel.numpy()[LONG * SIZE :, 1]
    np.testing.assert_allclose(found["numbers"], x * weight, rtol=1e-4, atol=1e-6)


def words_by_lookup_and_by_hash():
    for layer in (
        keras.layers.StringLookup(vocabulary=["a", "b"]),
        keras.layers.Hashing(WORDS),
        keras.layers.IntegerLookup(vocabulary=[5, 6]),
    ):
        kind = "int64" if isinstance(layer, keras.layers.IntegerLookup) else "string"
        words = tf.constant([["a", "b"], ["b", "c"]] if kind == "string" else [[5, 6], [6, 7]])
        given = keras.Input((2,), dtype=kind)
        model = classifier(given, embedding()(layer(given)))
        found = polyattr.GradientInput(model, input_layer="emb").explain(words, 1)
        check(model, words, np.asarray(layer(words)), found)


def text_and_tables_in_functions():
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(["a"]), tf.constant([3.0])), 0.0
    )
    numbers = tf.data.Dataset.from_tensor_slices([1.0, 2.0])
    x = np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32)
    kept = tf.Variable(["3"])

    def called(x):
        return tf.ensure_shape(tf.py_function(lambda t: 3 * t, [x], tf.float32), x.shape)

    models = {
        "argument": lambda x, w: tf.reduce_sum(x * tf.strings.to_number(w)[:, None], axis=1),
        "lower": lambda x, w: tf.reduce_sum(x, axis=1) * tf.strings.to_number(tf.strings.lower(w)),
        "table": lambda x, w: tf.reduce_sum(x, axis=1) * table.lookup(tf.constant("a")),
        "variable": lambda x, w: tf.reduce_sum(x, axis=1) * tf.strings.to_number(kept)[0],
        "dataset": lambda x, w: tf.reduce_sum(x, axis=1) * numbers.reduce(0.0, lambda a, b: a + b),
        "Python": lambda x, w: tf.reduce_sum(called(x), axis=1),
        "ragged": lambda x, w: 3 * tf.reduce_sum(tf.RaggedTensor.from_tensor(x), axis=1),
    }
    three = tf.constant(["3"] * 4)
    for kind, model in models.items():
        found = polyattr.GradientInput(model, backend="tensorflow").explain(
            x, forward_args=(three,)
        )
        np.testing.assert_allclose(found, 3 * x, rtol=1e-5, err_msg=kind)


if __name__ == "__main__":
    kernel._Race = lambda: None  # by XLA from the first call, where it can
    text_through_an_embedding()
    text_beside_numbers()
    words_by_lookup_and_by_hash()
    text_and_tables_in_functions()
    print("done")  # noqa: T201
