"""Checks of what a backend says of itself and of others: name, version, claims, models."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import numpy as np
import pytest

import polyattr
from polyattr.backend import INTERFACE_VERSION, BoundModel, GradBackend, Snapshot
from polyattr.backend.registry import get_backend
from polyattr.testing import expect
from polyattr.testing.harness import Harness, order_one
from polyattr.testing.models import GaveUpError, rational, square


class _Foreign:
    """Looks like a tensor of some other framework."""

    shape, dtype, ndim = (2, 3), "float32", 2

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.zeros(self.shape)

    def __call__(self, x: Any) -> Any:
        return x


class RecognitionChecks(Harness):
    """Recognising tensors and models, binding them, surrounding a call."""

    def test_interface_version(self) -> None:
        """The backend speaks this version of the interface, under its framework's import name."""
        backend = self.backend
        expect.true(isinstance(backend, GradBackend), f"{backend!r} is no GradBackend instance")
        expect.equal(backend.interface, INTERFACE_VERSION, "interface version")
        expect.true(backend.name in repr(backend), "repr does not show the name")
        known = backend.name in sys.modules or importlib.util.find_spec(backend.name)
        expect.true(known, f"name {backend.name!r} is not that of a framework to import")
        expect.true(get_backend(backend) is backend, "the instance is not accepted as a backend")

    def test_claims_its_own(self) -> None:
        """Its tensors and models are claimed; NumPy's arrays are everybody's, so never."""
        native, model = self.native(order_one(2, 2)), self.model(square(self.backend))
        if type(native) is not np.ndarray:
            expect.true(self.backend.claims(native), f"{type(native)} is not claimed")
        if type(model) is not type(square(self.backend)):
            expect.true(self.backend.claims(model), f"{type(model)} is not claimed")

    def test_claims_nothing_else(self) -> None:
        """Neither arrays, containers, plain functions, nor other frameworks' tensors."""
        others = [
            np.zeros(3),
            np.float32(1),
            [1.0],
            (),
            {},
            None,
            1.5,
            "model",
            object(),
            _Foreign(),
            lambda x: x,
            np,
            type(self.backend),
            self.backend,
            *self._other_tensors(),
        ]
        claimed = [other for other in others if self.backend.claims(other)]
        expect.true(not claimed, f"claimed, though not its own: {claimed}")

    def _other_tensors(self) -> list[Any]:
        """A tensor of every other backend whose framework is imported."""
        names = [n for n in polyattr.backends() if n in sys.modules and n != self.backend.name]
        return [get_backend(name).to_native(np.ones((2, 2), np.float32)) for name in names]

    def test_is_tensor(self) -> None:
        """Tensors are told from what merely looks like them."""
        expect.true(self.backend.is_tensor(self.native(order_one(2))), "its own tensor is none")
        for other in ([1.0], None, 1.5, "x", _Foreign(), *self._other_tensors()):
            expect.true(not self.backend.is_tensor(other), f"{other!r} is taken for a tensor")

    def test_bind(self) -> None:
        """A bound model computes what the model computes, and knows its state and signature."""
        network, x = rational(), order_one(3, 4)
        bound = self.backend.bind(self.model(network.native(self.backend, self.native(x))))
        expect.true(isinstance(bound, BoundModel), f"{type(bound)} is no BoundModel")
        with bound.inference():
            outputs = bound.run(bound.state(), (self.native(x),), {})
        expect.close(self.host(outputs), network.outputs(x), 1e-5, "outputs")
        snapshot = Snapshot(bound.watched(), self.backend.is_tensor)
        with bound.inference():
            bound.run(bound.state(), (self.native(x),), {})
        stays = snapshot.holds() or snapshot.same(Snapshot(bound.watched(), self.backend.is_tensor))
        expect.true(stays, "what is watched changes though the model does not: it would recompile")

    def test_bind_names_a_layer_that_is_not_there(self) -> None:
        """An unknown layer is an error that names it."""
        model = self.model(square(self.backend))
        with pytest.raises(polyattr.LayerNotFoundError, match="no_such_layer"):
            self.backend.bind(model).layer("no_such_layer", "output_layer")

    def test_session_restores(self) -> None:
        """A session surrounds a gradient and leaves settings as they were, also after an error."""
        x = order_one(3, 2)
        native = self.native(x)
        with self.unchanged():
            for like in (native, None):
                with self.backend.session(like):
                    _, (gradient,) = self.backend.grad(
                        lambda rows: square(self.backend)(rows[0]), [native]
                    )
                expect.close(self.host(gradient), 2 * x, 1e-6, "gradient within a session")
            with pytest.raises(GaveUpError), self.backend.session(native):
                raise GaveUpError

    def test_devices(self) -> None:
        """Devices have names, and a tensor says whether it is on an accelerator."""
        devices = self.backend.devices()
        named = len(devices) > 0 and all(isinstance(device, str) for device in devices)
        expect.true(named, f"devices are {devices!r}; expected names")
        one, other = self.native([1.0]), self.native([[2.0, 3.0]])
        places = {self.backend.device(tensor) for tensor in (one, other)}
        expect.equal(len(places), 1, "number of places of two tensors")
        expect.true(self.backend.readable(one), "a tensor with values counts as traced")
        found = self.backend.accelerated(one)
        expect.true(isinstance(found, bool), f"accelerated gave {found!r}; expected a bool")
