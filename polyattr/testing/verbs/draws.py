"""Checks of `noise`: the framework's own random numbers."""

from __future__ import annotations

import numpy as np

from polyattr.testing import expect
from polyattr.testing.harness import Array, Harness


class DrawChecks(Harness):
    """A draw belongs to (seed, leaf, draw), whatever else is asked for."""

    def _noise(self, seed: int, draws: list[int], leaf: int = 0, rows: int = 2) -> Array:
        """Draws with the backend, for `rows` samples of shape (2, 3)."""
        found = self.backend.noise(seed, draws, leaf, self.native(np.ones((rows, 2, 3))))
        return self.host(found).copy()

    def test_noise_has_a_sample_per_draw(self) -> None:
        """One draw has the shape of one sample, however many samples there are."""
        self.need("native noise")
        expect.equal(self._noise(0, [4, 7, 9]).shape, (3, 2, 3), "shape")
        expect.same(self._noise(0, [4], rows=5), self._noise(0, [4]), "noise for more samples")

    def test_noise_depends_on_its_name_alone(self) -> None:
        """Not on which draws are asked for together, nor on what was drawn before."""
        self.need("native noise")
        together = self._noise(3, [0, 1, 2, 5])
        for place, draw in enumerate([0, 1, 2, 5]):
            expect.same(self._noise(3, [draw])[0], together[place], f"draw {draw} alone")
        expect.same(self._noise(3, [5, 2, 1, 0]), together[::-1], "draws in another order")

    def test_noise_of_other_names_differs(self) -> None:
        """Another seed, input or draw is another draw; seeds have 64 bits."""
        self.need("native noise")
        named = [
            self._noise(seed, [draw], leaf).ravel()
            for seed in (0, 1, 2**32, 2**63, 2**64 - 1)
            for leaf in (0, 1)
            for draw in (0, 1)
        ]
        values = np.stack(named)
        expect.equal(len(np.unique(values, axis=0)), len(named), "number of different draws")

    def test_noise_is_standard_normal(self) -> None:
        """Mean 0, variance 1, fourth moment 3, each within four standard errors."""
        self.need("native noise")
        like = self.native(np.ones((1, 100, 100)))
        sample = self.host(self.backend.noise(5, [0, 1, 2, 3], 0, like)).astype(np.float64)
        n = sample.size
        for moment, value, spread in ((1, 0, 1), (2, 1, 2), (4, 3, 96)):
            off = abs(float((sample**moment).mean()) - value)
            expect.true(off <= 4 * np.sqrt(spread / n), f"moment {moment} is off by {off:.3g}")
