"""Checks of the framework's own random numbers, and of noise in the methods."""

from __future__ import annotations

import numpy as np
import pytest

from polyattr.testing import expect
from polyattr.testing.harness import Array, Harness, order_one
from polyattr.testing.models import cube, square

_SOURCES = ["portable", "native"]


class NoiseChecks(Harness):
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

    @pytest.mark.parametrize("source", _SOURCES)
    @pytest.mark.parametrize("name", ["SmoothGrad", "SquareGrad", "VarGrad"])
    def test_the_seed_decides(self, name: str, source: str) -> None:
        """The same seed gives the same map in every bit, another one another map."""
        if source == "native":
            self.need("native noise")
        model, x = self.model(cube(self.backend)), self.native(order_one(3, 4))

        def explain(seed: int) -> Array:
            settings = {"nb_samples": 5, "noise": 0.5, "noise_source": source, "seed": seed}
            return self.host(self.explainer(name, model, **settings).explain(x)).copy()

        first = explain(1)
        expect.same(explain(1), first, "map of the same seed")
        apart = np.abs(explain(2) - first).max()
        expect.true(apart > 1e-3, f"maps of two seeds differ by {apart} only")

    @pytest.mark.parametrize("batch_size", [1, 4])
    def test_native_noise_whatever_the_batch_size(self, batch_size: int) -> None:
        """Draws by the framework do not depend on how they are cut into calls, nor on the rows."""
        self.need("native noise")
        x = order_one(4, 3)
        # The gradient of the sum of cubes is 3 x^2: its variance depends on every draw.
        settings = {"nb_samples": 6, "noise": 0.5, "noise_source": "native"}
        model = self.model(cube(self.backend))
        numbers = [self.host(self.backend.noise(0, [d], 0, self.native(x)))[0] for d in range(6)]
        copies = np.stack([x + 0.5 * number.astype(np.float64) for number in numbers])
        wanted = (3 * copies**2).var(axis=0, ddof=1)
        made = self.explainer("VarGrad", model, batch_size=batch_size, **settings)
        expect.close(self.host(made.explain(self.native(x))), wanted, 1e-5, "VarGrad")

    def test_no_noise_is_the_gradient(self) -> None:
        """At noise 0 every draw is the input."""
        x = order_one(3, 4)
        made = self.explainer("SmoothGrad", self.model(square(self.backend)), noise=0.0)
        expect.close(self.host(made.explain(self.native(x))), 2 * x, 1e-6, "SmoothGrad")
