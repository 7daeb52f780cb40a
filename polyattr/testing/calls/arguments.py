"""Checks of what a model takes beside what is differentiated, and of rows kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polyattr
from polyattr.backend import Tensor
from polyattr.testing import expect
from polyattr.testing.harness import Harness, eighths, order_one
from polyattr.testing.models import square

_X = order_one(5, 3, seed=5)
_SCALE = eighths(5, seed=6) + 2
_IDS = np.array([[1, 2], [0, 3], [2, 2], [1, 0], [4, 1]], np.int32)


class ArgumentChecks(Harness):
    """Arguments that follow the rows, that are shared, or that are no tensors."""

    def _scaled(self) -> Any:
        """The sum of squares times a number per sample, and weights all samples share."""
        sums = self.backend.row_sums

        def score(x: Tensor, scale: Tensor, weight: Any = 1.0) -> Tensor:
            return sums(x * x * weight) * scale

        return score

    @pytest.mark.parametrize("batch_size", [2, None])
    @pytest.mark.parametrize("named", [False, True], ids=["by position", "by name"])
    def test_every_sample_has_its_own_argument(self, named: bool, batch_size: int | None) -> None:
        """Rows of an argument stay beside the rows of their sample, in every tile."""
        made = self.explainer(
            "IntegratedGradients",
            self.model(self._scaled()),
            steps=3,
            rule="simpson",
            batch_size=batch_size,
        )
        for factor in (1.0, -3.0):
            scale = self.native(factor * _SCALE)
            beside: Any = (
                {"forward_kwargs": {"scale": scale}} if named else {"forward_args": (scale,)}
            )
            found = made.explain(self.native(_X), **beside)
            wanted = factor * _X**2 * _SCALE[:, None]
            expect.close(self.host(found), wanted, 1e-5, "integral")

    def test_an_argument_all_samples_share(self) -> None:
        """What has no row per sample, or is said to have none, reaches every tile whole."""
        weight = order_one(3, 3, seed=7)
        made = self.explainer("GradientInput", self.model(self._product()), batch_size=2)
        for x in (_X, _X[:3]):
            found = made.explain(self.native(x), forward_args=(self.native(weight),), batched=False)
            wanted = 2 * (x @ weight) @ weight.T * x
            expect.close(self.host(found), wanted, 1e-5, "x * gradient")

    def _product(self) -> Any:
        """The sum of squares of x times a matrix."""

        def score(x: Tensor, matrix: Tensor) -> Tensor:
            y = x @ matrix
            return self.backend.row_sums(y * y)

        return score

    def test_inputs_without_a_gradient(self) -> None:
        """Integers, flags and None are passed on; their place in the result is None."""
        sums, cast = self.backend.row_sums, self.backend.cast

        def score(ids: Tensor, x: Tensor, flag: Any, none: Any) -> Tensor:
            expect.equal((flag, none), ("on", None), "what is no tensor")
            expect.equal(self.backend.dtype(ids), "int32", "dtype of the ids")
            return sums(x * x) * sums(cast(ids, "float32"))

        made = self.explainer("GradientInput", self.model(score), batch_size=2)
        inputs = {"ids": self.native(_IDS, "int32"), "x": self.native(_X), "flag": "on"}
        found = made.explain(inputs | {"none": None})
        expect.equal(list(found), ["ids", "x", "flag", "none"], "keys")
        rest = [found[key] for key in ("ids", "flag", "none")]
        expect.equal(rest, [None] * 3, "attributions of what has no gradient")
        wanted = 2 * _X**2 * _IDS.sum(axis=1, keepdims=True)
        expect.close(self.host(found["x"]), wanted, 1e-5, "x * gradient")

    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_a_model_that_mixes_samples(self, n: int) -> None:
        """A score that depends on the sample beside it is refused with that reason."""
        sums = self.backend.row_sums
        made = self.explainer("GradientInput", self.model(lambda x: sums(x * x[:1])))
        with pytest.raises(polyattr.ModelOutputError, match="scored on its own"):
            made.explain(self.native(_X[:n]))

    def test_batch_by_batch(self) -> None:
        """Results of a dataset come one by one, and no batch is read before its turn."""
        made = self.explainer("GradientInput", self.model(square(self.backend)))
        read: list[int] = []

        def dataset() -> Iterator[Tensor]:
            for start in (0, 2):
                read.append(start)
                yield self.native(_X[start : start + 2])

        results = made.explain_batches(dataset())
        expect.equal(read, [], "batches read before the first was asked for")
        for number, start in enumerate((0, 2), start=1):
            found = self.host(next(results))
            expect.equal(len(read), number, "batches read")
            expect.close(found, 2 * _X[start : start + 2] ** 2, 1e-6, "x * gradient")
