"""What a call refuses beside its inputs and targets: one table of calls and what they are told.

Each message says what was given, what was expected and what to do.
"""

import numpy as np
import pytest

import polyattr
from polyattr import InputError, InputTypeError
from polyattr.backend.registry import get_backend

X = np.random.default_rng(281).standard_normal((4, 3)).astype(np.float32)
IDS = np.array([[1, 2], [0, 1], [2, 2], [1, 0]], np.int32)
SCALE = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
BATCHED = "expected the positions in forward_args and names in forward_kwargs"

# name: (arguments of the call, kind, parts of the message)
BESIDE = {
    "a name calls do not have": (
        {"forward_arg": (1,)},
        InputTypeError,
        ["no argument 'forward_arg'", "Did you mean 'forward_args'", "inputs, targets, baselines"],
    ),
    "args that are one array": (
        {"forward_args": SCALE},
        InputTypeError,
        ["forward_args is a ndarray", "expected a tuple", "(value,) for a single one"],
    ),
    "args that are a dict": (
        {"forward_args": {"scale": SCALE}},
        InputTypeError,
        ["forward_args is a dict", "expected a tuple"],
    ),
    "args that are nothing": (
        {"forward_args": None},
        InputTypeError,
        ["forward_args is a NoneType", "expected a tuple"],
    ),
    "kwargs that are a tuple": (
        {"forward_kwargs": (1.0,)},
        InputTypeError,
        ["forward_kwargs is (1.0,)", "expected a dict of further arguments by name"],
    ),
    "kwargs without names": (
        {"forward_kwargs": {0: 1.0}},
        InputTypeError,
        ["forward_kwargs is {0: 1.0}", "by name"],
    ),
    "batched by what is no name": (
        {"forward_args": (SCALE,), "batched": 0.5},
        InputTypeError,
        ["batched is 0.5", BATCHED, "(0, 'mask')"],
    ),
    "batched by flags": (
        {"forward_args": (SCALE,), "batched": (True,)},
        InputTypeError,
        ["batched is (True,)", BATCHED],
    ),
    "batched by a dict": (
        {"forward_args": (SCALE,), "batched": {0: True}},
        InputTypeError,
        ["batched is {0: True}", BATCHED],
    ),
    "a position that is not there": (
        {"forward_args": (SCALE,), "batched": (0, 1)},
        InputError,
        ["batched names 1", "neither a position in forward_args nor a name", "Given are: 0"],
    ),
    "a position from the end": (
        {"forward_args": (SCALE,), "batched": -1},
        InputError,
        ["batched names -1", "Given are: 0"],
    ),
    "a name that is nearly there": (
        {"forward_kwargs": {"scale": SCALE}, "batched": "scales"},
        InputError,
        ["batched names 'scales'", "Did you mean 'scale'", "Given are: 'scale'"],
    ),
    "batched without arguments": (
        {"batched": 0},
        InputError,
        ["batched names 0", "Given are: none"],
    ),
    "rows of another number": (
        {"forward_args": (SCALE[:3],), "batched": True},
        InputError,
        ["forward_args[0] has shape (3,)", "a row for each of 4 samples", "expected (4, ...)"],
    ),
    "one number for all samples": (
        {"forward_kwargs": {"scale": np.array(2.0)}, "batched": "scale"},
        InputError,
        ["forward_kwargs['scale'] has shape ()", "expected (4, ...)"],
    ),
    "a list of numbers as rows": (
        {"forward_args": ([1.0, 2.0, 3.0, 4.0],), "batched": 0},
        InputTypeError,
        ["batched names 0, which holds no array", "expected (4, ...)", "NumPy array"],
    ),
    "text in an array": (
        {"forward_args": (np.array(["a", "b", "c", "d"]),)},
        InputTypeError,
        ["forward_args[0] has dtype str", "expected numbers"],
    ),
    "objects in an array": (
        {"forward_kwargs": {"scale": np.array([None] * 4)}},
        InputTypeError,
        ["forward_kwargs['scale'] has dtype object", "expected numbers"],
    ),
    "progress that is no flag": (
        {"progress": 1},
        InputTypeError,
        ["progress is 1", "expected True or False"],
    ),
}


def refused(kind, call, parts):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, polyattr.PolyattrError)
    assert isinstance(caught.value, TypeError if kind is InputTypeError else ValueError)
    for part in parts:
        assert part in str(caught.value)


@pytest.fixture(scope="module")
def method(lab):
    """A model of x, and of a scale for every sample."""

    def model(x, scale=1.0):
        return lab.ops.sum(x * x) * scale

    return polyattr.IntegratedGradients(model, backend=lab.name, steps=2)


@pytest.mark.parametrize("name", BESIDE)
def test_beside_the_inputs(method, name):
    options, kind, parts = BESIDE[name]
    for entry in ("explain", "attribute", "__call__"):
        refused(kind, lambda entry=entry: getattr(method, entry)(X, **options), parts)


INPUTS = {
    "ids alone": (
        IDS,
        InputTypeError,
        ["inputs has dtype int32", "expected a floating dtype", "name their embedding"],
    ),
    "ids and a flag": (
        {"ids": IDS, "flag": True},
        InputTypeError,
        ["inputs['ids'] has dtype int32", "input_layer"],
    ),
    "nothing but a flag": (
        {"flag": True},
        InputTypeError,
        ["inputs['flag'] is a bool", "NumPy array"],
    ),
    "None": ((None, None), InputTypeError, ["inputs[0] is None", "NumPy array"]),
    "floats of different lengths": (
        {"x": X, "more": (X[:3], IDS)},
        InputError,
        ["different numbers of samples", "inputs['x'] has 4", "inputs['more'][0] has 3"],
    ),
    "a floating scalar": (
        {"x": X, "rate": np.array(0.5)},
        InputError,
        ["inputs['rate'] is a scalar", "first axis counts samples"],
    ),
    "text beside floats": (
        (X, np.array(["a"] * 4)),
        InputTypeError,
        ["inputs[1] has dtype str", "expected numbers"],
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_inputs(method, name):
    inputs, kind, parts = INPUTS[name]
    refused(kind, lambda: method.explain(inputs), parts)


@pytest.fixture(scope="module")
def on_dicts(lab):
    cast = get_backend(lab.name).cast

    def model(batch):
        return lab.ops.sum(batch["x"] * batch["x"]) * lab.ops.sum(cast(batch["ids"], "float32"))

    return polyattr.IntegratedGradients(model, backend=lab.name, steps=2)


BASELINES = {
    "nothing for what has a gradient": (
        {"x": None, "ids": IDS},
        InputTypeError,
        ["baselines['x'] is a NoneType", "expected a number, an array of numbers, or a callable"],
    ),
    "left out": (
        {"ids": IDS},
        InputError,
        ["baselines is dict('ids': array)", "expected dict('x': array, 'ids': array)"],
    ),
    "another key": (
        {"x": X, "id": IDS},
        InputError,
        ["baselines is dict('x': array, 'id': array)", "expected dict('x': array, 'ids': array)"],
    ),
    "another container": (
        (X, None),
        InputError,
        ["baselines is tuple(array, array)", "or a scalar for all inputs"],
    ),
    "a wrong shape within": (
        {"x": X[:3], "ids": None},
        InputError,
        ["baselines['x'] has shape (3, 3)", "(3,) for one", "(4, 3) for one per sample"],
    ),
    "not finite": (
        lambda batch: {"x": batch["x"] * np.nan, "ids": None},
        InputError,
        ["baselines['x'] contains nan", "expected finite"],
    ),
    "a text": ("zero", InputTypeError, ["baselines is 'zero'", "a number, an array or a callable"]),
}


@pytest.mark.parametrize("name", BASELINES)
def test_baselines(lab, on_dicts, name):
    baselines, kind, parts = BASELINES[name]
    inputs = {"x": lab.tensor(X), "ids": IDS}
    refused(kind, lambda: on_dicts.explain(inputs, baselines=baselines), parts)


def test_a_model_that_takes_no_further_argument(lab):
    """The framework's own words, and what the model was called with."""
    method = polyattr.Saliency(lab.function(lambda ops, x: ops.sum(x)), backend=lab.name)
    with pytest.raises(TypeError, match="argument") as caught:
        method.explain(lab.tensor(X), forward_kwargs={"mask": lab.tensor(SCALE)})
    assert any("inputs of shape (2, 3)" in note for note in caught.value.__notes__)
