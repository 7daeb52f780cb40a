"""Inputs in any container, of any floating dtype, native or NumPy; results in the same."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from labs import METHODS, NOISY, named
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network

import polyattr
from polyattr.testing.path_references import blurred, decisions
from polyattr.testing.scored import Scored

RNG = np.random.default_rng(81)
A, B = RNG.standard_normal((2, 4, 3))


class Pair(NamedTuple):
    """A container with names."""

    left: Any
    right: Any


def two_arguments(ops, left, right):
    return ops.sum(left * left * right)


def one_pair(ops, pair):
    return ops.sum(pair[0] * pair[0] * pair[1])


def one_dict(ops, features):
    return ops.sum(features["left"] * features["left"] * features["right"])


def nested(ops, features):
    left, (right,) = features["left"], features["more"]
    return ops.sum(left * left * right)


CASES = {
    "tuple for two arguments": (two_arguments, (A, B), lambda r: (r[0], r[1])),
    "list for two arguments": (two_arguments, [A, B], lambda r: (r[0], r[1])),
    "dict for two arguments": (
        two_arguments,
        {"right": B, "left": A},
        lambda r: (r["left"], r["right"]),
    ),
    "tuple as one argument": (one_pair, (A, B), lambda r: (r[0], r[1])),
    "list as one argument": (one_pair, [A, B], lambda r: (r[0], r[1])),
    "named tuple": (two_arguments, Pair(A, B), lambda r: (r.left, r.right)),
    "dict as one argument": (
        one_dict,
        {"left": A, "right": B},
        lambda r: (r["left"], r["right"]),
    ),
    "nested": (nested, {"left": A, "more": [B]}, lambda r: (r["left"], r["more"][0])),
}


def convert(value, function):
    if isinstance(value, dict):
        return {key: convert(child, function) for key, child in value.items()}
    if isinstance(value, Pair):
        return Pair(*(convert(child, function) for child in value))
    if isinstance(value, tuple | list):
        return type(value)(convert(child, function) for child in value)
    return function(value)


@pytest.mark.parametrize("case", CASES)
def test_containers(lab, case):
    body, arrays, read = CASES[case]
    method = polyattr.GradientInput(lab.function(body), backend=lab.name)
    inputs = convert(arrays, lab.tensor)
    result = method.explain(inputs)
    assert type(result) is type(inputs)
    if isinstance(inputs, dict):
        assert list(result) == list(inputs)
    left, right = read(result)
    assert_close(lab.numpy(left), 2 * A * A * B)
    assert_close(lab.numpy(right), A * A * B)


def test_inputs_of_different_shapes(lab):
    rng = np.random.default_rng(82)
    a, b = rng.standard_normal((4, 2, 3)), rng.standard_normal((4,))
    model = lab.function(lambda ops, x, t: ops.sum(x * x) * t)
    method = polyattr.IntegratedGradients(
        model, backend=lab.name, rule="gauss-legendre", steps=2, batch_size=3
    )
    result = method.attribute((lab.tensor(a), lab.tensor(b)))
    # On t (a, b) the gradient by a is 2 a b t^2 and that by b is |a|^2 t^2.
    first, second = result.values
    assert_close(lab.numpy(first), 2 * a * a * b[:, None, None] / 3)
    assert_close(lab.numpy(second), (a * a).sum(axis=(1, 2)) * b / 3)
    assert np.abs(result.completeness_gap).max() <= 1e-5 * np.abs(result.scores).max()


def test_optional_arguments_of_the_model_stay_as_they_are(lab):
    def body(ops, x, scale=3.0):
        return ops.sum(x * x) * scale

    method = polyattr.GradientInput(lab.function(body), backend=lab.name)
    assert_close(lab.numpy(method.explain(lab.tensor(A))), 6 * A * A)


def test_numpy_in_native_out(lab):
    method = polyattr.GradientInput(lab.function(two_arguments), backend=lab.name)
    result = method.explain((A.astype(np.float32), B.astype(np.float32)))
    assert all(lab.is_native(leaf) for leaf in result)
    assert_close(lab.numpy(result[0]), 2 * A * A * B)


def test_numpy_becomes_the_dtype_of_a_module(lab):
    network = random_network(83, 3, 5, 2)
    method = polyattr.GradientInput(lab.network(network, softmax=False))
    for dtype in ("float64", "float32", "float16"):
        found = method.explain(A.astype(dtype), 1)
        assert lab.dtype(found) == "float32"
        x = A.astype(dtype).astype(np.float64)
        assert_close(lab.numpy(found), x * network.gradient(x, one_hot([1] * 4, 2)))


def test_a_non_contiguous_array(lab):
    x = RNG.standard_normal((3, 8))[:, ::2].T  # Fortran order, with gaps
    method = polyattr.GradientInput(lab.function(lambda ops, t: ops.sum(t * t)), backend=lab.name)
    assert_close(lab.numpy(method.explain(x)), 2 * x * x)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", named(METHODS))
def test_dtype_in_is_dtype_out(lab, dtype, name):
    noise = {"SmoothGrad": 0.0, "SquareGrad": 0.0, "VarGrad": 1.0}
    own = {"noise": noise[name]} if name in named(NOISY) else {}
    own |= {"rule": "midpoint"} if name == "IntegratedGradients" else {}
    own |= {"max_dist": 0.0, "steps": 2} if name == "GuidedIntegratedGradients" else {}
    with lab.double():
        method = getattr(polyattr, name)(
            lab.function(lambda ops, x: ops.sum(x * x)), backend=lab.name, batch_size=64, **own
        )
        x = lab.tensor(np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.25]]), dtype)
        result = method.attribute(x)
        assert lab.dtype(result.values) == dtype
        values, plain = lab.numpy(result.values).astype(np.float64), lab.numpy(x)
        assert_close(result.scores, (plain.astype(np.float64) ** 2).sum(axis=1), 1e-2)
    unit = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
    squares = Scored(lambda x: (x * x).sum(axis=1), lambda x: 2 * x)
    expected = {
        "Saliency": np.abs(2 * plain),
        "GradientInput": 2 * plain**2,
        "IntegratedGradients": plain**2,
        # Of two points the first lies a hundredth of the way inside.
        "GuidedIntegratedGradients": 1.01 * plain**2,
        "IDGI": (plain.T**2 / (plain**2).sum(1) * (plain**2).sum(1)).T,
        "BlurIntegratedGradients": blurred(squares, plain.astype(np.float64), 50.0, 50),
        "IntegratedDecisionGradients": decisions(squares, plain.astype(np.float64), 0.0, 50),
        "SmoothGrad": 2 * plain,
        "SquareGrad": 4 * plain**2,
        "VarGrad": values if name == "VarGrad" else None,
    }[name]
    # Sums are kept in float32 or wider: only the points and the result are rounded.
    assert_close(values, expected, 4 * unit[dtype])
    if name == "VarGrad":
        assert (values > 0).all()


def test_half_precision_sums_do_not_overflow_or_stall(lab):
    # 3000 gradients of 100 would be 300,000 in float16, beyond its 65,504; and 2048 + 1 = 2048.
    model = lab.function(lambda ops, x: ops.sum(x * 100.0))
    x = lab.tensor(np.ones((1, 2)), "float16")
    method = polyattr.SmoothGrad(model, backend=lab.name, nb_samples=3000)
    assert (lab.numpy(method.explain(x)) == 100.0).all()


def test_a_large_map_in_half_precision_is_not_called_infinite(lab):
    # The sum over one sample overflows float16; none of its elements does.
    x = lab.tensor(np.full((1, 40), 6e4), "float16")
    model = lab.function(lambda ops, t: ops.sum(t * 1e-4))
    found = lab.numpy(polyattr.Saliency(model, backend=lab.name).explain(x))
    assert_close(found, np.full((1, 40), 1e-4), 1e-2)


def test_an_array_in_the_other_byte_order(lab):
    # As files of other machines and formats bring them.
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    method = polyattr.GradientInput(lab.function(lambda ops, t: ops.sum(t * t)), backend=lab.name)
    assert_close(lab.numpy(method.explain(x.astype(">f4"))), 2 * x * x)


def test_a_numpy_array_of_bfloat16(lab):
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="NumPy has no bfloat16 of its own")
    x = np.array([[1.0, -2.0], [0.5, 3.0]], ml_dtypes.bfloat16)
    method = polyattr.GradientInput(lab.function(lambda ops, t: ops.sum(t * t)), backend=lab.name)
    found = method.explain(x)
    assert lab.dtype(found) == "bfloat16"
    assert_close(lab.numpy(found), [[2.0, 8.0], [0.5, 18.0]], 2.0**-8)
