"""Checks of the verbs that compare: `absolute`, `maximum`, `reduce`, `ranks`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import polyattr
from polyattr.backend import Tensor
from polyattr.testing import expect
from polyattr.testing.harness import FLOATS, Array, Harness, eighths, order_one

_REDUCED: dict[str, Callable[[Array], Array]] = {
    "sum": lambda x: x.sum(axis=-1),
    "max": lambda x: x.max(axis=-1),
    "logsumexp": lambda x: np.log(np.exp(x).sum(axis=-1)),
}
_SLOPES: dict[str, Callable[[Array], Array]] = {
    "sum": np.ones_like,
    "max": lambda x: (x == x.max(axis=-1, keepdims=True)).astype(float),
    "logsumexp": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}


class ComparisonChecks(Harness):
    """Sizes, maxima and reductions."""

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_absolute(self, dtype: str) -> None:
        """Sizes, exactly, in their dtype and shape."""
        with self.numbers(dtype):
            x = eighths(3, 2, 2)
            found = self.backend.absolute(self.native(x, dtype))
            expect.equal(self.backend.dtype(found), dtype, "dtype")
            expect.same(self.host(found), np.abs(x), "absolute values")

    def test_grad_of_absolute(self) -> None:
        """The gradient is the sign."""
        x = np.array([[1.0, -2.0, 0.5], [-0.25, 3.0, -1.0]])
        _, (gradient,) = self.backend.grad(
            lambda rows: self.backend.row_sums(self.backend.absolute(rows[0])), [self.native(x)]
        )
        expect.same(self._host(gradient), np.sign(x), "gradient of the absolute value")

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_maximum(self, dtype: str) -> None:
        """The larger of two, exactly, in their dtype and broadcast."""
        with self.numbers(dtype):
            a, b = eighths(3, 1, 4), eighths(3, 2, 1, seed=1)
            found = self.backend.maximum(self.native(a, dtype), self.native(b, dtype))
            expect.equal(self.backend.dtype(found), dtype, "dtype")
            expect.same(self.host(found), np.maximum(a, b), "larger of two")

    def test_grad_of_maximum(self) -> None:
        """The larger one has the gradient; where both are equal, each has half."""
        a, b = np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 2.0, 4.0]])

        def score(rows: list[Tensor]) -> Tensor:
            return self.backend.row_sums(self.backend.maximum(rows[0], rows[1]))

        _, gradients = self.backend.grad(score, [self.native(a), self.native(b)])
        first, second = (self._host(gradient) for gradient in gradients)
        expect.same(first, [[1, 0.5, 0]], "gradient by the first")
        expect.same(second, [[0, 0.5, 1]], "gradient by the second")

    @pytest.mark.parametrize("kind", _REDUCED)
    @pytest.mark.parametrize("shape", [(4, 3), (4, 2, 5), (4, 2, 3, 1)], ids=str)
    def test_reduce(self, kind: str, shape: tuple[int, ...]) -> None:
        """The last axis is reduced, and the gradient is that of the reduction."""
        x = order_one(*shape)
        weights = eighths(*shape[:-1], seed=1) + 2
        native = self.native(weights)

        def score(rows: list[Tensor]) -> Tensor:
            return self.backend.row_sums(self._reduced(kind, rows[0]) * native)

        found = self._reduced(kind, self.native(x))
        expect.close(self.host(found), _REDUCED[kind](x), 1e-6, kind)
        _, (gradient,) = self.backend.grad(score, [self.native(x)])
        wanted = _SLOPES[kind](x) * weights[..., None]
        expect.close(self._host(gradient), wanted, 1e-6, f"gradient of {kind}")

    def test_reduce_shares_the_gradient_of_the_maximum(self) -> None:
        """Entries that are the maximum together have equal parts."""
        x = np.array([[2.0, 1.0, 2.0, 2.0], [0.0, 3.0, 3.0, 1.0]])
        scores, (gradient,) = self.backend.grad(
            lambda rows: self.backend.reduce("max", rows[0]), [self.native(x)]
        )
        expect.close(self.host(scores), [2, 3], 1e-6, "maximum")
        wanted = [[1 / 3, 0, 1 / 3, 1 / 3], [0, 0.5, 0.5, 0]]
        expect.close(self._host(gradient), wanted, 1e-6, "gradient of the maximum")

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_ranks(self, dtype: str) -> None:
        """The smaller entries of each row are counted over all tensors; equals have equal ranks."""
        with self.numbers(dtype):
            a, b = eighths(3, 2, 3), eighths(3, 5, seed=1)
            found = self.backend.ranks([self.native(a, dtype), self.native(b, dtype)])
            row = np.concatenate([a.reshape(3, -1), b], axis=1)
            wanted = (row[:, None, :] < row[:, :, None]).sum(axis=2)
            for part, values in zip(
                found, (wanted[:, :6].reshape(a.shape), wanted[:, 6:]), strict=True
            ):
                expect.equal(self.backend.dtype(part), "int32", "dtype")
                expect.same(self.host(part), values, "ranks")

    def _reduced(self, kind: str, tensor: Tensor) -> Tensor:
        """Reduces, or skips the check where the backend says it cannot."""
        try:
            return self.backend.reduce(kind, tensor)
        except polyattr.InputError as error:
            expect.true(kind == "logsumexp", f"{kind} is made of operators, yet: {error}")
            expect.true(self.backend.name in str(error), f"the backend is not named: {error}")
            pytest.skip(str(error))

    def _host(self, gradient: Tensor | None) -> Array:
        expect.true(gradient is not None, "an input that reaches the score has no gradient")
        return self.host(gradient)
