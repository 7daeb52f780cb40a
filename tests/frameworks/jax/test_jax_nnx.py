"""Flax nnx modules: inference mode on a copy, submodules, parameters as arguments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from labs import METHODS, on_images

import polyattr
from polyattr import IntegratedGradients, LayerNotFoundError, TrainingModeWarning


class Block(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(2, 3, (3, 3), padding="VALID", rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        return self.drop(jax.nn.relu(self.norm(self.conv(x))))


class Classifier(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.blocks = nnx.List([Block(rngs)])
        self.logits = nnx.Linear(27, 4, rngs=rngs)
        self.unused = nnx.Linear(4, 4, rngs=rngs)
        self.calls = 0

    def features(self, x):
        for block in self.blocks:
            x = block(x)
        return x.reshape(len(x), -1)

    def __call__(self, x):
        CALLS.append(None)
        return jax.nn.softmax(self.logits(self.features(x)))


CALLS = []


@pytest.fixture
def classifier():
    model = Classifier()
    model.blocks[0].norm.mean[...] = jnp.array([0.3, -0.2, 0.1])
    model.blocks[0].norm.var[...] = jnp.array([0.5, 2.0, 1.5])
    model.eval()
    return model


def _flags(model):
    modules = [module for _, module in nnx.iter_modules(model)]
    names = ("deterministic", "use_running_average")
    return [(type(m), [getattr(m, name, None) for name in names]) for m in modules]


def _contents(model):
    def plain(value):
        key = jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(value) if key else value)

    return [plain(value) for value in jax.tree.leaves(nnx.state(model))]


class Untouched:
    def __init__(self, model):
        self.model = model

    def _look(self):
        return _flags(self.model), [type(self.model), type(self.model.logits)]

    def __enter__(self):
        self.before, self.contents = self._look(), _contents(self.model)

    def __exit__(self, *_):
        assert self._look() == self.before
        for old, new in zip(self.contents, _contents(self.model), strict=True):
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_in_training_is_explained_in_inference_mode(classifier, images, method):
    method = on_images(method, axes=(1, 2))
    reference = method(classifier, batch_size=7).explain(images, 2)
    classifier.train()
    with Untouched(classifier), pytest.warns(TrainingModeWarning, match="BatchNorm"):
        values = method(classifier, batch_size=7).explain(images, 2)
    np.testing.assert_array_equal(values, reference)
    assert abs(values).sum() > 0
    assert classifier.blocks[0].drop.deterministic is False
    assert classifier.blocks[0].norm.use_running_average is False


@pytest.mark.parametrize("call", ["explain", "attribute", "__call__"])
def test_the_warning_points_at_the_callers_line(classifier, images, call):
    classifier.train()
    with pytest.warns(TrainingModeWarning) as caught:
        getattr(polyattr.Saliency(classifier), call)(images, 2)
    told = [warning for warning in caught if warning.category is TrainingModeWarning]
    assert [warning.filename for warning in told] == [__file__]


def test_mixed_flags_stay_and_warn(classifier, images):
    reference = polyattr.Saliency(classifier).explain(images, 2)
    classifier.blocks[0].drop.train()
    with Untouched(classifier), pytest.warns(TrainingModeWarning):
        values = polyattr.Saliency(classifier).explain(images, 2)
    np.testing.assert_array_equal(values, reference)


def test_switching_modes_between_calls(classifier, images):
    explainer = polyattr.Saliency(classifier)
    reference = explainer.explain(images, 2)
    classifier.train()
    with pytest.warns(TrainingModeWarning):
        np.testing.assert_array_equal(explainer.explain(images, 2), reference)
    classifier.eval()
    np.testing.assert_array_equal(explainer.explain(images, 2), reference)  # and no warning


def test_the_map_is_the_gradient(classifier, images, path_integral):
    result = IntegratedGradients(classifier, steps=9, batch_size=5).attribute(images, 2)
    expected = path_integral(lambda x: classifier(x)[:, 2], images, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, classifier(images)[:, 2], rtol=1e-5)


# Nine points are enough to tell the two maps apart, and too few for one of the samples.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
@pytest.mark.parametrize("selector", ["index", "negative", "name", "object"])
def test_the_logits_layer_explains_the_model_cut_there(classifier, images, path_integral, selector):
    layer = {
        "index": 1,
        "negative": -2,
        "name": "logits",
        "object": classifier.logits,
    }[selector]
    with Untouched(classifier):
        explainer = IntegratedGradients(classifier, output_layer=layer, steps=9)
        result = explainer.attribute(images, 2)

    def cut(x):
        return classifier.logits(classifier.features(x))

    expected = path_integral(lambda x: cut(x)[:, 2], images, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, cut(images)[:, 2], rtol=1e-4, atol=1e-6)
    whole = IntegratedGradients(classifier, steps=9).explain(images, 2)
    assert abs(result.values - whole).max() > 0.01


@pytest.mark.parametrize("selector", ["name", "object"])
def test_a_layer_inside_a_list_of_blocks(classifier, images, gradient, selector):
    conv = classifier.blocks[0].conv
    layer = "blocks.0.conv" if selector == "name" else conv
    result = polyattr.Saliency(classifier, output_layer=layer).attribute(images, (1, 0, 2))
    expected = abs(gradient(lambda x: conv(x)[:, 1, 0, 2], images))
    np.testing.assert_allclose(result.values, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("layer", [0, "layers.0", 1, "layers.1"])
def test_a_layer_of_a_sequential(images, gradient, layer):
    first = nnx.Linear(50, 6, rngs=nnx.Rngs(0))
    second = nnx.Linear(6, 4, rngs=nnx.Rngs(1))
    model = nnx.Sequential(first, second, jax.nn.softmax)
    flat = images.reshape(3, 50)
    values = polyattr.Saliency(model, output_layer=layer).explain(flat, 3)
    kernel = first.kernel[...]
    if layer in {1, "layers.1"}:
        kernel = kernel @ second.kernel[...]
    expected = np.broadcast_to(abs(kernel[:, 3]), (3, 50))
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_updated_parameters_are_seen_without_tracing_again(classifier, images, gradient):
    explainer = polyattr.GradientInput(classifier)
    explainer.explain(images, 2)
    before = len(CALLS)
    classifier.logits.kernel[...] = classifier.logits.kernel[...] * -2
    classifier.blocks[0].norm.mean[...] = jnp.array([-0.1, 0.4, 0.2])
    values = explainer.explain(images, 1)
    assert len(CALLS) == before
    expected = images * gradient(lambda x: classifier(x)[:, 1], images)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


class Writes(nnx.Module):
    """Keeps a count, as recurrent and cached models keep more."""

    def __init__(self):
        self.logits = nnx.Linear(50, 4, rngs=nnx.Rngs(0))
        self.count = nnx.Variable(jnp.zeros(()))

    def __call__(self, x):
        self.count[...] += 1
        return self.logits(x.reshape(len(x), -1))


@pytest.mark.parametrize("layer", [None, "logits"])
def test_a_model_that_writes_to_its_variables_is_as_it_was(images, layer):
    model = Writes()
    with Untouched(model):
        values = polyattr.Saliency(model, output_layer=layer).explain(images, 1)
    expected = np.broadcast_to(abs(model.logits.kernel[...][:, 1]), (3, 50)).reshape(images.shape)
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_a_changed_structure_is_seen(images):
    model = nnx.Sequential(lambda x: x.reshape(len(x), -1), nnx.Linear(50, 4, rngs=nnx.Rngs(0)))
    explainer = polyattr.Saliency(model)
    explainer.explain(images, 1)
    wide = nnx.Linear(50, 4, use_bias=False, rngs=nnx.Rngs(5))
    model.layers = nnx.List([model.layers[0], wide])
    expected = np.broadcast_to(abs(wide.kernel[...][:, 1]), (3, 50)).reshape(images.shape)
    np.testing.assert_allclose(explainer.explain(images, 1), expected, rtol=1e-6)
    short = images[..., :1]  # other inputs, so that the model is looked at again
    model.layers = nnx.List([model.layers[0], nnx.Linear(25, 4, rngs=nnx.Rngs(6))])
    assert explainer.explain(short, 1).shape == short.shape


@pytest.mark.parametrize("layer", [None, "logits"])
def test_a_model_that_raises_is_as_it_was(images, layer):
    class Fails(Classifier):
        def __call__(self, x):
            super().__call__(x)
            raise RuntimeError("the model gave up")

    model = Fails()
    with (
        Untouched(model),
        pytest.warns(TrainingModeWarning),
        pytest.raises(RuntimeError, match="gave up"),
    ):
        IntegratedGradients(model, output_layer=layer).explain(images, 1)


def test_numpy_inputs_take_the_dtype_of_the_parameters():
    model = nnx.Linear(4, 3, param_dtype=jnp.bfloat16, dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
    values = polyattr.Saliency(model).explain(np.ones((2, 4)), 1)
    assert values.dtype == jnp.bfloat16
    expected = np.broadcast_to(abs(np.asarray(model.kernel[...], "float32")[:, 1]), (2, 4))
    np.testing.assert_array_equal(np.asarray(values, "float32"), expected)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("logit", "Did you mean 'logits'"),
        ("blocks.0.cnov", r"blocks\.0\.conv"),
        (7, "3 direct submodules, expected -3 to 2"),
        (nnx.Linear(2, 2, rngs=nnx.Rngs(0)), "Linear is not a submodule"),
    ],
)
def test_an_unknown_layer_is_named_with_the_nearest(classifier, layer, message):
    with pytest.raises(LayerNotFoundError, match=message):
        polyattr.Saliency(classifier, output_layer=layer)


def test_a_layer_that_is_not_called_is_an_error(classifier, images):
    with pytest.raises(LayerNotFoundError, match="not called"):
        polyattr.Saliency(classifier, output_layer="unused").explain(images, 1)
