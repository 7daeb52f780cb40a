"""How a model call is put together: what is differentiated, what comes along, what is fixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from polyattr.backend import GradBackend, Likeness, Tensor
from polyattr.question.structure import Structure

_BY_VALUE = frozenset({str, bytes, bool, int, float, complex, type(None)})


class Context(NamedTuple):
    """Tensors a kernel takes beside the ones it differentiates.

    Attributes:
        goals: Targets, (N, ...) each.
        companions: Arguments of the model that belong to a sample, (N, ...) each.
        shared: Arguments of the model that all samples share.
    """

    goals: list[Tensor]
    companions: list[Tensor]
    shared: list[Tensor]

    def rows(self, take: Callable[[list[Tensor]], list[Tensor]]) -> Context:
        """Takes the same rows of everything that has a sample axis."""
        return self._replace(goals=take(self.goals), companions=take(self.companions))


class Fixed:
    """An argument that is no tensor: part of a compiled kernel, so equal ones share a kernel.

    Args:
        value: The argument.
        is_tensor: Tells the framework's tensors.

    Attributes:
        certain: Whether all that can be reached from it could be followed.
    """

    def __init__(self, value: Any, is_tensor: Callable[[Any], bool]) -> None:
        self.value, self.certain = value, True
        self._key: object
        if type(value) in _BY_VALUE or isinstance(value, np.generic):
            # The repr tells -0.0 from 0.0, which are equal and divide differently; NaN equals
            # nothing.
            self._key = (type(value), value if value == value else None, repr(value))
        else:
            self._key = likeness = Likeness(value, is_tensor)
            self.certain = likeness.certain

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Fixed({self.value!r})"


class Coordinates(Protocol):
    """What tensors stand for that are not the inputs themselves."""

    def moved(self, backend: GradBackend, leaves: Sequence[Tensor]) -> list[Tensor]:
        """Returns coordinates (N, ...) of samples or baselines (N, ...)."""

    def inputs(self, backend: GradBackend, leaves: Sequence[Tensor]) -> list[Tensor]:
        """Returns the inputs (R, ...) that the `leaves` (R, ...) are coordinates of."""

    def gradients(self, backend: GradBackend, leaves: Sequence[Tensor]) -> list[Tensor]:
        """Returns the part of gradients (R, ...) that counts."""


@dataclass(frozen=True)
class Added:
    """Tensors that are differentiated at layers, beside those that the model is called with.

    For each layer one that is added to its activation, and after those of all layers one that is
    multiplied with it and added to the score. Both are zeros: the gradient by the first is that of
    the score by the activation, and the gradient by the second the activation itself.

    Attributes:
        values: Containers of the activations, by layer.
        attributed: For each leaf of `values` whether it has an attribution.
        multiplied: Whether the second are there, rather than left out to see what depends on what.
    """

    values: Structure
    attributed: tuple[bool, ...]
    multiplied: bool = True

    @property
    def count(self) -> int:
        """How many tensors of each kind there are."""
        return sum(self.attributed)

    def split(self, x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Splits differentiated tensors: those of the inputs, the added, the multiplied."""
        first, second = len(x) - 2 * self.count, len(x) - self.count
        return list(x[:first]), list(x[first:second]), list(x[second:])


@dataclass(frozen=True)
class Layout:
    """The static part of a call: hashable, and compiled into a kernel.

    Attributes:
        inputs: Containers of the inputs.
        args: Containers of `forward_args`.
        kwargs: Containers of `forward_kwargs`.
        slots: Where each leaf of the three comes from, in this order: ("x", i) a differentiated
            tensor, ("companion", i), ("shared", i), or ("fixed", i).
        fixed: What is no tensor.
        values: Containers of the attributions.
        attributed: For each leaf of `values` whether it has an attribution; None otherwise.
        space: What the differentiated tensors are coordinates in; None for the inputs themselves.
        added: What is differentiated at layers, beside the inputs.
    """

    inputs: Structure
    args: Structure
    kwargs: Structure
    slots: tuple[tuple[str, int], ...]
    fixed: tuple[Fixed, ...]
    values: Structure
    attributed: tuple[bool, ...]
    space: Coordinates | None = None
    added: Added | None = None

    @property
    def certain(self) -> bool:
        """Whether all that is no tensor could be followed."""
        return all(entry.certain for entry in self.fixed)

    @property
    def names(self) -> tuple[str, ...]:
        """How a user would write each differentiated tensor."""
        added = self.added
        names = _chosen(self.values, self.attributed)
        return names if added is None else names + 2 * _chosen(added.values, added.attributed)

    def arguments(self, x: Sequence[Tensor], context: Context) -> tuple[Any, Any, Any]:
        """Builds the inputs, the further positional and the further keyword arguments."""
        pools = {
            "x": x,
            "companion": context.companions,
            "shared": context.shared,
            "fixed": [entry.value for entry in self.fixed],
        }
        leaves = [pools[kind][number] for kind, number in self.slots]
        built, start = [], 0
        for part in (self.inputs, self.args, self.kwargs):
            built.append(part.build(leaves[start : start + len(part.names)]))
            start += len(part.names)
        return built[0], built[1], built[2]

    def result(self, leaves: Sequence[Any]) -> Any:
        """Puts one value per differentiated tensor into the containers of the attributions."""
        containers, attributed = self.values, self.attributed
        if self.added is not None:
            containers, attributed = self.added.values, self.added.attributed
            leaves = self.added.split(leaves)[1]
        values = iter(leaves)
        return containers.build([next(values) if has else None for has in attributed])

    def through(self, values: Structure, attributed: tuple[bool, ...]) -> Layout:
        """Returns the layout with the differentiated tensors turned into companions.

        What is differentiated then enters the model elsewhere, with containers of its own.
        """
        first = sum(kind == "companion" for kind, _ in self.slots)
        slots = tuple(
            ("companion", first + number) if kind == "x" else (kind, number)
            for kind, number in self.slots
        )
        return Layout(self.inputs, self.args, self.kwargs, slots, self.fixed, values, attributed)


def _chosen(values: Structure, attributed: tuple[bool, ...]) -> tuple[str, ...]:
    return tuple(name for name, has in zip(values.names, attributed, strict=True) if has)
