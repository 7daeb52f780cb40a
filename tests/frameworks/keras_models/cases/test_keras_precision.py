"""Keras models that compute in another dtype than float32, layer by layer."""

import keras
import numpy as np
import pytest
from keras import layers

from polyattr import GradientInput, IntegratedGradients


@pytest.fixture(autouse=True)
def _same_policy():
    before = keras.config.dtype_policy().name, keras.config.floatx()
    yield
    assert (keras.config.dtype_policy().name, keras.config.floatx()) == before


@pytest.fixture
def double(framework):
    """Lets JAX compute in float64 for one test; the others always can."""
    if framework != "jax":
        yield
        return
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def _bend(z):
    """Curved, and of plain operators: on JAX `keras.ops.tanh` of float64 rounds to float32."""
    return z * z + z


class Exact(layers.Dense):
    """The framework's own product: but for TensorFlow's, `keras.ops.matmul` rounds as well."""

    def call(self, inputs, training=None):
        kernel, bias = (keras.ops.convert_to_tensor(part) for part in (self.kernel, self.bias))
        return self.activation(inputs @ kernel + bias)


def _stack(policy):
    kind = Exact if policy == "float64" else layers.Dense
    return [
        kind(16, activation=_bend, name="hidden", dtype=policy),
        kind(3, name="logits", dtype=policy),
    ]


def _functional(policy):
    x = inputs = keras.Input((6,), dtype="float64" if policy == "float64" else "float32")
    for layer in _stack(policy):
        x = layer(x)
    return keras.Model(inputs, x)


class Subclassed(keras.Model):
    def __init__(self, policy):
        super().__init__(dtype=policy)
        self.hidden, self.logits = _stack(policy)

    def call(self, x):
        return self.logits(self.hidden(x))


BUILD = {
    "functional": _functional,
    "sequential": lambda policy: keras.Sequential(
        [keras.Input((6,), dtype="float64" if policy == "float64" else "float32"), *_stack(policy)]
    ),
    "subclassed": Subclassed,
}


@pytest.fixture(params=BUILD)
def build(request):
    return BUILD[request.param]


def _built(build, policy, x):
    keras.utils.set_random_seed(0)
    model = build(policy)
    model(keras.ops.convert_to_tensor(x))
    return model


def _closed_form(model, x, target):
    """Scores, gradients at x, activations of the hidden layer and gradients there, in float64."""
    convert = keras.ops.convert_to_numpy
    (a, a0), (b, b0) = (
        (convert(layer.kernel).astype("float64"), convert(layer.bias).astype("float64"))
        for layer in (model.get_layer("hidden"), model.get_layer("logits"))
    )
    before = x.astype("float64") @ a + a0
    hidden = _bend(before)
    gradient = ((2 * before + 1) * b[:, target]) @ a.T
    return (
        (hidden @ b + b0)[:, target],
        gradient,
        hidden,
        np.broadcast_to(b[:, target], hidden.shape),
    )


# A product in float16 or bfloat16 is off by up to 2^-11 or 2^-8 of itself, and a few such errors
# add up through two layers.
ROUNDING = {"mixed_float16": 2.0**-8, "mixed_bfloat16": 2.0**-5}


@pytest.mark.parametrize("policy", ROUNDING)
def test_mixed_precision_is_right_to_its_rounding(build, policy):
    x = np.random.default_rng(0).standard_normal((5, 6)).astype("float32")
    model = _built(build, policy, x)
    assert model.get_layer("hidden").compute_dtype == policy.removeprefix("mixed_")
    score, gradient, hidden, weight = _closed_form(model, x, 1)
    result = GradientInput(model).attribute(x, 1)
    values = keras.ops.convert_to_numpy(result.values)
    assert values.dtype == np.float32
    assert abs(values - x * gradient).max() < ROUNDING[policy] * abs(x * gradient).max()
    assert abs(result.scores - score).max() < ROUNDING[policy] * abs(score).max()
    at_layer = GradientInput(model, input_layer="hidden").attribute(x, 1)
    kind = keras.backend.standardize_dtype(at_layer.values.dtype)
    assert kind == policy.removeprefix("mixed_")
    found = keras.ops.convert_to_numpy(keras.ops.cast(at_layer.values, "float32"))
    assert abs(found - hidden * weight).max() < ROUNDING[policy] * abs(hidden * weight).max()


def test_float64_is_right_to_rounding(build, double):
    x = np.random.default_rng(0).standard_normal((5, 6))
    model = _built(build, "float64", x)
    score, gradient, hidden, weight = _closed_form(model, x, 1)
    result = GradientInput(model).attribute(x, 1)
    values = keras.ops.convert_to_numpy(result.values)
    assert values.dtype == np.float64
    assert abs(values - x * gradient).max() < 1e-14 * abs(x * gradient).max()
    assert abs(result.scores - score).max() < 1e-14 * abs(score).max()
    path = IntegratedGradients(model, input_layer="hidden").attribute(x, 1)
    values = keras.ops.convert_to_numpy(path.values)
    assert values.dtype == np.float64
    assert abs(values - hidden * weight).max() < 1e-14 * abs(hidden * weight).max()


def test_numpy_inputs_take_the_models_dtype(build, double):
    x = np.random.default_rng(0).standard_normal((5, 6)).astype("float32")
    model = _built(build, "float64", x.astype("float64"))
    values = keras.ops.convert_to_numpy(GradientInput(model).explain(x, 1))
    assert values.dtype == np.float64
    expected = x * _closed_form(model, x, 1)[1]
    assert abs(values - expected).max() < 1e-14 * abs(expected).max()
