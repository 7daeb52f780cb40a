"""Normalising what the model is called with, once, at the edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

from polyattr.backend import BoundModel, GradBackend, Tensor
from polyattr.errors import InputError, InputTypeError
from polyattr.question.arguments import Beside
from polyattr.question.arrays import (
    check_features,
    check_finite,
    check_kinds,
    is_array,
    is_floating,
    read_array,
    refuse,
)
from polyattr.question.layout import Context, Fixed, Layout
from polyattr.question.structure import Structure, flatten


@dataclass(frozen=True)
class Inputs:
    """Checked inputs of one call, and what the model takes beside them.

    Attributes:
        leaves: The tensors (N, ...) to attribute to.
        layout: The containers everything came in.
        n: Number of samples, N.
        companions: Further arguments that belong to a sample, (N, ...) each.
        shared: Further arguments that all samples share.
        guessed: Slots of the layout that hold companions for their size alone.
        fan: How many samples in a row are the same, since they differ in their targets alone.
        names: What the leaves are called.
    """

    leaves: list[Tensor]
    layout: Layout
    n: int
    companions: list[Tensor] = field(default_factory=list)
    shared: list[Tensor] = field(default_factory=list)
    guessed: tuple[int, ...] = ()
    fan: int = 1
    names: tuple[str, ...] = ()

    @property
    def once(self) -> Inputs:
        """The same, without telling which samples differ in their targets alone."""
        return self if self.fan == 1 else replace(self, fan=1)

    def check_finite(self, backend: GradBackend) -> None:
        """Checks the leaves for finite numbers, which waits for the device.

        Raises:
            InputError: NaN or inf.
        """
        for name, leaf in zip(self.names, self.leaves, strict=True):
            check_finite(leaf, name, backend)

    def take(self, rows: Callable[[list[Tensor]], list[Tensor]], n: int, fan: int) -> Inputs:
        """Returns the inputs of the `n` samples that `rows` takes; `fan` in a row are the same."""
        leaves, companions = rows(self.leaves), rows(self.companions)
        return replace(self, leaves=leaves, n=n, companions=companions, fan=fan)

    def sharing(self, slots: Collection[int]) -> Inputs:
        """Returns the inputs with the companions in some `slots` of the layout shared by all."""
        if not slots:
            return self
        companions: list[Tensor] = []
        shared, changed = list(self.shared), []
        for slot, (kind, number) in enumerate(self.layout.slots):
            if kind == "companion" and slot in slots:
                changed.append(("shared", len(shared)))
                shared.append(self.companions[number])
            elif kind == "companion":
                changed.append((kind, len(companions)))
                companions.append(self.companions[number])
            else:
                changed.append((kind, number))
        return replace(
            self,
            layout=replace(self.layout, slots=tuple(changed)),
            companions=companions,
            shared=shared,
            guessed=tuple(slot for slot in self.guessed if slot not in slots),
        )

    def guessed_names(self) -> str:
        """Lists the arguments in `guessed` with their shapes, as a user would write them."""
        names = (*self.layout.inputs.names, *self.layout.args.names, *self.layout.kwargs.names)
        companions = {slot: self.companions[self.layout.slots[slot][1]] for slot in self.guessed}
        return " and ".join(
            f"{names[slot]} of shape {tuple(leaf.shape)}" for slot, leaf in companions.items()
        )

    @property
    def elements(self) -> int:
        """Numbers in one sample, over all its tensors."""
        rows = [*self.leaves, *self.companions]
        return sum(math.prod(leaf.shape[1:]) for leaf in rows)

    def context(self, goals: list[Tensor]) -> Context:
        """Everything a kernel takes beside the leaves."""
        return Context(goals, self.companions, self.shared)

    def first_rows(self, goals: list[Tensor]) -> tuple[list[Tensor], Context]:
        """Takes two samples, or the one there is: enough to see shapes and connections."""

        def take(leaves: list[Tensor]) -> list[Tensor]:
            # What is not cut is not copied, or compiled.
            return [leaf if leaf.shape[0] <= 2 else leaf[:2] for leaf in leaves]

        return take(self.leaves), self.context(goals).rows(take)

    def fitting_rows(self) -> tuple[list[Tensor], Context]:
        """Takes two samples; all, as the user calls the model, where some arguments are guessed."""
        return (self.leaves, self.context([])) if self.guessed else self.first_rows([])

    def signature(self, backend: GradBackend) -> tuple[object, ...]:
        """What must be equal for a model to be called in the same way."""
        rows = [*self.leaves, *self.companions]
        kinds = tuple((tuple(leaf.shape[1:]), backend.dtype(leaf)) for leaf in rows)
        fixed = tuple((tuple(leaf.shape), backend.dtype(leaf)) for leaf in self.shared)
        return (self.layout, kinds, fixed)


def read_inputs(
    value: Any,
    beside: Beside,
    backend: GradBackend,
    bound: BoundModel,
    whole: bool = False,
    traced: bool = False,
) -> Inputs:
    """Checks the inputs, but for `Inputs.check_finite`, and brings NumPy arrays to the model.

    Args:
        value: The inputs. Floating tensors are attributed to; others, and what is no tensor, are
            passed on to the model.
        beside: What the model takes beside them.
        backend: The framework.
        bound: The model.
        whole: Whether inputs without any floating tensor will do, since a layer of the model is
            attributed to.
        traced: Whether the inputs may be those of a trace: then they are not cut off from it.

    Raises:
        InputTypeError: No leaf is a floating tensor.
        InputError: No samples, or different numbers of samples.
    """
    check_kinds(value, "inputs", backend)
    structure, leaves = flatten(value, "inputs")
    named = list(zip(structure.names, leaves, strict=True))
    attributed = tuple(is_floating(leaf, backend) for leaf in leaves)
    _check_any(value, named, any(attributed), whole, backend)
    n = _samples(named, attributed, backend)
    near = next(filter(backend.is_tensor, leaves), None)
    sorter = _Sorter(n, backend, bound, near, traced)
    for (name, leaf), has in zip(named, attributed, strict=True):
        sorter.add(leaf, name, "x" if has else None)
    args, kwargs = sorter.beside(beside)
    layout = Layout(
        structure, args, kwargs, tuple(sorter.slots), tuple(sorter.fixed), structure, attributed
    )
    return sorter.inputs(layout)


def _check_any(
    value: Any, named: list[tuple[str, Any]], floating: bool, whole: bool, backend: GradBackend
) -> None:
    """Checks that there is something to attribute to, or to put through a layer."""
    if not named:
        raise InputError(f"inputs is an empty {type(value).__name__}; expected at least one array")
    if not floating and not (whole and any(is_array(leaf, backend) for _, leaf in named)):
        refuse(*named[0], backend)


class _Sorter:
    """Sorts the leaves of a call by what happens to them."""

    def __init__(
        self, n: int, backend: GradBackend, bound: BoundModel, near: Any, traced: bool
    ) -> None:
        self.n, self.backend, self.bound, self.near = n, backend, bound, near
        self.traced = traced
        self.slots: list[tuple[str, int]] = []
        self.pools: dict[str, list[Tensor]] = {"x": [], "companion": [], "shared": []}
        self.fixed: list[Fixed] = []
        self.guessed: list[int] = []
        self.names: list[str] = []

    def add(self, leaf: Any, name: str, kind: str | None) -> None:
        """Adds a leaf; `kind` None goes by the size of its first axis."""
        if not is_array(leaf, self.backend):
            self.slots.append(("fixed", len(self.fixed)))
            self.fixed.append(Fixed(leaf, self.backend.is_tensor))
            return
        kept = self.traced and self.backend.is_tensor(leaf)
        native = leaf if kept else read_array(leaf, name, self.backend, self.bound, self.near)
        has_rows = tuple(native.shape[:1]) == (self.n,)
        if kind is None:
            kind = "companion" if has_rows else "shared"
            self.guessed += [len(self.slots)] if has_rows else []
        if kind == "companion" and not has_rows:
            raise InputError(
                f"{name} has shape {tuple(native.shape)}, but batched says it has a row for each "
                f"of {self.n} samples; expected ({self.n}, ...)"
            )
        if kind == "x":
            check_features(native, name)
            self.names.append(name)
        self.slots.append((kind, len(self.pools[kind])))
        self.pools[kind].append(native)

    def inputs(self, layout: Layout) -> Inputs:
        """Returns what was added, in its `layout`."""
        x, companions, shared = self.pools["x"], self.pools["companion"], self.pools["shared"]
        guessed, names = tuple(self.guessed), tuple(self.names)
        return Inputs(x, layout, self.n, companions, shared, guessed, names=names)

    def beside(self, beside: Beside) -> tuple[Structure, Structure]:
        """Adds the further arguments; returns their containers."""
        args, kwargs = (
            flatten(beside.args, "forward_args"),
            flatten(beside.kwargs, "forward_kwargs"),
        )
        for structure, leaves in (args, kwargs):
            parts = list(zip(structure.keys, structure.children, strict=True))
            kinds = [beside.kind(key) for key, part in parts for _ in part.names]
            self._check_named(beside, parts, leaves)
            for leaf, name, kind in zip(leaves, structure.names, kinds, strict=True):
                self.add(leaf, name, kind)
        return args[0], kwargs[0]

    def _check_named(
        self, beside: Beside, parts: list[tuple[Any, Structure]], leaves: list[Any]
    ) -> None:
        """Checks that what `batched` names has rows to take: a list of numbers has none."""
        start = 0
        for key, part in parts:
            held = leaves[start : start + len(part.names)]
            start += len(held)
            if beside.names(key) and not any(is_array(leaf, self.backend) for leaf in held):
                raise InputTypeError(
                    f"batched names {key!r}, which holds no array; expected ({self.n}, ...) as a "
                    f"{self.backend.name} tensor or a NumPy array, a row for each sample"
                )


def _samples(
    named: list[tuple[str, Any]], attributed: tuple[bool, ...], backend: GradBackend
) -> int:
    """Returns the number of samples, which all attributed leaves must agree on."""
    arrays = [
        (name, leaf)
        for (name, leaf), has in zip(named, attributed, strict=True)
        if has or (not any(attributed) and is_array(leaf, backend))
    ]
    for name, leaf in arrays:
        if len(leaf.shape) == 0:
            raise InputError(
                f"{name} is a scalar; expected an array whose first axis counts samples. Is the "
                f"batch axis missing? Of a dataset, pass batches, as from dataset.batch(32)"
            )
    sizes = {name: int(leaf.shape[0]) for name, leaf in arrays}
    if any(attributed) and len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        one_by_one = (
            ". Of a list of images or batches of different sizes pass one after the other: "
            "iter(batches), or [method.explain(image[None]) for image in images]"
        )
        raise InputError(
            f"inputs have different numbers of samples on their first axis: {listed}"
            f"{one_by_one if '[0]' in arrays[0][0] else ''}"
        )
    if next(iter(sizes.values())) == 0:
        raise InputError(
            f"inputs are empty: shape {tuple(arrays[0][1].shape)}; expected at least one sample"
        )
    return next(iter(sizes.values()))
