"""Dtypes and containers that other libraries refuse, crash on or turn into something else.

Each test is named after what is right here; the peer that differs and its version stand beside it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

A = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
B = np.array([[2.0, 1.0, -1.0], [0.5, -2.0, 4.0]])
W = np.array([1.0, -2.0, 3.0])
UNIT = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


def square(ops, x):
    return ops.sum(x * x * ops.like(W, x))


@pytest.mark.parametrize("dtype", UNIT)
def test_every_floating_dtype_is_explained(lab, dtype):
    # xplique 2.0.2: float64 and half precision models raise, for inputs are cast to float32.
    with lab.double():
        method = polyattr.GradientInput(lab.function(square), backend=lab.name)
        found = method.explain(lab.tensor(A, dtype))
        assert lab.dtype(found) == dtype
        assert_close(lab.numpy(found), 2 * A * A * W, 4 * UNIT[dtype])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_integrated_gradients_keep_half_precision(lab, dtype):
    # captum 0.9.0: Integrated Gradients of a half precision model are float32.
    method = polyattr.IntegratedGradients(lab.function(square), backend=lab.name)
    found = method.explain(lab.tensor(A, dtype))
    assert lab.dtype(found) == dtype
    assert_close(lab.numpy(found), A * A * W, 4 * UNIT[dtype])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_noise_keeps_half_precision(lab, dtype):
    # captum 0.9.0: NoiseTunnel adds float32 noise, on which a half precision model crashes.
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(W[:, None], x)))
    for name, expected in (("SmoothGrad", W), ("SquareGrad", W * W)):
        found = getattr(polyattr, name)(model, backend=lab.name).explain(lab.tensor(A, dtype))
        assert lab.dtype(found) == dtype
        assert_close(lab.numpy(found), np.tile(expected, (2, 1)), UNIT[dtype])
    variance = polyattr.VarGrad(model, backend=lab.name).explain(lab.tensor(A, dtype))
    assert lab.dtype(variance) == dtype
    assert (lab.numpy(variance) == 0).all()


def test_several_inputs_are_explained(lab):
    # xplique 2.0.2 and PAIR 0.2.1 take one input.
    model = lab.function(lambda ops, a, b: ops.sum(a * a * b))
    method = polyattr.IntegratedGradients(model, backend=lab.name, rule="gauss-legendre", steps=2)
    first, second = method.explain((lab.tensor(A), lab.tensor(B)))
    assert_close(lab.numpy(first), 2 * A * A * B / 3)
    assert_close(lab.numpy(second), A * A * B / 3)


def test_dict_inputs_are_explained(lab):
    # Nobody else: captum 0.9.0, xplique 2.0.2 and PAIR 0.2.1 refuse a dict.
    model = lab.function(lambda ops, batch: ops.sum(batch["a"] * batch["a"] * batch["b"]))
    method = polyattr.GradientInput(model, backend=lab.name)
    found = method.explain({"b": lab.tensor(B), "a": lab.tensor(A)})
    assert list(found) == ["b", "a"]
    assert_close(lab.numpy(found["a"]), 2 * A * A * B)
    assert_close(lab.numpy(found["b"]), A * A * B)


class ModelOutput(OrderedDict):
    """Like the outputs of language models: by key, attribute and position."""

    def __getattr__(self, name):
        return self[name]

    def __getitem__(self, key):
        return list(self.values())[key] if isinstance(key, int) else super().__getitem__(key)


@dataclass
class Record:
    """An output that only has attributes."""

    hidden: Any
    logits: Any


OUTPUTS = {
    "dict": (lambda h, s: {"hidden": h, "logits": s}, "logits"),
    "model output by key": (lambda h, s: ModelOutput(hidden=h, logits=s), "logits"),
    "model output by position": (lambda h, s: ModelOutput(hidden=h, logits=s), 1),
    "object": (Record, lambda record: record.logits),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_structured_outputs_are_explained(lab, kind):
    # Nobody else: captum 0.9.0 says "'dict' object has no attribute 'shape'".
    build, output = OUTPUTS[kind]
    model = lab.function(lambda ops, x: build(x * 2.0, ops.sum(x * x)))
    method = polyattr.GradientInput(model, backend=lab.name, output=output)
    assert_close(lab.numpy(method.explain(lab.tensor(A))), 2 * A * A)


def test_an_unused_input_gets_zeros_and_a_warning(lab):
    # captum 0.9.0 passes on autograd's "appears to not have been used in the graph".
    model = lab.function(lambda ops, a, b: ops.sum(a * a))
    method = polyattr.GradientInput(model, backend=lab.name)
    with pytest.warns(polyattr.UnusedInputWarning, match=r"inputs\[1\]"):
        first, second = method.explain((lab.tensor(A), lab.tensor(B)))
    assert_close(lab.numpy(first), 2 * A * A)
    assert (lab.numpy(second) == 0).all()
