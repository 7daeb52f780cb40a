"""Layers nobody can enter at, and baselines that fit neither a layer nor the inputs."""

import numpy as np
import pytest
from labs.numpy_network import random_network

import polyattr
from polyattr import InputError, InputTypeError, LayerNotFoundError, ModelOutputError

X = np.random.default_rng(281).standard_normal((4, 3)).astype(np.float32)


def refused(kind, call, parts):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, TypeError if kind is InputTypeError else ValueError)
    for part in parts:
        assert part in str(caught.value)


@pytest.fixture(scope="module")
def network(lab):
    return lab.network(random_network(3, 3, 5, 2))


SETTINGS = {
    "an unknown layer": (
        {"input_layer": "dense"},
        LayerNotFoundError,
        ["input_layer 'dense'", "Did you mean 'dense0'", "logits, probabilities"],
    ),
    "an index beyond the layers": (
        {"input_layer": 17},
        LayerNotFoundError,
        ["input_layer is 17", "expected -"],
    ),
    "one unknown layer of two": (
        {"input_layer": ["dense0", "logit"]},
        LayerNotFoundError,
        ["input_layer 'logit'", "Did you mean 'logits'"],
    ),
    "no layer": (
        {"input_layer": []},
        InputError,
        ["input_layer is an empty list", "at least one layer, or None"],
    ),
    "a layer twice": (
        {"input_layer": ["dense0", "dense0"]},
        InputError,
        ["input_layer is ['dense0', 'dense0']", "expected each layer once"],
    ),
    "what names no layer": (
        {"input_layer": 2.5},
        InputTypeError,
        ["input_layer is 2.5", "expected"],
    ),
    "the input of no layer": (
        {"attribute_to_layer_input": True},
        InputError,
        ["attribute_to_layer_input is True", "no input_layer is named"],
    ),
    "a flag that is none": (
        {"input_layer": "dense0", "attribute_to_layer_input": "yes"},
        InputTypeError,
        ["attribute_to_layer_input is 'yes'", "expected True or False"],
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_layers(network, name):
    settings, kind, parts = SETTINGS[name]
    refused(kind, lambda: polyattr.Saliency(network, **settings), parts)


def test_a_function_has_no_layer_to_enter_at(lab):
    model = lab.function(lambda ops, x: ops.sum(x))
    refused(
        LayerNotFoundError,
        lambda: polyattr.Saliency(model, backend=lab.name, input_layer="embedding"),
        ["input_layer='embedding'", "no layers to name", "takes the wanted layer's activation"],
    )


LAYER_BASELINES = {
    "a shape that fits neither": (
        np.zeros((4, 4)),
        InputError,
        ["baselines has shape (4, 4)", "(5,) for one", "(4, 5) for one per sample", "put through"],
    ),
    "containers that fit neither": (
        {"a": 0.0},
        InputError,
        ["baselines is dict('a': array)", "or a baseline in the containers and shapes of the inp"],
    ),
    "a text": ("zero", InputTypeError, ["baselines is 'zero'"]),
    "not finite": (np.full(5, np.nan), InputError, ["baselines contains nan"]),
}


@pytest.fixture(scope="module")
def at_layer(network):
    return polyattr.IntegratedGradients(
        network, input_layer="dense0", output_layer="logits", steps=2
    )


@pytest.mark.parametrize("name", LAYER_BASELINES)
def test_baselines_of_a_layer(at_layer, lab, name):
    baselines, kind, parts = LAYER_BASELINES[name]
    refused(kind, lambda: at_layer.explain(lab.tensor(X), 1, baselines=baselines), parts)


# Units of a layer are explained, on purpose.
@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")
def test_a_layer_behind_the_scored_one(lab, network):
    """What is scored has been computed before the activation is replaced."""
    method = polyattr.Saliency(network, input_layer="logits", output_layer="dense0")
    refused(
        ModelOutputError,
        lambda: method.explain(lab.tensor(X), 1),
        ["the score does not depend on", "no gradient to attribute"],
    )
