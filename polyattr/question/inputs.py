"""Normalising what the model is called with, once, at the edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.backend import BoundModel, GradBackend, Tensor
from polyattr.dtypes import FLOATS
from polyattr.errors import InputError, InputTypeError
from polyattr.question.arguments import Beside
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
    """

    leaves: list[Tensor]
    layout: Layout
    n: int
    companions: list[Tensor] = field(default_factory=list)
    shared: list[Tensor] = field(default_factory=list)

    @property
    def elements(self) -> int:
        """Numbers in one sample, over all its tensors."""
        rows = [*self.leaves, *self.companions]
        return sum(int(np.prod(leaf.shape[1:])) for leaf in rows)

    def context(self, goals: list[Tensor]) -> Context:
        """Everything a kernel takes beside the leaves."""
        return Context(goals, self.companions, self.shared)

    def first_rows(self, goals: list[Tensor]) -> tuple[list[Tensor], Context]:
        """Takes two samples, or the one there is: enough to see shapes and connections."""

        def take(leaves: list[Tensor]) -> list[Tensor]:
            return [leaf[:2] for leaf in leaves]

        return take(self.leaves), self.context(goals).rows(take)

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
    """Checks the inputs and converts NumPy arrays to the model's device and dtype.

    Args:
        value: The inputs. Floating tensors are attributed to; others, and what is no tensor, are
            passed on to the model.
        beside: What the model takes beside them.
        backend: The framework.
        bound: The model.
        whole: Whether inputs without any floating tensor will do, since a layer of the model is
            attributed to.
        traced: Whether the inputs may be those of a trace: then they are neither looked at nor cut
            off from it.

    Raises:
        InputTypeError: No leaf is a floating tensor.
        InputError: No samples, different numbers of samples, NaN or inf.
    """
    structure, leaves = flatten(value, "inputs")
    named = list(zip(structure.names, leaves, strict=True))
    attributed = tuple(_is_floating(leaf, backend) for leaf in leaves)
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
    pools = sorter.pools
    return Inputs(pools["x"], layout, n, pools["companion"], pools["shared"])


def _check_any(
    value: Any, named: list[tuple[str, Any]], floating: bool, whole: bool, backend: GradBackend
) -> None:
    """Checks that there is something to attribute to, or to put through a layer."""
    if not named:
        raise InputError(f"inputs is an empty {type(value).__name__}; expected at least one array")
    if not floating and not (whole and any(_is_array(leaf, backend) for _, leaf in named)):
        _refuse(*named[0], backend)


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

    def add(self, leaf: Any, name: str, kind: str | None) -> None:
        """Adds a leaf; `kind` None goes by the size of its first axis."""
        if not _is_array(leaf, self.backend):
            self.slots.append(("fixed", len(self.fixed)))
            self.fixed.append(Fixed(leaf))
            return
        kept = self.traced and self.backend.is_tensor(leaf)
        native = leaf if kept else read_array(leaf, name, self.backend, self.bound, self.near)
        has_rows = tuple(native.shape[:1]) == (self.n,)
        if kind is None:
            kind = "companion" if has_rows else "shared"
        if kind == "companion" and not has_rows:
            raise InputError(
                f"{name} has shape {tuple(native.shape)}, but batched says it has a row for each "
                f"of {self.n} samples; expected ({self.n}, ...)"
            )
        if kind == "x":
            _check_features(native, name)
            if not self.traced:
                check_finite(native, name, self.backend)
        self.slots.append((kind, len(self.pools[kind])))
        self.pools[kind].append(native)

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
            if beside.names(key) and not any(_is_array(leaf, self.backend) for leaf in held):
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
        if has or (not any(attributed) and _is_array(leaf, backend))
    ]
    for name, leaf in arrays:
        if len(leaf.shape) == 0:
            raise InputError(
                f"{name} is a scalar; expected an array whose first axis counts samples"
            )
    sizes = {name: int(leaf.shape[0]) for name, leaf in arrays}
    if any(attributed) and len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise InputError(f"inputs have different numbers of samples on their first axis: {listed}")
    if next(iter(sizes.values())) == 0:
        raise InputError(
            f"inputs are empty: shape {tuple(arrays[0][1].shape)}; expected at least one sample"
        )
    return next(iter(sizes.values()))


def _is_array(leaf: Any, backend: GradBackend) -> bool:
    return backend.is_tensor(leaf) or isinstance(leaf, np.ndarray)


def _is_floating(leaf: Any, backend: GradBackend) -> bool:
    return _is_array(leaf, backend) and dtype_of(leaf, backend) in FLOATS


def dtype_of(leaf: Any, backend: GradBackend) -> str:
    """Names the dtype of an array of any shape, of NumPy or the framework."""
    return str(leaf.dtype.name if isinstance(leaf, np.ndarray) else backend.dtype(leaf))


def _refuse(name: str, leaf: Any, backend: GradBackend) -> None:
    if not _is_array(leaf, backend):
        raise InputTypeError(
            f"{name} is {_type(leaf)}; expected a {backend.name} tensor or a NumPy array, or a "
            f"tuple, list or dict of them (for a list of numbers pass np.array(...))"
        )
    dtype = dtype_of(leaf, backend)
    whole = dtype.startswith(("int", "uint", "bool"))
    hint = ". Convert pixels to float; for token ids, name their embedding with input_layer"
    raise InputTypeError(
        f"{name} has dtype {dtype}, which has no gradient here; expected a floating dtype: "
        f"{', '.join(sorted(FLOATS))}" + (hint if whole else "")
    )


def read_array(
    leaf: Any, name: str, backend: GradBackend, bound: BoundModel, near: Tensor | None = None
) -> Tensor:
    """Makes an array native: floating ones in the model's dtype, others in their own.

    It goes to the device of `near`, a tensor the user passed, or else to the model's.

    Raises:
        InputTypeError: A NumPy array of text or objects.
    """
    if isinstance(leaf, np.ndarray):
        dtype = leaf.dtype.name
        if leaf.dtype.kind not in "biu" and dtype not in {*FLOATS, "complex64", "complex128"}:
            raise InputTypeError(f"{name} has dtype {dtype}; expected numbers of at most 64 bits")
        # The framework knows no other byte order than the machine's, nor NumPy's own bfloat16.
        plain = leaf.astype("float32" if dtype == "bfloat16" else leaf.dtype.newbyteorder("="))
        kind = (bound.dtype or dtype) if dtype in FLOATS else None
        leaf = backend.to_native(plain, bound.like if near is None else near, kind)
    return backend.own(leaf)


def _check_features(leaf: Tensor, name: str) -> None:
    if 0 in leaf.shape:
        raise InputError(f"{name} has shape {tuple(leaf.shape)}: there is no feature to attribute")


def _type(value: Any) -> str:
    if value is None:
        return "None"
    module, name = type(value).__module__, type(value).__qualname__
    return f"a {name}" if module == "builtins" else f"a {module}.{name}"


def check_finite(leaf: Tensor, name: str, backend: GradBackend) -> None:
    """Checks for finite numbers.

    Raises:
        InputError: NaN or inf, with the place of the first.
    """
    wide = backend.cast(leaf, backend.accumulator_dtype(leaf))
    if np.isfinite(backend.to_numpy(backend.row_sums(backend.absolute(wide)))).all():
        return
    # The sum itself may have overflowed: look at every element.
    check_finite_array(backend.to_numpy(wide), name)


def check_finite_array(array: np.ndarray[Any, Any], name: str) -> None:
    """Checks an array on the host for finite numbers.

    Raises:
        InputError: NaN or inf, with the place of the first.
    """
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        where = tuple(int(i) for i in bad[0])
        raise InputError(
            f"{name} contains {array[where]} at index {where} ({len(bad)} non-finite in all); "
            f"expected finite numbers"
        )
