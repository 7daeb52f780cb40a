"""Token ids, masks and what else a Keras model takes beside floating inputs."""

import keras
import numpy as np
import pytest
from keras import layers

import polyattr
from polyattr import GradientInput, InputTypeError, IntegratedGradients

IDS = np.array([[1, 2, 0, 0], [3, 1, 4, 2], [2, 0, 0, 0]])


def _parts():
    return (
        layers.Embedding(5, 3, mask_zero=True, name="embed"),
        layers.GlobalAveragePooling1D(name="pool"),
        layers.Dense(2, name="head"),
    )


def _functional():
    embed, pool, head = _parts()
    ids = keras.Input((4,), dtype="int32", name="ids")
    return keras.Model(ids, head(pool(embed(ids))))


def _sequential():
    return keras.Sequential([keras.Input((4,), dtype="int32"), *_parts()])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed, self.pool, self.head = _parts()

    def call(self, ids):
        return self.head(self.pool(self.embed(ids)))


@pytest.fixture(params=[_functional, _sequential, Subclassed])
def reader(request, native):
    keras.utils.set_random_seed(0)
    model = request.param()
    model(native(IDS.astype("int32")))
    model.get_layer("head").bias.assign([0.2, -0.1])
    return model


def _weights(model):
    convert = keras.ops.convert_to_numpy
    head = model.get_layer("head")
    return convert(model.get_layer("embed").embeddings), convert(head.kernel), convert(head.bias)


def _shares(model, ids, target):
    """Each embedded token's part of the score: the padding, 0, has none."""
    table, kernel, _ = _weights(model)
    present = (ids != 0) / (ids != 0).sum(1, keepdims=True)
    return table[ids] * present[..., None] * kernel[:, target]


def _values(result):
    return result.to_numpy().values


@pytest.mark.parametrize("kind", ["int32", "int64", "native"])
def test_token_ids_are_explained_at_their_embedding(reader, kind, native):
    ids = native(IDS.astype("int32")) if kind == "native" else IDS.astype(kind)
    expected = _shares(reader, IDS, 1)
    for method in (GradientInput, IntegratedGradients):
        result = method(reader, input_layer="embed", batch_size=5).attribute(ids, 1)
        np.testing.assert_allclose(_values(result), expected, rtol=1e-4, atol=1e-7)
        bias = _weights(reader)[2][1]
        np.testing.assert_allclose(result.scores, expected.sum((1, 2)) + bias, rtol=1e-5, atol=1e-6)
    assert abs(result.completeness_gap).max() < 1e-6


def test_the_mask_reaches_what_follows_a_layer_that_is_explained(reader):
    at_pool = GradientInput(reader, input_layer="pool", attribute_to_layer_input=True)
    values = _values(at_pool.attribute(IDS, 0))
    np.testing.assert_allclose(values, _shares(reader, IDS, 0), rtol=1e-4, atol=1e-7)
    assert not values[IDS == 0].any()
    # The rows of the next call are masked by their own ids, not by those seen before.
    explainer = GradientInput(reader, input_layer="embed")
    for ids in (IDS, IDS[:, ::-1].copy(), IDS):
        values = _values(explainer.attribute(ids, 0))
        np.testing.assert_allclose(values, _shares(reader, ids, 0), rtol=1e-4, atol=1e-7)


def test_a_baseline_of_ids_goes_through_the_embedding(reader):
    padding = np.full((4,), 4)
    result = IntegratedGradients(reader, input_layer="embed").attribute(IDS, 1, baselines=padding)
    table, kernel, _ = _weights(reader)
    present = (IDS != 0) / (IDS != 0).sum(1, keepdims=True)
    expected = (table[IDS] - table[4]) * present[..., None] * kernel[:, 1]
    np.testing.assert_allclose(_values(result), expected, rtol=1e-4, atol=1e-7)


def test_integers_alone_have_no_gradient(reader):
    with pytest.raises(InputTypeError, match="name their embedding with input_layer"):
        GradientInput(reader).explain(IDS, 1)


class Scaled(keras.Model):
    """Integers and floats by name: what each token weighs times the scale of its place."""

    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(5, 1, name="embed")

    def call(self, inputs):
        weight = self.embed(inputs["ids"])[..., 0]
        return keras.ops.sum(weight * inputs["scale"], axis=1)


def _scaled_graph():
    ids, scale = keras.Input((4,), dtype="int32", name="ids"), keras.Input((4,), name="scale")
    weight = layers.Embedding(5, 1, name="embed")(ids)
    score = keras.ops.sum(weight[..., 0] * scale, axis=1)
    return keras.Model({"ids": ids, "scale": scale}, {"score": score, "weight": weight})


@pytest.mark.parametrize("kind", ["subclassed", "functional"])
def test_integer_leaves_come_along(kind, native):
    keras.utils.set_random_seed(0)
    model, output = (Scaled(), None) if kind == "subclassed" else (_scaled_graph(), "score")
    scale = np.random.default_rng(4).standard_normal((3, 4)).astype("float32")
    given = {"ids": IDS.astype("int32"), "scale": scale}
    model({name: native(array) for name, array in given.items()})
    weight = keras.ops.convert_to_numpy(model.get_layer("embed").embeddings)[IDS][..., 0]
    result = IntegratedGradients(model, output=output, batch_size=5).attribute(given)
    values = _values(result)
    assert values["ids"] is None
    np.testing.assert_allclose(values["scale"], scale * weight, rtol=1e-4, atol=1e-7)
    both = GradientInput(model, output=output, input_layer="embed").attribute(given)
    np.testing.assert_allclose(
        _values(both)[..., 0], scale * weight, rtol=1e-4, atol=1e-7
    )  # at the embedding, what is left of the model is as linear


class Masked(keras.Model):
    """Takes a mask by name, and two inputs one by one."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, a, b, mask=None, power=1):
        product = a * b
        return keras.ops.sum(product if mask is None else product * mask, axis=1) ** power


def test_a_mask_and_other_arguments_by_name(native):
    rng = np.random.default_rng(5)
    a, b = (rng.standard_normal((3, 4)).astype("float32") for _ in range(2))
    mask = (IDS != 0).astype("float32")
    model = Masked()
    model(native(a), native(b))  # builds it
    explainer = GradientInput(model)
    for given in ((a, b), {"a": a, "b": b}):
        found = _values(explainer.attribute(given, forward_kwargs={"mask": mask, "power": 2}))
        score = (a * b * mask).sum(1, keepdims=True)
        for part in found.values() if isinstance(found, dict) else found:
            np.testing.assert_allclose(part, 2 * score * a * b * mask, rtol=1e-4, atol=1e-6)
    shared = native(np.array([1.0, 0.0, 2.0, 0.0], "float32"))
    found = _values(explainer.attribute((a, b), forward_kwargs={"mask": shared}))
    np.testing.assert_allclose(found[0], a * b * [1, 0, 2, 0], rtol=1e-5, atol=1e-7)


def _pooling_graph():
    inputs = keras.Input((4, 3))
    return keras.Model(inputs, layers.GlobalAveragePooling1D()(inputs))


# Keras warns that the mask of a graph's inputs is not that of its outputs.
@pytest.mark.filterwarnings("ignore:Layer 'functional.*does not support masking:UserWarning")
@pytest.mark.parametrize("build", [layers.GlobalAveragePooling1D, _pooling_graph])
def test_a_mask_reaches_what_supports_it(build, native):
    model = build()
    model(native(np.zeros((3, 4, 3), "float32")))
    x = np.random.default_rng(6).standard_normal((3, 4, 3)).astype("float32")
    mask = IDS != 0
    result = GradientInput(model).attribute(x, 2, forward_kwargs={"mask": mask})
    expected = np.zeros_like(x)
    expected[..., 2] = x[..., 2] * mask / mask.sum(1, keepdims=True)
    np.testing.assert_allclose(_values(result), expected, rtol=1e-5, atol=1e-7)
    plain = GradientInput(model).attribute(x, 2)
    np.testing.assert_allclose(_values(plain)[..., 2], x[..., 2] / 4, rtol=1e-5, atol=1e-7)


def test_a_list_of_outputs_is_chosen_from(native):
    x = np.random.default_rng(7).standard_normal((3, 4)).astype("float32")
    inputs = keras.Input((4,))
    heads = [layers.Dense(2, name="near"), layers.Dense(3, name="far")]
    model = keras.Model(inputs, [head(inputs) for head in heads])
    kernel = keras.ops.convert_to_numpy(heads[1].kernel)
    for output in (1, -1, lambda outputs: outputs[1]):
        values = _values(polyattr.GradientInput(model, output=output).attribute(x, 2))
        np.testing.assert_allclose(values, x * kernel[:, 2], rtol=1e-5, atol=1e-7)
