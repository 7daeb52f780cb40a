"""The coordinates a call is answered in, and which ways its gradients may point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.axes import axes_of, check_axes
from polyattr.domains.domain import Domain
from polyattr.dtypes import FLOATS
from polyattr.errors import InputError, InputTypeError
from polyattr.question.inputs import Inputs
from polyattr.question.references import References
from polyattr.question.structure import flatten

SIMPLEX = "simplex"


@dataclass(frozen=True, eq=False)
class Space:
    """Where inputs in some containers are moved to; part of what a kernel is kept by.

    Domains are compared by identity: they may hold arrays, and a method keeps its own.

    Attributes:
        domains: A domain, or None, per input; empty where all stay.
        axis: The axis of simplices that gradients are tangent to, or None.
    """

    domains: tuple[Domain | None, ...]
    axis: int | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return (*map(id, self.domains), self.axis)

    def moved(self, backend: GradBackend, leaves: Sequence[Tensor]) -> list[Tensor]:
        """Returns coordinates (N, ...) of samples or baselines (N, ...)."""
        if not self.domains:
            return list(leaves)
        pairs = zip(self.domains, leaves, strict=True)
        return [x if domain is None else domain.forward(backend, x) for domain, x in pairs]

    def inputs(self, backend: GradBackend, leaves: Sequence[Tensor]) -> list[Tensor]:
        """Returns the inputs (R, ...) that the `leaves` (R, ...) are coordinates of."""
        if not self.domains:
            return list(leaves)
        pairs = zip(self.domains, leaves, strict=True)
        return [z if domain is None else domain.inverse(backend, z) for domain, z in pairs]

    def gradients(self, backend: GradBackend, leaves: Sequence[Tensor]) -> list[Tensor]:
        """Returns the part of gradients (R, ...) that lies in the tangent."""
        if self.axis is None:
            return list(leaves)
        found = []
        for leaf in leaves:
            (axis,) = axes_of("the axis of tangent", (self.axis,), len(leaf.shape))
            size = int(leaf.shape[axis])
            found.append(leaf - backend.along(leaf, np.full((size, size), 1 / size), axis))
        return found


@dataclass
class Spaces:
    """Finds the space for inputs, and tries whether it leads back.

    Attributes:
        domain: A `Domain` for all inputs; or one, or None, per input in their containers; or None.
        tangent: None, "simplex", or ("simplex", axis).
    """

    domain: Any
    tangent: Any
    _known: dict[object, Space] = field(default_factory=dict)
    _tried: set[object] = field(default_factory=set)

    def moved(self, backend: GradBackend, inputs: Inputs) -> Inputs:
        """Returns the `inputs` in the coordinates of their space; they know how to come back.

        Raises:
            InputError: The domains have other containers, or one does not lead back.
        """
        if self.domain is None and self.tangent is None:
            return inputs
        layout = inputs.layout
        key = (layout.values, layout.attributed)
        if key not in self._known:
            axis = None if self.tangent is None else tangent_axis(self.tangent)
            self._known[key] = Space(_of_each(self.domain, inputs), axis)
        space = self._known[key]
        there = space.moved(backend, inputs.leaves)
        kind = (key, tuple((tuple(x.shape[1:]), backend.dtype(x)) for x in inputs.leaves))
        if kind not in self._tried and all(map(backend.readable, inputs.leaves)):
            _try(backend, space, inputs, there)
            self._tried.add(kind)
        return replace(inputs, leaves=there, layout=replace(layout, space=space))

    def references(
        self, backend: GradBackend, given: References | None, at: Inputs
    ) -> References | None:
        """Returns the places where paths start, in the coordinates of the moved inputs `at`."""
        if given is None or at.layout.space is None:
            return given
        return replace(given, leaves=at.layout.space.moved(backend, given.leaves))


def tangent_axis(tangent: Any) -> int:
    """Returns the axis of simplices that `tangent` names: the last one unless told."""
    return -1 if tangent == SIMPLEX else int(tangent[1])


def check_tangent(name: str, tangent: Any) -> Any:
    """Checks for None, "simplex" or ("simplex", axis).

    Raises:
        InputTypeError: Something else.
        InputError: The axis of samples.
    """
    if tangent is None or tangent == SIMPLEX:
        return tangent
    pair = isinstance(tangent, tuple) and len(tangent) == 2 and tangent[0] == SIMPLEX
    if not pair:
        raise InputTypeError(
            f"{name} is {tangent!r}; expected None, 'simplex' for a one-hot last axis, or "
            f"('simplex', axis)"
        )
    check_axes(name, tangent[1:])
    return tangent


def check_domain(name: str, domain: Any) -> Any:
    """Checks for a domain, or containers of them.

    Raises:
        InputTypeError: Something else is among them.
    """
    for part in flatten(domain, name)[1]:
        if part is not None and not isinstance(part, Domain):
            hint = f": {part.__name__}()" if isinstance(part, type) else ""
            raise InputTypeError(
                f"{name} is {part!r}; expected a Domain, such as polyattr.domains.Fourier(), or "
                f"one or None per input in the containers of the inputs{hint}"
            )
    return domain


def _of_each(domain: Any, inputs: Inputs) -> tuple[Domain | None, ...]:
    """Returns the domain of each leaf.

    Raises:
        InputError: The domains have other containers than the inputs.
    """
    if domain is None:
        return ()
    if isinstance(domain, Domain):
        return (domain,) * len(inputs.leaves)
    structure, given = flatten(domain, "domain")
    wanted, attributed = inputs.layout.values, inputs.layout.attributed
    if structure.outline() != wanted.outline():
        raise InputError(
            f"domain is {structure.outline().replace('array', 'Domain')}; expected one Domain for "
            f"all inputs, or one or None for each in their containers, {wanted.outline()}"
        )
    return tuple(part for part, has in zip(given, attributed, strict=True) if has)


def _try(backend: GradBackend, space: Space, inputs: Inputs, there: Sequence[Tensor]) -> None:
    """Tries on two samples whether the way back ends where it began.

    Raises:
        InputError: It does not.
    """
    again = space.inputs(backend, [z[:2] for z in there])
    names = inputs.layout.names
    for name, domain, x, back in zip(names, space.domains, inputs.leaves, again, strict=False):
        given, found = (backend.to_numpy(t).astype(np.float64) for t in (x[:2], back))
        if found.shape != given.shape:
            raise InputError(
                f"{domain!r} leads back from shape {tuple(there[0].shape)} to {found.shape}; "
                f"expected {given.shape}, that of {name}"
            )
        off, size = np.abs(found - given).max(), np.abs(given).max()
        if not off <= FLOATS[backend.dtype(x)].noticeable * size:
            raise InputError(
                f"{domain!r} does not lead back to {name}: inverse(forward(x)) is off by "
                f"{off:.3g}, and x is {size:.3g} at most; expected it to be x"
            )
