"""Errors of the user's own code: of their own type, with one line of ours in front."""

import gc
import pickle
import traceback
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

import polyattr
from polyattr.probing.failures.preceded import preceded
from polyattr.probing.failures.reading import Given, _about

X = np.random.default_rng(79).standard_normal((4, 3)).astype(np.float32)
W = np.random.default_rng(80).standard_normal((3, 2)).astype(np.float32)
ON = "inputs of shape (4, 3), float32"
ENTRIES = ("explain", "attribute", "__call__", "warm", "function")


def told(call):
    """The error of a call, checked to be the raw one behind a line of ours."""
    with pytest.raises(Exception, match="what it said:\n") as caught:
        call()
    assert not isinstance(caught.value, polyattr.PolyattrError)
    line, _, raw = str(caught.value).partition("\n")
    assert raw
    return caught.value, line, raw


@pytest.fixture
def model(lab):
    weights = lab.tensor(W)
    return lab.function(lambda ops, x: x @ weights)


@pytest.mark.parametrize("entry", ENTRIES)
def test_features_the_model_does_not_take(lab, model, entry):
    method = polyattr.GradientInput(model, backend=lab.name)
    wide = lab.tensor(np.zeros((4, 7), np.float32))
    with pytest.raises(Exception, match=r".") as plain:
        model(wide)
    error, line, raw = told(lambda: getattr(method, entry)(wide, 0))
    assert line == (
        "the model failed on inputs of shape (4, 7), float32: most likely the shape of inputs is "
        "not the one it takes; what it said:"
    )
    if lab.name != "tensorflow":  # where the words, and the type, are others inside a graph
        assert isinstance(error, type(plain.value))
        assert "7" in raw
    assert any("inputs of shape (2, 7)" in note for note in error.__notes__)


def test_batches_of_a_dataset(lab, model):
    method = polyattr.GradientInput(model, backend=lab.name)
    parts = method.explain_batches([(X, [0] * 4), (np.zeros((2, 9), np.float32), [0, 0])])
    next(parts)
    _, line, _ = told(lambda: next(parts))
    assert line.startswith("the model failed on inputs of shape (2, 9), float32: most likely")


def test_a_mistake_inside_the_model(lab):
    weights, more = lab.tensor(W), lab.tensor(np.ones(11, np.float32))
    broken = lab.function(lambda ops, x: x @ weights + more)
    _, line, raw = told(lambda: polyattr.Saliency(broken, backend=lab.name).explain(X, 0))
    assert "most likely shapes inside it do not fit each other, whatever it is given" in line
    assert "11" in raw

    def lost(ops, x):
        return {"weights": x}["weight"]

    error, line, raw = told(
        lambda: polyattr.Saliency(lab.function(lost), backend=lab.name).explain(X, 0)
    )
    assert isinstance(error, KeyError)
    assert (
        line
        == f"the model failed on {ON}: most likely a mistake of its own, whatever it is "
        + ("given; what it said:")
    )
    assert raw == "'weight'"
    assert "in lost" in "".join(traceback.format_exception(error))


def test_every_callable_of_the_users_is_named(lab, model):
    def operator(model, inputs, targets):
        return model(inputs).nothing

    def begin(x):
        return x.nothing

    def select(outputs):
        return outputs.nothing

    def score(outputs):
        return outputs.nothing

    def path(x, b, alpha):
        return x.nothing

    def draw(generator, shape):
        return generator.nothing(shape)

    common = {"backend": lab.name}
    ig, smooth = polyattr.IntegratedGradients, polyattr.SmoothGrad
    calls = {
        "operator(model, inputs, targets)": lambda: ig(model, operator=operator, **common)(X, 0),
        "targets, called with the output,": lambda: ig(model, **common)(X, score),
        "output, called with what the model returned,": lambda: ig(model, output=select, **common)(
            X, 0
        ),
        "baselines, called with the inputs,": lambda: ig(model, **common)(X, 0, baselines=begin),
        "baseline_value, called with the inputs,": lambda: ig(
            model, baseline_value=begin, **common
        )(X, 0),
        "path(x, b, alpha)": lambda: ig(model, path=path, **common)(X, 0),
        "distribution(generator, shape)": lambda: smooth(model, distribution=draw, **common)(X, 0),
    }
    for who, call in calls.items():
        error, line, raw = told(call)
        assert isinstance(error, AttributeError)
        assert line == f"{who} failed, in a call on {ON}; what it said:"
        assert "nothing" in raw


def test_what_stands_beside_the_inputs_is_named(lab):
    weights = lab.tensor(W)

    def takes(x, scale):
        return (x @ weights) * scale

    method = polyattr.Saliency(takes, backend=lab.name)
    scale = lab.tensor(np.ones((4, 13), np.float32))
    _, line, _ = told(lambda: method.explain(lab.tensor(X), 0, forward_args=(scale,)))
    assert line == (
        f"the model failed on {ON}, forward_args[0] of shape (4, 13), float32: most likely the "
        "shape of forward_args[0] is not the one it takes; what it said:"
    )


class WornError(Exception):
    """An error of the user's that is made in a way of its own."""

    def __init__(self, part, *, years):
        super().__init__(part)
        self.years = years

    def __str__(self):
        return f"{self.args[0]} is worn after {self.years} years"


def test_an_error_of_the_users_is_what_it_was(lab):
    def worn(ops, x):
        raise WornError("the model", years=3)

    method = polyattr.Saliency(lab.function(worn), backend=lab.name)
    with pytest.raises(WornError) as caught:
        method.explain(X, 0)
    error = caught.value
    assert error.years == 3
    assert type(error).__name__ == "WornError"
    assert str(error).endswith("what it said:\nthe model is worn after 3 years")
    assert error.__cause__ is None
    assert error.__suppress_context__  # shown once


def test_what_is_no_error_of_the_users_code_stays_as_it_is(lab, model, monkeypatch):
    def broken(*_):
        raise RuntimeError("polyattr's own")

    method = polyattr.Saliency(model, backend=lab.name)
    method.explain(X, 0)
    monkeypatch.setattr("polyattr.engine.blocks.Engine.run", broken)
    with pytest.raises(RuntimeError) as caught:
        method.explain(X, 0)
    assert type(caught.value) is RuntimeError
    assert str(caught.value) == "polyattr's own"


def test_a_model_of_another_framework(lab, model, monkeypatch):
    """Where `backend` was named by mistake, the error says whose model it is."""
    method = polyattr.Saliency(model, backend=lab.name)
    owner = SimpleNamespace(name="another")
    monkeypatch.setattr("polyattr.explainer.shown.read_errors.detect", lambda model: owner)
    _, line, _ = told(lambda: method.explain(np.zeros((4, 7), np.float32), 0))
    assert line == (
        f"the model is one of another, and backend={lab.name!r} called it: leave backend out, or "
        f"pass a model of {lab.name}; what it said:"
    )


def test_a_call_that_failed_is_freed_with_its_error(lab):
    """By counting alone: a circle would keep the inputs on the device."""

    def lost(x):
        raise KeyError("weights")

    method = polyattr.Saliency(lost, backend=lab.name)

    def fail(x):
        try:  # what `pytest.raises` catches, it keeps
            method.explain(x, 0)
        except KeyError:
            return
        raise AssertionError("the call did not fail")

    fail(lab.tensor(X))  # what a first call of a process loads
    x = lab.tensor(X)
    seen = weakref.ref(x)
    gc.collect()
    gc.disable()
    try:
        fail(x)
        del x
        assert seen() is None
    finally:
        gc.enable()


def test_pickles():
    """From a worker process to the one that waits for it."""
    made = preceded(ValueError("too large"), "the model failed:")
    again = pickle.loads(pickle.dumps(made))
    assert isinstance(again, ValueError)
    assert str(again) == str(made) == "the model failed:\ntoo large"


def test_a_type_that_cannot_be_made_gets_a_note():
    class FinalError(Exception):
        def __init_subclass__(cls):
            raise TypeError("not to be derived from")

    error = FinalError("x")
    assert preceded(error, "the model failed:") is error
    assert error.__notes__ == ["the model failed:"]


GIVEN = [Given("inputs", (6, 4), "float32"), Given("forward_args[0]", (6, 13), "float32")]
# As the frameworks say it: what it is most likely about.
SAID = {
    "mat1 and mat2 shapes cannot be multiplied (2x4 and 5x7)": "the shape of inputs",
    "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [2, 4]": (
        "the shape of inputs"
    ),
    "Given groups=1, weight of size [5, 3, 3, 3], expected input[2, 13, 8, 8] to have 3 channels": (
        "the shape of forward_args[0]"
    ),
    "The size of tensor a (3) must match the size of tensor b (7) at dimension 1": "inside it",
    "mat1 and mat2 must have the same dtype, but got Double and Float": "the dtype of inputs",
    "Expected all tensors to be on the same device, but found at least two devices": (
        "not on its device"
    ),
    "dot_general requires contracting dimensions to have the same shape, got (4,) and (5,).": (
        "the shape of inputs"
    ),
    "convolution requires lhs and rhs ndim to be equal, got 2 and 4.": "the shape of inputs",
    "Incompatible shapes for broadcasting: shapes=[(2, 3), (7,)]": "inside it",
    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.": (
        "NumPy or in another framework"
    ),
    "linear(): argument 'input' (position 1) must be Tensor, not DynamicJaxprTracer": (
        "another framework"
    ),
    "linear(): argument 'input' (position 1) must be Tensor, not tuple": "a mistake of its own",
    "Error interpreting argument to custom_jvp_call as a JAX value. The problematic value is of "
    "type <class 'torch.Tensor'>": "another framework",
    "lax.add requires arguments to have the same dtypes, got float32, int32.": "the dtype of",
    "{{function_node __wrapped__MatMul_device_/job:localhost/replica:0/task:0/device:CPU:0}} "
    "Matrix size-incompatible: In[0]: [2,4], In[1]: [5,3] [Op:MatMul]": "the shape of inputs",
    "cannot compute MatMul as input #1(zero-based) was expected to be a double tensor but is a "
    "float tensor [Op:MatMul]": "the dtype of inputs",
    'Invalid input shape for input Tensor("leaves:0", shape=(2, 4), dtype=float32). Expected shape '
    "(None, 8)\n\nArguments received by Sequential.call():\n  inputs=...": "the shape of inputs",
}


@pytest.mark.parametrize("text", SAID)
def test_what_it_is_most_likely_about(text):
    assert SAID[text] in _about(RuntimeError(text), GIVEN)


@pytest.mark.parametrize(
    ("text", "given", "guess"),
    [
        ("forward() got multiple values for argument 'training'", GIVEN, "forward_args[0] is not"),
        ("f() missing 1 required positional argument: 'mask'", GIVEN[:1], "it takes other arg"),
        ("unsupported operand type(s)", GIVEN[:1], "a mistake of its own"),
    ],
)
def test_arguments_that_are_missing_or_too_many(text, given, guess):
    assert guess in _about(TypeError(text), given)
