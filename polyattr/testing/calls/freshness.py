"""Checks that a model replaced in part is never explained as it was before."""

from __future__ import annotations

from typing import Any

from polyattr.backend import Tensor
from polyattr.testing import expect
from polyattr.testing.harness import Array, Harness, order_one

_X = order_one(4, 3)
_BEFORE, _AFTER = order_one(3, seed=1), order_one(3, seed=2)


class FreshnessChecks(Harness):
    """A compiled kernel keeps what a function refers to; a call must find what it refers to now."""

    def test_a_closed_over_array_is_replaced(self) -> None:
        """A function whose variable names another array computes with that one."""
        weights = self.native(_BEFORE)

        def score(x: Tensor) -> Tensor:
            return self.backend.row_sums(x * x * weights)

        made = self.explainer("GradientInput", self.model(score))
        self._expect(made, _BEFORE)
        weights = self.native(_AFTER)
        self._expect(made, _AFTER)

    def test_an_attribute_is_replaced(self) -> None:
        """A callable object whose attribute is another array computes with that one."""
        sums = self.backend.row_sums

        class Weighted:
            """The weighted sum of squares."""

            def __init__(self, weights: Tensor) -> None:
                self.weights = weights

            def __call__(self, x: Tensor) -> Tensor:
                return sums(x * x * self.weights)

        weighted = Weighted(self.native(_BEFORE))
        made = self.explainer("GradientInput", self.model(weighted))
        self._expect(made, _BEFORE)
        weighted.weights = self.native(_AFTER)
        self._expect(made, _AFTER)

    def _expect(self, made: Any, weights: Array) -> None:
        for n in (4, 2):  # a kernel for every shape, all out of date at once
            x = _X[:n]
            found = self.host(made.explain(self.native(x)))
            expect.close(found, 2 * x * x * weights, 1e-6, "x * gradient")
