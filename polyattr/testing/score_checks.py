"""Checks of `maximum` and `reduce`, and of the tasks that are made of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import polyattr
from polyattr.backend import Tensor
from polyattr.testing import expect
from polyattr.testing.harness import FLOATS, Array, Harness, eighths, order_one
from polyattr.testing.models import rational

_NETWORK = rational(2)
_X = order_one(4, 4, seed=4)
_BOX = np.array([1.0, 1.0, 5.0, 4.0, 0.5, 1.0, 0.0])

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


class ScoreChecks(Harness):
    """Comparing and reducing, as scores of margins and of detected boxes do."""

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

    def test_margin(self) -> None:
        """The gradient of a class minus that of the best other one."""
        native = self.native(_X)
        model = self.model(_NETWORK.native(self.backend, native))
        made = self.explainer("GradientInput", model, operator="margin", batch_size=3)
        targets = np.array([0, 2, 1, 0])
        result = made.attribute(native, targets)
        outputs, rows = _NETWORK.outputs(_X), np.arange(4)
        others = np.where(np.eye(3)[targets] == 1, -np.inf, outputs)
        best = others.argmax(axis=1)
        wanted = _X * (_NETWORK.gradient(_X, targets) - _NETWORK.gradient(_X, best))
        expect.close(self.host(result.values), wanted, 1e-5, "x * gradient of the margin")
        margins = outputs[rows, targets] - outputs[rows, best]
        expect.close(result.scores, margins, 1e-5, "margins")

    def test_object_detection(self) -> None:
        """Overlap times objectness times similarity of the classes, of one box by hand."""
        box = np.array([[_BOX], [_BOX + np.array([1, 0, 1, 0, 0.25, 0, 1])]])
        model = self.model(lambda x: x * 1.0)
        made = self.explainer("Saliency", model, operator="object detection")
        reference = np.concatenate([np.tile(_BOX, (2, 1, 1)), np.zeros((2, 1, 7))], axis=1)
        result = made.attribute(self.native(box), reference)
        # Moved by 1 of 4, boxes share 3 of 5 columns; (1, 1) and (1, 0) are 45 degrees apart.
        expect.close(result.scores, [0.5, 0.75 * 0.6 / np.sqrt(2)], 1e-6, "similarity")
        by_objectness = self.host(result.values)[:, 0, 4]
        expect.close(by_objectness, [1.0, 0.6 / np.sqrt(2)], 1e-6, "gradient by objectness")

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
