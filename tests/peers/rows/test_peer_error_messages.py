"""Mistakes that other libraries answer with a message about something else, or not at all.

Each test is named after what is right here; what the peer says, and its version, stand beside it.
"""

import ast
import importlib
from pathlib import Path

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

X = np.random.default_rng(241).standard_normal((5, 3)).astype(np.float32)


def square(ops, x):
    return ops.sum(x * x)


def test_a_plain_callable_is_a_model(lab):
    # xplique 2.0.2: "no_gradients_available() takes 0 positional arguments but 4 were given".
    def model(x):
        return lab.ops.sum(x * x)

    found = polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(X))
    assert_close(lab.numpy(found), 2 * X * X)


def test_a_dict_that_needs_a_choice_says_which_keys_there_are(lab):
    # captum 0.9.0: "'dict' object has no attribute 'shape'".
    model = lab.function(lambda ops, x: {"logits": x, "loss": ops.sum(x)})
    with pytest.raises(polyattr.ModelOutputError, match=r"\['logits', 'loss'\].*output="):
        polyattr.Saliency(model, backend=lab.name).explain(lab.tensor(X), 0)


@pytest.mark.parametrize("steps", [2, 50])
def test_messages_have_the_shapes_of_the_user(lab, steps):
    # captum 0.9.0: "Tensor target dimension torch.Size([150]) is not valid. torch.Size([250, 3])"
    # for three targets of five samples: both are multiplied by n_steps.
    model = lab.function(lambda ops, x: x * x)
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=steps)
    with pytest.raises(polyattr.InputError) as caught:
        method.explain(lab.tensor(X), np.array([0, 1, 2]))
    message = str(caught.value)
    assert "(3,)" in message
    assert "(5,)" in message
    assert "(5, 3)" in message
    assert str(5 * steps) not in message


def test_tokens_are_told_to_be_embedded(lab):
    # xplique 2.0.2: "None values not supported", or "Attempt to convert a value (None)".
    method = polyattr.Saliency(lab.function(square), backend=lab.name)
    with pytest.raises(polyattr.InputTypeError, match=r"int32.*embedding"):
        method.explain(lab.tensor(np.array([[1, 2, 3]], np.int32)))


@pytest.mark.parametrize("steps", [0, 1, -1])
def test_too_few_steps_are_refused(lab, steps):
    # xplique 2.0.2: ZeroDivisionError for 0, a map of NaN for 1.
    with pytest.raises(polyattr.InputError, match=f"steps is {steps}.*at least 2"):
        polyattr.IntegratedGradients(lab.function(square), backend=lab.name, steps=steps)


MISTAKES = {
    "an unknown rule": lambda new, x: new(rule="riemann"),
    "no steps": lambda new, x: new(rule="gauss-legendre", steps=0),
    "a baseline of another shape": lambda new, x: new().explain(x, 0, baselines=X[:, :2]),
    "a target out of range": lambda new, x: new().explain(x, 3),
    "targets of another length": lambda new, x: new().explain(x, np.array([0, 1])),
    "a batch size of zero": lambda new, x: new(batch_size=0),
    "an operator that cannot be called": lambda new, x: new(operator="segment"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named_by_an_error_of_our_own(lab, mistake):
    # captum 0.9.0: every one of its checks is an AssertionError, and out of range an IndexError.
    model = lab.function(lambda ops, x: x * x)

    def new(**settings):
        return polyattr.IntegratedGradients(model, backend=lab.name, **settings)

    with pytest.raises(polyattr.PolyattrError) as caught:
        MISTAKES[mistake](new, lab.tensor(X))
    assert isinstance(caught.value, ValueError)


def test_no_check_vanishes_under_python_o(backend_name):
    # captum 0.9.0 and xplique 2.0.2 check with assert, which python -O leaves out.
    for package in ("polyattr", f"polyattr_{backend_name}"):
        files = list(Path(importlib.import_module(package).__file__).parent.rglob("*.py"))
        assert files
        for file in files:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree)), file
