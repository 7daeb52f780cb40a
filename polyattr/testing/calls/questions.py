"""Checks of what a user may ask: targets, containers, NumPy inputs; and of questions that fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polyattr
from polyattr.backend import Tensor
from polyattr.testing import expect
from polyattr.testing.harness import Array, Harness, order_one
from polyattr.testing.models import Fragile, GaveUpError, cube, linear, rational, square
from polyattr.testing.reference import METHODS

_NETWORK = rational(1)
_X = order_one(4, 4, seed=2)
_WEIGHTS = order_one(4, 3, seed=3)
_PREDICTED = _NETWORK.outputs(_X).argmax(axis=1)

# Targets as a user writes them, and the weights of the outputs they stand for.
_TARGETS: dict[str, tuple[Any, Array]] = {
    "one class": (2, np.eye(3)[[2, 2, 2, 2]]),
    "a class per sample": (np.array([0, 2, 1, 0]), np.eye(3)[[0, 2, 1, 0]]),
    "a list": ([1, 1, 0, 2], np.eye(3)[[1, 1, 0, 2]]),
    "weights": (_WEIGHTS, _WEIGHTS),
    "the predicted class": (None, np.eye(3)[_PREDICTED]),
    "a callable": (lambda outputs: outputs[:, 1] * 2.0, 2 * np.eye(3)[[1, 1, 1, 1]]),
}


def _gradient(weights: Array) -> Array:
    """The gradient of the weighted outputs, class by class."""
    rows = len(_X)
    parts = [_NETWORK.gradient(_X, np.full(rows, c)) * weights[:, [c]] for c in range(3)]
    total: Array = np.sum(parts, axis=0)
    return total


class QuestionChecks(Harness):
    """Inputs and targets of every kind, and nothing left behind when a call fails."""

    @pytest.mark.parametrize("name", _TARGETS)
    def test_targets(self, name: str) -> None:
        """Every way to say what is explained."""
        targets, weights = _TARGETS[name]
        x = self.native(_X)
        model = self.model(_NETWORK.native(self.backend, x))
        made = self.explainer("GradientInput", model, batch_size=3, operator="classification")
        found = made.explain(x, targets)
        expect.close(self.host(found), _X * _gradient(weights), 1e-5, "x * gradient")

    def test_targets_of_outputs_with_more_axes(self) -> None:
        """A tuple of indices names one output of (N, 4, 2)."""
        factors = self.native([[1.0, 3.0]])

        def outputs(x: Tensor) -> Tensor:
            return (x * x)[:, :, None] * factors

        made = self.explainer("Saliency", self.model(outputs), batch_size=3)
        found = self.host(made.explain(self.native(_X), (np.array([0, 3, 1, 2]), 1)))
        wanted = np.abs(6 * _X) * np.eye(4)[[0, 3, 1, 2]]
        expect.close(found, wanted, 1e-6, "saliency")

    @pytest.mark.parametrize("name", METHODS)
    def test_containers_stay(self, name: str) -> None:
        """Several inputs come back in the containers, shapes and types they came in."""
        x, y = order_one(3, 2), order_one(3, 2, 2)
        a, b = self.native(x), self.native(y)
        model = self.model(self._two_inputs())
        pair = self.method(name, model, (x, y)).explain((a, b))
        expect.equal(type(pair), tuple, "container")
        expect.equal([tuple(t.shape) for t in pair], [(3, 2), (3, 2, 2)], "shapes")
        named = self.method(name, model, {"a": x, "b": y}).explain({"a": a, "b": b})
        expect.equal(list(named), ["a", "b"], "keys")
        for i, key in enumerate(("a", "b")):
            self.same_again(self.host(named[key]), self.host(pair[i]), "attributions in a dict")

    def _two_inputs(self) -> Any:
        """The sum of squares of the first input times the sum of the second."""
        sums = self.backend.row_sums

        def score(a: Tensor, b: Tensor) -> Tensor:
            return sums(a * a) * sums(b)

        return score

    def test_values_of_several_inputs(self) -> None:
        """Integrated gradients of a product of two inputs, each with its own baseline."""
        a, b = order_one(3, 2), order_one(3, 2, 2, seed=1)
        made = self.explainer(
            "IntegratedGradients", self.model(self._two_inputs()), rule="simpson", steps=5
        )
        found = made.explain((self.native(a), self.native(b)), baselines=(0.0, 0.0))
        # Along t (a, b) the score is t^3 f: the gradients integrate to 1/3 of those at the end.
        of_a = 2 * a * a * b.sum(axis=(1, 2))[:, None] / 3
        of_b = b * (a * a).sum(axis=1)[:, None, None] / 3
        expect.close(self.host(found[0]), of_a, 1e-5, "first input")
        expect.close(self.host(found[1]), of_b, 1e-5, "second input")

    def test_one_tensor_as_two_inputs(self) -> None:
        """A tensor that is given twice has one map for each place, not their sum twice."""
        x = order_one(3, 2)
        native = self.native(x)
        score = self._two_inputs()
        made = self.explainer("GradientInput", self.model(score))
        first, second = made.explain((native, native))
        squares, sums = (x * x).sum(axis=1), x.sum(axis=1)
        expect.close(self.host(first), 2 * x * x * sums[:, None], 1e-5, "first place")
        expect.close(self.host(second), x * squares[:, None], 1e-5, "second place")

    def test_numpy_inputs(self) -> None:
        """NumPy arrays are converted, keep their values, and native tensors come back."""
        x = order_one(3, 4).astype(np.float32)
        kept = x.copy()
        made = self.explainer("GradientInput", self.model(square(self.backend)))
        found = self.host(made.explain(x))
        x[:] = 0.0
        expect.close(found, 2 * kept * kept, 1e-6, "x * gradient, after x was overwritten")

    def test_an_unused_input(self) -> None:
        """An input the model does not read has zero attribution, and a warning names it."""
        self.need("connected")
        model = self.model(lambda a, b: self.backend.row_sums(a * a))  # noqa: ARG005
        a, b = self.native(order_one(3, 2)), self.native(order_one(3, 4))
        made = self.explainer("GradientInput", model)
        with pytest.warns(polyattr.UnusedInputWarning, match=r"inputs\[1\]"):
            found = made.explain((a, b))
        expect.same(self.host(found[1]), np.zeros((3, 4)), "attributions of the unused input")
        expect.close(self.host(found[0]), 2 * order_one(3, 2) ** 2, 1e-6, "of the other")

    def test_a_gradient_that_is_not_finite(self) -> None:
        """An infinite gradient is an error, never a map."""
        x = self.native([[1.0, 2.0], [3.0, 4.0]])
        made = self.explainer(
            "Saliency", self.model(linear(self.backend, np.array([np.inf, 1]), x))
        )
        with pytest.raises(polyattr.NonFiniteGradientError, match="sample 0"):
            made.explain(x)

    @pytest.mark.parametrize("name", METHODS)
    def test_calls_leave_nothing_behind(self, name: str) -> None:
        """Settings, random state and inputs are as they were, and a second call as the first."""
        x = self.native(_X)
        model = self.model(_NETWORK.native(self.backend, x))
        made = self.method(name, model, _X, batch_size=3, operator="classification")
        with self.unchanged():
            first = self.host(made.attribute(x).values).copy()
            second = self.host(made.explain(x))
        self.same_again(second, first, "attributions of the second call")
        expect.same(self.host(x), _X.astype(np.float32), "inputs after the calls")

    @pytest.mark.parametrize("nth", [1, 2, 3])
    def test_a_model_that_raises(self, nth: int) -> None:
        """The model's own error arrives, nothing is left behind, and the explainer still works."""
        fragile = Fragile(self.backend)
        made = self.explainer(
            "IntegratedGradients", self.model(fragile), steps=3, batch_size=4, rule="simpson"
        )
        x = order_one(5, 2)

        # Compiled models run Python while traced: batches of new sizes bring them to it again.
        def batches() -> Any:
            for size in (5, 2, 1):
                yield self.native(x[:size])

        fragile.left = nth
        with self.unchanged(), pytest.raises(GaveUpError, match="the model gave up"):
            made.explain(batches())
        fragile.left = 0
        expect.close(self.host(made.explain(self.native(x))), x**3, 1e-5, "integral afterwards")

    def test_a_call_that_runs_out_of_memory(self) -> None:
        """Tiles are halved until they fit, and the answer is what it would have been."""
        cubes = cube(self.backend)

        def hungry(x: Tensor) -> Tensor:
            if x.shape[0] > 4:
                raise MemoryError(f"no room for {x.shape[0]} rows")
            return cubes(x)

        expect.true(self.backend.is_out_of_memory(MemoryError("full")), "MemoryError is not known")
        other = self.backend.is_out_of_memory(ValueError("wrong"))
        expect.true(not other, "a ValueError is taken for a lack of memory")
        x = order_one(5, 2)
        made = self.explainer(
            "IntegratedGradients", self.model(hungry), steps=3, batch_size=9, rule="simpson"
        )
        expect.close(self.host(made.explain(self.native(x))), x**3, 1e-5, "integral")
