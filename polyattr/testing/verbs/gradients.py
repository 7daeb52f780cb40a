"""Checks of `grad`, `connected` and the operators a score may be made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from polyattr.backend import NativeTensor, Tensor
from polyattr.testing import expect
from polyattr.testing.harness import FLOATS, ROUNDING, Harness, eighths, order_one
from polyattr.testing.models import cube, rational, square

_W = np.array([[1.0, 2.0], [-3.0, 0.5], [0.25, -1.0]])

# Operators that core or a user's model may use, as (function, derivative) of x in 1 .. 2.
_OPERATORS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "x + 2": (lambda x: x + 2, lambda x: 0 * x + 1),
    "2 - x": (lambda x: 2 - x, lambda x: 0 * x - 1),
    "-x": (lambda x: -x, lambda x: 0 * x - 1),
    "x * 2.5": (lambda x: x * 2.5, lambda x: 0 * x + 2.5),
    "x * x": (lambda x: x * x, lambda x: 2 * x),
    "1 / x": (lambda x: 1 / x, lambda x: -1 / x**2),
    "x / (1 + x)": (lambda x: x / (1 + x), lambda x: 1 / (1 + x) ** 2),
    "x ** 2": (lambda x: x**2, lambda x: 2 * x),
    "x[:, None]": (lambda x: x[:, None] * x[:, None], lambda x: 2 * x),
}


class GradientChecks(Harness):
    """The gradient of every row's score with respect to that row."""

    @pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 2, 3), (4, 2, 2, 3)], ids=str)
    def test_grad_of_a_quadratic(self, shape: tuple[int, ...]) -> None:
        """Every row has its own score and its own gradient, for inputs of rank 1 to 4."""
        x = order_one(*shape)
        scores, gradients = self.backend.grad(
            lambda rows: square(self.backend)(rows[0]), [self.native(x)]
        )
        expect.equal(len(gradients), 1, "number of gradients")
        sums = (x * x).reshape(4, -1).sum(axis=1)
        expect.close(self.host(scores), sums, 1e-6, "scores")
        expect.close(self.host(gradients[0]), 2 * x, 1e-6, "gradient of the sum of squares")

    def test_value_is_what_grad_differentiates(self) -> None:
        """A value read without a gradient is that of the score `grad` takes, in any container."""
        rows = [self.native(order_one(4, 3))]
        score = square(self.backend)
        scores, _ = self.backend.grad(lambda leaves: score(leaves[0]), rows)
        found = self.backend.value(lambda leaves: [score(leaves[0])], rows)
        expect.same(self.host(found[0]), self.host(scores), "values")

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_grad_keeps_the_dtype(self, dtype: str) -> None:
        """Scores and gradients have the dtype of the rows and its accuracy."""
        with self.numbers(dtype):
            x = eighths(3, 2)
            scores, gradients = self.backend.grad(
                lambda rows: cube(self.backend)(rows[0]), [self.native(x, dtype)]
            )
            expect.equal(self.backend.dtype(scores), dtype, "dtype of the scores")
            expect.equal(self.backend.dtype(gradients[0]), dtype, "dtype of the gradient")
            found = self.host(gradients[0])
            expect.close(found, 3 * x * x, 4 * ROUNDING[dtype], "gradient of the sum of cubes")

    @pytest.mark.parametrize("name", _OPERATORS)
    def test_grad_through_operators(self, name: str) -> None:
        """Python operators on tensors, with numbers on either side, have their derivatives."""
        function, derivative = _OPERATORS[name]
        x = np.array([[1.0, 1.25, 2.0], [1.75, 1.125, 1.0]])

        def score(rows: list[Tensor]) -> Tensor:
            return self.backend.row_sums(function(rows[0]))

        scores, gradients = self.backend.grad(score, [self.native(x)])
        wanted = function(x).reshape(2, -1).sum(axis=1)
        expect.close(self.host(scores), wanted, 1e-6, f"sum of {name}")
        expect.close(self.host(gradients[0]), derivative(x), 1e-6, f"derivative of {name}")

    def test_grad_through_matmul_and_pick(self) -> None:
        """The score of one class per row, picked from the outputs of a matrix product."""
        x, classes = order_one(3, 3), [1, 0, 1]
        weights, index = self.native(_W), self.index(classes)

        def score(rows: list[Tensor]) -> Tensor:
            outputs = rows[0] @ weights
            return self.backend.pick(outputs * outputs, [index])

        scores, gradients = self.backend.grad(score, [self.native(x)])
        chosen = (x @ _W)[np.arange(3), classes]
        expect.close(self.host(scores), chosen**2, 1e-6, "scores")
        expect.close(self.host(gradients[0]), 2 * chosen[:, None] * _W.T[classes], 1e-6, "gradient")

    def test_grad_of_several_inputs(self) -> None:
        """Each input has a gradient of its own shape, in the order of the inputs."""
        a, b = order_one(3, 2, seed=1), order_one(3, 2, 2, seed=2)

        def score(rows: list[Tensor]) -> Tensor:
            return self.backend.row_sums(rows[0] * rows[0]) * self.backend.row_sums(rows[1])

        _, (of_a, of_b) = self.backend.grad(score, [self.native(a), self.native(b)])
        total, squares = b.sum(axis=(1, 2)), (a * a).sum(axis=1)
        expect.close(self.host(of_a), 2 * a * total[:, None], 1e-5, "gradient of the first")
        wanted = np.broadcast_to(squares[:, None, None], b.shape)
        expect.close(self.host(of_b), wanted, 1e-5, "gradient of the second")

    def test_grad_of_an_unused_input(self) -> None:
        """An input the score does not read has no gradient, or one of zeros."""
        x = order_one(3, 2)
        rows = [self.native(x), self.native(order_one(3, 4))]
        _, (used, unused) = self.backend.grad(lambda r: square(self.backend)(r[0]), rows)
        expect.close(self.host(used), 2 * x, 1e-6, "gradient of the input that is used")
        if unused is not None:
            expect.same(self.host(unused), np.zeros((3, 4)), "gradient of the unused input")

    def test_grad_of_a_constant(self) -> None:
        """A score that reads no input is no failure."""
        rows = [self.native(order_one(3, 2))]
        constant = self.native([1.0, 2.0, 3.0])
        scores, (gradient,) = self.backend.grad(lambda _: constant, rows)
        expect.same(self.host(scores), [1.0, 2.0, 3.0], "scores")
        if gradient is not None:
            expect.same(self.host(gradient), np.zeros((3, 2)), "gradient of a constant")

    def test_grad_of_one_tensor_as_two_inputs(self) -> None:
        """Each place of a tensor that is given twice has its own gradient, not their sum."""
        x = order_one(3, 2)
        native = self.native(x)

        def score(rows: list[Tensor]) -> Tensor:
            return self.backend.row_sums(rows[0] * rows[0]) + self.backend.row_sums(rows[1] * 5.0)

        _, (first, second) = self.backend.grad(score, [native, native])
        expect.close(self.host(first), 2 * x, 1e-6, "gradient by the first place")
        expect.close(self.host(second), np.full((3, 2), 5.0), 1e-6, "gradient by the second place")

    def test_differentiable_grad(self) -> None:
        """What `grad` finds, whether or not it can be differentiated once more."""
        x = order_one(3, 2)
        native = self.native(x)
        scores, gradients = self.backend.differentiable_grad(
            lambda rows: cube(self.backend)(rows[0]), [native]
        )
        expect.equal(len(gradients), 1, "number of gradients")
        expect.close(self.host(scores), (x**3).sum(axis=1), 1e-5, "scores")
        expect.close(self.host(gradients[0]), 3 * x * x, 1e-6, "gradient of the sum of cubes")

    def test_grad_each(self) -> None:
        """Several scores of the same rows have what `grad` finds for each of them."""
        x = order_one(3, 2)
        rows = [self.native(x), self.native(order_one(3, 4))]
        kinds = (square(self.backend), cube(self.backend))
        scores, gradients = self.backend.grad_each(
            lambda leaves: [score(leaves[0]) for score in kinds], rows, 2
        )
        expect.equal((len(scores), len(gradients)), (2, 2), "number of scores and gradients")
        wanted = [((x**2).sum(axis=1), 2 * x), ((x**3).sum(axis=1), 3 * x * x)]
        for found, (used, unused), (score, slope) in zip(scores, gradients, wanted, strict=True):
            expect.close(self.host(found), score, 1e-5, "scores")
            expect.close(self.host(used), slope, 1e-5, "gradient")
            if unused is not None:
                expect.same(self.host(unused), np.zeros((3, 4)), "gradient of the unused input")

    def test_grad_is_detached(self) -> None:
        """Scores and gradients are plain tensors: nothing of the differentiation stays with them.

        A recorded tensor is told from a plain one by NumPy, which cannot read it; where NumPy
        reads no tensor of the framework, by its class.
        """
        x = self.native(order_one(3, 2))
        plain = _kind(x)
        scores, gradients = self.backend.grad(lambda rows: cube(self.backend)(rows[0]), [x])
        for tensor, what in ((scores, "scores"), (gradients[0], "gradient"), (x, "input")):
            expect.equal(_kind(tensor), plain, f"kind of tensor in the {what}")

    def test_grad_leaves_no_gradient_on_weights(self) -> None:
        """Weights a score is computed with are not differentiated, and have no gradient later."""
        weights = self.parameter(order_one(3, 2, seed=1))
        if weights is None:
            pytest.skip("the subclass has no parameter(array) hook")
        before = getattr(weights, "grad", None)

        def score(rows: list[Tensor]) -> Tensor:
            outputs = rows[0] @ weights
            return self.backend.row_sums(outputs * outputs)

        with self.backend.session(None):
            self.backend.grad(score, [self.native(order_one(4, 3))])
        found = getattr(weights, "grad", None)
        expect.true(found is before, f"`.grad` of the weights was {before}, and is now {found}")

    def test_grad_leaves_the_rows_alone(self) -> None:
        """Rows keep their values, and a second call finds what the first one found."""
        x = order_one(3, 4)
        native = self.native(x)
        network = rational().native(self.backend, native)

        def score(rows: list[Tensor]) -> Tensor:
            return self.backend.row_sums(network(rows[0]))

        first = self.host(self.backend.grad(score, [native])[1][0]).copy()
        second = self.host(self.backend.grad(score, [native])[1][0])
        expect.same(second, first, "gradient of the second call")
        expect.same(self.host(native), x.astype(np.float32), "rows after the calls")

    def test_connected(self) -> None:
        """Inputs that are read are told from those that are not."""
        self.need("connected")
        rows = [self.native(order_one(2, 3)), self.native(order_one(2, 2))]
        for used in (0, 1):
            found = self.backend.connected(lambda r, i=used: square(self.backend)(r[i]), rows)  # type: ignore[misc]  # a default binds the index
            expect.equal(list(found), [used == 0, used == 1], "connected inputs")

    def test_connected_where_the_gradient_is_zero(self) -> None:
        """A gradient that happens to be zero at this point is still a connection."""
        rows = [self.native(np.zeros((2, 3)))]
        found = self.backend.connected(lambda r: square(self.backend)(r[0]), rows)
        expect.equal(list(found), [True], "connected inputs")


def _kind(tensor: NativeTensor) -> object:
    """Returns the dtype NumPy sees in a tensor, or the tensor's class where it sees none."""
    try:
        seen = np.asarray(tensor).dtype
    except (TypeError, RuntimeError, ValueError):
        return type(tensor)
    return seen if seen.kind == "f" else type(tensor)
