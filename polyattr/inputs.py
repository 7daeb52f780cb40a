"""Normalising what the user passes, once, at the edge: inputs, baselines, calling convention."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import BoundModel, GradBackend, Tensor
from polyattr.errors import InputError, InputTypeError
from polyattr.structure import Structure, flatten

FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})


@dataclass(frozen=True)
class Inputs:
    """Checked inputs of one call.

    Attributes:
        leaves: One native tensor (N, ...) per input.
        structure: The containers they came in.
        n: Number of samples, N.
    """

    leaves: list[Tensor]
    structure: Structure
    n: int

    @property
    def elements(self) -> int:
        """Numbers in one sample, over all inputs."""
        return sum(int(np.prod(leaf.shape[1:])) for leaf in self.leaves)

    def signature(self, backend: GradBackend) -> tuple[object, ...]:
        """What must be equal for a model to be called in the same way."""
        kinds = tuple((tuple(leaf.shape[1:]), backend.dtype(leaf)) for leaf in self.leaves)
        return (self.structure, kinds)


def read_inputs(value: Any, backend: GradBackend, bound: BoundModel) -> Inputs:
    """Checks the inputs and converts NumPy arrays to the model's device and dtype.

    Raises:
        InputTypeError: A leaf is no array, or holds integers.
        InputError: No samples, different numbers of samples, NaN or inf.
    """
    structure, leaves = flatten(value, "inputs")
    if not leaves:
        raise InputError(f"inputs is an empty {type(value).__name__}; expected at least one array")
    native = [
        _read_leaf(leaf, name, backend, bound)
        for leaf, name in zip(leaves, structure.names, strict=True)
    ]
    sizes = {name: int(t.shape[0]) for name, t in zip(structure.names, native, strict=True)}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise InputError(f"inputs have different numbers of samples on their first axis: {listed}")
    n = next(iter(sizes.values()))
    if n == 0:
        raise InputError(
            f"inputs are empty: shape {tuple(native[0].shape)}; expected at least one sample"
        )
    for name, leaf in zip(structure.names, native, strict=True):
        if 0 in leaf.shape:
            raise InputError(
                f"{name} has shape {tuple(leaf.shape)}: there is no feature to attribute"
            )
        _check_finite(leaf, name, backend)
    return Inputs(native, structure, n)


def _read_leaf(leaf: Any, name: str, backend: GradBackend, bound: BoundModel) -> Tensor:
    if not backend.is_tensor(leaf) and not isinstance(leaf, np.ndarray):
        raise InputTypeError(
            f"{name} is {_type(leaf)}; expected a {backend.name} tensor or a NumPy array, or a "
            f"tuple, list or dict of them (for a list of numbers pass np.array(...))"
        )
    if len(leaf.shape) == 0:
        raise InputError(f"{name} is a scalar; expected an array whose first axis counts samples")
    is_numpy = isinstance(leaf, np.ndarray)
    dtype = leaf.dtype.name if is_numpy else backend.dtype(leaf)
    if dtype not in FLOATS:
        whole = dtype.startswith(("int", "uint", "bool"))
        hint = "Convert pixels to float; for token ids, attribute to the embedding layer's output"
        raise InputTypeError(
            f"{name} has dtype {dtype}, which has no gradient here; expected a floating dtype: "
            f"{', '.join(sorted(FLOATS))}" + (f". {hint}" if whole else "")
        )
    if is_numpy:
        # The framework knows no other byte order than the machine's, nor NumPy's own bfloat16.
        plain = leaf.astype("float32" if dtype == "bfloat16" else leaf.dtype.newbyteorder("="))
        leaf = backend.to_native(plain, bound.like, bound.dtype or dtype)
    return backend.own(leaf)


def _type(value: Any) -> str:
    if value is None:
        return "None"
    module, name = type(value).__module__, type(value).__qualname__
    return f"a {name}" if module == "builtins" else f"a {module}.{name}"


def _check_finite(leaf: Tensor, name: str, backend: GradBackend) -> None:
    wide = backend.cast(leaf, backend.accumulator_dtype(leaf))
    if np.isfinite(backend.to_numpy(backend.row_sums(abs(wide)))).all():
        return
    array = backend.to_numpy(wide)  # the sum itself may have overflowed: look at every element
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        where = tuple(int(i) for i in bad[0])
        raise InputError(
            f"{name} contains {array[where]} at index {where} ({len(bad)} non-finite in all); "
            f"expected finite numbers"
        )


def read_baselines(value: Any, inputs: Inputs, backend: GradBackend, name: str) -> list[Tensor]:
    """Turns a baseline into one native tensor per input, (N, ...) or (1, ...).

    Args:
        value: A scalar for all inputs, a callable on the inputs, or per input a scalar, an array
            in the shape of one sample, or one in the shape of all.
        inputs: The checked inputs.
        backend: Makes the tensors.
        name: The argument, for messages.

    Raises:
        InputError: A shape that fits neither one sample nor all, or not finite.
    """
    if callable(value) and not backend.is_tensor(value):
        value = value(inputs.structure.build(inputs.leaves))
    if value is None or isinstance(value, bool | str | bytes):
        raise InputTypeError(f"{name} is {value!r}; expected a number, an array or a callable")
    if np.isscalar(value) or (isinstance(value, np.ndarray) and value.ndim == 0):
        leaves, names = [value] * len(inputs.leaves), (name,) * len(inputs.leaves)
    else:
        try:
            leaves = inputs.structure.flatten(value, name)
        except ValueError as error:
            hint = (
                "; for a baseline per feature pass np.array([...])"
                if isinstance(value, list)
                else ""
            )
            raise InputError(f"{error}, or a scalar for all inputs{hint}") from None
        names = flatten(value, name)[0].names
    return [
        _read_baseline(given, leaf, backend, leaf_name)
        for given, leaf, leaf_name in zip(leaves, inputs.leaves, names, strict=True)
    ]


def _read_baseline(given: Any, leaf: Tensor, backend: GradBackend, name: str) -> Tensor:
    if not backend.is_tensor(given):
        try:
            array = np.asarray(given)
        except (TypeError, ValueError):
            array = np.asarray(None)
        if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
            raise InputTypeError(
                f"{name} is a {type(given).__name__}; expected a number, an array, or a callable "
                f"that returns one of them"
            ) from None
        with np.errstate(over="ignore"):  # beyond the dtype it is infinite, and refused as such
            given = backend.to_native(array.astype(np.float64), leaf, backend.dtype(leaf))
    sample, whole = tuple(leaf.shape[1:]), tuple(leaf.shape)
    shape = tuple(given.shape)
    if shape not in {(), sample, (1, *sample), whole}:
        raise InputError(
            f"{name} has shape {shape}; expected a scalar, {sample} for one baseline shared by "
            f"all samples, or {whole} for one per sample"
        )
    given = backend.own(backend.cast(given, backend.dtype(leaf)))
    _check_finite(given[None] if shape in {(), sample} else given, name, backend)
    if shape in {(), sample}:
        given = backend.zeros((1, *sample), leaf, backend.dtype(leaf)) + given
    return given


def arguments(
    entry: Callable[..., Any] | None, value: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Decides how a model takes its inputs: one by one where its signature allows, else as one.

    Args:
        entry: The callable whose signature counts, or None for a model that takes containers.
        value: The inputs in the user's containers.

    Returns:
        Positional and keyword arguments.
    """
    if entry is not None and isinstance(value, tuple | list) and _accepts(entry, *value):
        return tuple(value), {}
    named = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    if entry is not None and named and _accepts(entry, **value):
        return (), dict(value)
    return (value,), {}


def _accepts(entry: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    try:
        inspect.signature(entry).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return False
    return True
