"""Metrics of the real Quantus on one network in all frameworks, JAX included."""

import random
from functools import cache

import numpy as np
import pytest
import quantus
from labs.closeness import assert_close

import polyattr
from polyattr.integrations.quantus import ask, explain_func, model_interface

pytestmark = pytest.mark.filterwarnings("ignore")

RNG = np.random.default_rng(1540)
X = RNG.random((6, 1, 8, 8)).astype(np.float32)
Y = np.arange(6) % 3
FIRST = (RNG.standard_normal((64, 16)) / 8).astype(np.float32)
LAST = (RNG.standard_normal((16, 3)) / 4).astype(np.float32)
FRAMEWORKS = ("torch", "tensorflow", "jax")
PLAIN = {
    "abs": False, "normalise": False, "disable_warnings": True, "display_progressbar": False,
}  # fmt: skip
METRICS = {
    "PixelFlipping": {"features_in_step": 8},
    "FaithfulnessCorrelation": {"nr_runs": 20, "subset_size": 16, "return_aggregate": False},
    "MaxSensitivity": {"nr_samples": 3},
    "Sparseness": {"abs": True},
    "RandomLogit": {"num_classes": 3, "seed": 1},
}


@cache
def model(framework):
    return {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}[framework]()


def _torch():
    import torch

    layers = torch.nn.Linear(64, 16, bias=False), torch.nn.Linear(16, 3, bias=False)
    with torch.no_grad():
        for layer, weight in zip(layers, (FIRST, LAST), strict=True):
            layer.weight.copy_(torch.tensor(weight.T))
    network = torch.nn.Sequential(torch.nn.Flatten(), layers[0], torch.nn.Tanh(), layers[1])
    return network.eval()


def _tensorflow():
    import keras

    assert keras.config.backend() == "tensorflow"
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(16, "tanh", use_bias=False),
            keras.layers.Dense(3, use_bias=False),
        ]
    )
    network.set_weights([FIRST, LAST])
    return network


def _jax():
    import jax.numpy as jnp
    from flax import nnx

    class Network(nnx.Module):
        def __init__(self):
            self.first = nnx.Linear(64, 16, use_bias=False, rngs=nnx.Rngs(0))
            self.last = nnx.Linear(16, 3, use_bias=False, rngs=nnx.Rngs(1))
            self.first.kernel[...], self.last.kernel[...] = jnp.asarray(FIRST), jnp.asarray(LAST)

        def __call__(self, x):
            return self.last(jnp.tanh(self.first(x.reshape(len(x), -1))))

    return Network()


def asked(name, framework, **settings):
    """What a metric says, asked in the way each framework is."""
    metric = getattr(quantus, name)(**(PLAIN | METRICS[name]))
    last = framework == "tensorflow"
    explain = explain_func(
        polyattr.IntegratedGradients, steps=8, rule="gauss-legendre", channel_first=last
    )
    random.seed(0)
    np.random.seed(0)
    given = {"x_batch": X, "y_batch": Y, "explain_func": explain, **settings}
    if framework == "jax":
        return np.array(ask(metric, model("jax"))(**given), dtype=float)
    if last:
        given |= {"x_batch": np.moveaxis(X, 1, -1), "channel_first": False}
    else:
        given |= {"channel_first": True}
    return np.array(metric(model=model(framework), a_batch=None, **given), dtype=float)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_says_the_same_of_one_network_in_every_framework(name):
    # Quantus' softmax of Keras models asks for what Keras 2 had.
    settings = {"softmax": False} if name == "PixelFlipping" else {}
    found = {framework: asked(name, framework, **settings) for framework in FRAMEWORKS}
    assert found["torch"].size >= 6
    assert np.ptp(found["torch"]) > 1e-3  # it tells samples apart
    for framework in ("tensorflow", "jax"):
        assert_close(found[framework], found["torch"], 1e-3)


def test_maps_are_those_of_the_method():
    explain = explain_func(polyattr.GradientInput, output_layer=None)
    for framework, x in (("torch", X), ("tensorflow", np.moveaxis(X, 1, -1)), ("jax", X)):
        found = explain(model(framework), x, Y, device="cpu")
        hidden = np.tanh(X.reshape(6, 64) @ FIRST)
        slope = ((1 - hidden**2) * LAST.T[Y]) @ FIRST.T
        assert isinstance(found, np.ndarray)
        assert_close(found.reshape(6, 64), X.reshape(6, 64) * slope, 1e-5)


def test_the_softmax_is_taken_where_the_metric_asks_for_it():
    with_softmax = asked("PixelFlipping", "jax")
    assert_close(with_softmax, asked("PixelFlipping", "torch"), 1e-4)
    assert np.abs(with_softmax - asked("PixelFlipping", "jax", softmax=False)).max() > 0.1


def test_randomised_models_are_copies_and_the_first_maps_are_those_of_the_model():
    metric = quantus.MPRT(similarity_func=quantus.correlation_spearman, **PLAIN)
    explain = explain_func(polyattr.GradientInput)
    for framework in ("jax", "torch"):
        found = ask(metric, model(framework))(x_batch=X, y_batch=Y, explain_func=explain)
        original, last, first = found.values()
        assert_close(np.array(original), np.ones(6), 1e-9)
        assert np.abs(last).max() < 0.9
        assert np.abs(first).max() < 0.9
        hidden = np.tanh(X.reshape(6, 64) @ FIRST)
        assert_close(model_interface(model(framework)).predict(X), hidden @ LAST, 1e-5)
    assert not metric.evaluation_scores  # the user's metric is as it was


def test_what_quantus_cannot_ask_is_said():
    interface = model_interface(lambda x: x, backend="jax")
    with pytest.raises(polyattr.InputError, match="cannot be found"):
        next(interface.get_random_layer_generator())
    with pytest.raises(polyattr.InputError, match="hidden layers"):
        interface.get_hidden_representations(X)
    with pytest.raises(polyattr.InputTypeError, match="the model comes from Quantus"):
        explain_func(polyattr.Saliency(model("torch")))
    single = interface.shape_input(X[0], X[0].shape)
    assert single.shape == (1, 1, 8, 8)
