"""What is passed for a model and is none: the error says what it is and what to pass."""

from pathlib import Path

import numpy as np
import pytest

import polyattr
from polyattr import UnrecognisedModelError


class Pipeline:
    """What transformers calls a pipeline."""

    model = tokenizer = None

    def preprocess(self):
        """Makes tokens."""

    def postprocess(self):
        """Makes labels."""

    def __call__(self, text):
        return [{"label": "good"}]


class Optimizer:
    """What torch calls an optimizer."""

    param_groups = ()

    def zero_grad(self):
        """Forgets gradients."""


class Tokenizer:
    """What transformers calls a tokenizer."""

    def convert_tokens_to_ids(self, tokens):
        return [0 for _ in tokens]

    def __call__(self, text):
        return {"input_ids": [0]}


class Estimator:
    """What scikit-learn calls an estimator."""

    def fit(self, x, y):
        return self

    def predict(self, x):
        return x

    def get_params(self):
        return {}


class Trainer:
    """What holds a model and trains it."""

    model = abs


ARRAY = np.ones(3)

MISTAKEN = {
    "nothing": (None, "Did the function that builds the model return it?"),
    "a path as text": ("model.pt", "load the model first"),
    "a path": (Path("model.keras"), "load the model first"),
    "a state dict": ({"head.weight": ARRAY}, "model.load_state_dict(it)"),
    "a checkpoint": (
        {"epoch": 3, "state_dict": {"head.weight": ARRAY}},
        "model.load_state_dict(checkpoint['state_dict'])",
    ),
    "variables": ({"params": {"Dense_0": {"kernel": ARRAY}}}, "pass (module, variables)"),
    "a model and a tokenizer": ((abs, Tokenizer()), "pass the model alone"),
    "a pipeline": (Pipeline(), "pass pipeline.model"),
    "an optimizer": (Optimizer(), "pass the model it trains"),
    "an estimator": (Estimator(), "has no gradient"),
    "a trainer": (Trainer(), "pass its .model"),
    "an array": (ARRAY, "pass the model itself"),
    "several models": ([abs, abs], "one model after the other"),
}


@pytest.mark.parametrize("name", MISTAKEN)
def test_it_is_said_when_the_method_is_made(name):
    model, said = MISTAKEN[name]
    with pytest.raises(UnrecognisedModelError) as caught:
        polyattr.Saliency(model).explain(ARRAY[None])
    assert said in str(caught.value)
    assert "expected a module or function" in str(caught.value)


@pytest.mark.parametrize("name", [name for name in MISTAKEN if name != "a pipeline"])
def test_a_named_backend_says_it_too(lab, name):
    model, said = MISTAKEN[name]
    with pytest.raises(UnrecognisedModelError) as caught:
        polyattr.Saliency(model, backend=lab.name)
    assert said in str(caught.value)
    assert f"the {lab.name} backend was given a" in str(caught.value)


def test_a_callable_that_holds_a_model_is_one(lab):
    class Holder:
        model = param_groups = zero_grad = fit = predict = get_params = None

        def __call__(self, x):
            return lab.ops.sum(x * x)

    x = np.ones((2, 3), np.float32)
    found = polyattr.GradientInput(Holder()).explain(lab.tensor(x))
    assert (lab.numpy(found) == 2).all()
