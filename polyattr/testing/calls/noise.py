"""Checks of noise in the methods, portable and the framework's own."""

from __future__ import annotations

import numpy as np
import pytest

from polyattr.testing import expect
from polyattr.testing.harness import Array, Harness, order_one
from polyattr.testing.models import cube, square
from polyattr.testing.reference import NOISY

_SOURCES = ["portable", "native"]


class NoiseChecks(Harness):
    """Maps belong to their seed, however draws are cut into calls."""

    @pytest.mark.parametrize("source", _SOURCES)
    @pytest.mark.parametrize("name", NOISY)
    def test_the_seed_decides(self, name: str, source: str) -> None:
        """The same seed gives the same map in every bit, another one another map."""
        if source == "native":
            self.need("native noise")
        model, x = self.model(cube(self.backend)), self.native(order_one(3, 4))

        def explain(seed: int) -> Array:
            settings = {"nb_samples": 5, "noise": 0.5, "noise_source": source, "seed": seed}
            return self.host(self.explainer(name, model, **settings).explain(x)).copy()

        first = explain(1)
        self.same_again(explain(1), first, "map of the same seed")
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
