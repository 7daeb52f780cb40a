"""Checks of `settle`: where a lazy framework evaluates."""

from __future__ import annotations

import numpy as np

from polyattr.testing import expect
from polyattr.testing.harness import Harness

_ROWS = np.ones((64, 256), np.float32)
_FEW, _MANY = 16, 256
# Frameworks that compute at once still have some dozens of steps under way at a time.
_UNDER_WAY = 96


class QueueChecks(Harness):
    """Nothing is left for later."""

    def test_settle(self) -> None:
        """A settled sum holds its value, not the steps that led to it, however many they were."""

        def add(steps: int) -> None:
            index = self.index([0, 1] * 32)
            total = self.native(np.zeros((2, 256)))
            for _ in range(steps):
                total = self.backend.fold(total, index, self.native(_ROWS))
                self.backend.settle([total])
            expect.same(self.host(total), np.full((2, 256), 32 * steps), "sum of all steps")

        add(1)  # what the framework sets up once is no part of it
        few, many = (self.peak(lambda steps=steps: add(steps)) for steps in (_FEW, _MANY))  # type: ignore[misc]  # a default binds the number
        expect.true(
            many - few < _UNDER_WAY * _ROWS.nbytes,
            f"{_FEW} steps held {few} bytes and {_MANY} steps {many}: a lazy framework has to "
            f"evaluate in settle(tensors)",
        )
