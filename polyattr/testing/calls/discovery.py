"""Checks of how a backend is found, by name or from a model's inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import polyattr
from polyattr.backend import get_backend
from polyattr.testing import expect
from polyattr.testing.harness import Harness, order_one
from polyattr.testing.models import square


class DiscoveryChecks(Harness):
    """Registration and detection."""

    def test_registered_by_name(self) -> None:
        """A registered backend is known by name, and methods use it."""
        x = order_one(3, 2)
        with self._registered():
            expect.true(self.backend.name in polyattr.backends(), "not among polyattr.backends()")
            made = polyattr.Saliency(
                self.model(square(self.backend)), backend=self.backend.name, batch_size=2
            )
            found = self.host(made.explain(self.native(x)))
        expect.close(found, np.abs(2 * x), 1e-6, "saliency")

    def test_detection(self) -> None:
        """Without `backend`, the inputs lead to the backend; NumPy arrays lead to nobody."""
        x = order_one(3, 2)
        if type(self.native(x)) is np.ndarray:
            pytest.skip("NumPy arrays are the framework's tensors, so backend= has to be given")
        with self._registered():
            made = polyattr.GradientInput(self.model(square(self.backend)))
            result = made.attribute(self.native(x))
        expect.equal(result.backend, self.backend.name, "backend found")
        expect.close(self.host(result.values), 2 * x * x, 1e-6, "x * gradient")

    @contextmanager
    def _registered(self) -> Iterator[None]:
        """Registers the backend for a while; one of the same name comes back afterwards."""
        name = self.backend.name
        before = get_backend(name) if name in polyattr.backends() else None
        polyattr.register(self.backend)
        try:
            yield
        finally:
            polyattr.unregister(name)
            if before is not None:
                polyattr.register(before)
