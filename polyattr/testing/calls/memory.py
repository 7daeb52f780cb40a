"""Checks that memory does not grow with the number of points of a method."""

from __future__ import annotations

import numpy as np

from polyattr.testing import expect
from polyattr.testing.harness import Harness
from polyattr.testing.models import square

_FEATURES = 16384
_FEW, _MANY = 16, 256
# Frameworks that compute at once still have some dozens of tiles under way at a time.
_UNDER_WAY = 96


class MemoryChecks(Harness):
    """What is done is done."""

    def test_memory_does_not_grow_with_the_draws(self) -> None:
        """Peak memory stays flat in the number of tiles, also where a framework is lazy."""
        x = self.native(np.ones((1, _FEATURES)))
        model = self.model(square(self.backend))

        def smooth(draws: int) -> None:
            made = self.explainer("SmoothGrad", model, nb_samples=draws, batch_size=1)
            expect.equal(tuple(made.explain(x).shape), (1, _FEATURES), "shape of the map")

        smooth(2)  # what the framework sets up once is no part of it
        few, many = (self.peak(lambda draws=draws: smooth(draws)) for draws in (_FEW, _MANY))  # type: ignore[misc]  # a default binds the number
        expect.true(
            many - few < _UNDER_WAY * _FEATURES * 4,
            f"{_FEW} draws held {few} bytes and {_MANY} draws {many}: is the work of a tile "
            f"evaluated before the next one, by settle(tensors)?",
        )
