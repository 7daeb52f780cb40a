"""Normalising what the user passes as a baseline, once, at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from polyattr.backend import BoundModel, GradBackend, Tensor
from polyattr.errors import InputError, InputTypeError
from polyattr.question.arrays import check_finite, check_finite_array, read_array
from polyattr.question.checks import check_unmasked
from polyattr.question.inputs import Inputs
from polyattr.question.references import References
from polyattr.question.structure import Structure, flatten

_SMALL = 65504.0
"""The largest number that is finite in every dtype."""


@runtime_checkable
class OnBackend(Protocol):
    """A callable baseline that wants to know the backend, whose verbs it is made with."""

    def on(self, backend: GradBackend, inputs: Any) -> Any:
        """Returns the baseline in the containers of the `inputs`."""


def read_baselines(
    value: Any, inputs: Inputs, backend: GradBackend, name: str, traced: bool = False
) -> References:
    """Turns a baseline into native tensors, one per input.

    Args:
        value: A scalar for all inputs, a callable on the inputs, or per input a scalar, an array
            in the shape of one sample, in the shape of all (N, ...), or (N, K, ...) or (1, K, ...)
            for K baselines per sample.
        inputs: The checked inputs.
        backend: Makes the tensors.
        name: The argument, for messages.
        traced: Whether native tensors may be those of a trace, as for `read_inputs`.

    Raises:
        InputError: A shape that fits neither one sample nor all, or not finite.
    """
    value = called(value, inputs, backend)
    if value is None or isinstance(value, bool | str | bytes):
        raise InputTypeError(f"{name} is {value!r}; expected a number, an array or a callable")
    if is_scalar(value):
        leaves, names = [value] * len(inputs.leaves), (name,) * len(inputs.leaves)
    else:
        leaves, names = _leaves(value, inputs, name)
    read = [
        _read_baseline(given, leaf, backend, leaf_name, traced)
        for given, leaf, leaf_name in zip(leaves, inputs.leaves, names, strict=True)
    ]
    return _joined(read, inputs, backend, name)


def start_kind(value: Any, inputs: Inputs, backend: GradBackend) -> object:
    """Says what calls share whose baseline is the same tensor; None where that may be another.

    A number is checked, and brought to the device, once for all inputs of the same kind.

    Args:
        value: The baseline as the user gave it.
        inputs: The checked inputs.
        backend: Says where they are.
    """
    places = [backend.device(leaf) for leaf in inputs.leaves]
    if type(value) not in {int, float} or None in places:
        return None
    kinds = [(tuple(leaf.shape[1:]), backend.dtype(leaf)) for leaf in inputs.leaves]
    return ("start", value, *kinds, *places)


def _joined(
    read: list[tuple[Tensor, int]], inputs: Inputs, backend: GradBackend, name: str
) -> References:
    """Brings the baselines of all inputs to as many samples, and checks their numbers."""
    counts = {count for _, count in read}
    if len(counts) > 1:
        listed = ", ".join(str(count) for _, count in read)
        raise InputError(
            f"{name} has {listed} baselines per sample for the inputs in turn; expected as many "
            f"for each, since all inputs move on one path"
        )
    count = counts.pop()
    if all(int(leaf.shape[0]) == count for leaf, _ in read):
        return References([leaf for leaf, _ in read], count, shared=True)
    everyone = np.tile(np.arange(count), inputs.n).astype(np.int32)
    native = backend.to_native(everyone, inputs.leaves[0])
    leaves = [
        backend.batch(leaf, native) if int(leaf.shape[0]) == count else leaf for leaf, _ in read
    ]
    return References(leaves, count, shared=False)


def read_background(
    value: Any, inputs: Inputs, backend: GradBackend, bound: BoundModel, traced: bool = False
) -> References:
    """Turns background data into native tensors (B, ...), one per input, all of B rows.

    Args:
        value: Like the inputs, with B rows of its own.
        inputs: The checked inputs.
        backend: Makes the tensors.
        bound: The model.
        traced: Whether native tensors may be those of a trace, as for `read_inputs`.

    Raises:
        InputError: Other containers or shapes than those of the inputs, no rows, or not finite.
        InputTypeError: Nothing that holds floating arrays.
    """
    leaves, names = _leaves(value, inputs, "background")
    read = []
    for given, like, name in zip(leaves, inputs.leaves, names, strict=True):
        array = given if backend.is_tensor(given) else _plain(given, name)
        if not backend.is_tensor(given) and array.dtype.kind not in "biuf":
            raise InputTypeError(
                f"{name} is a {type(given).__name__}; expected data like the inputs, "
                f"(B, {', '.join(map(str, like.shape[1:]))})"
            )
        if tuple(array.shape[1:]) != tuple(like.shape[1:]) or 0 in array.shape or not array.shape:
            raise InputError(
                f"{name} has shape {tuple(array.shape)}; expected rows like those of the inputs, "
                f"(B, {', '.join(map(str, like.shape[1:]))}) with B of at least 1"
            )
        native = backend.cast(read_array(array, name, backend, bound, like), backend.dtype(like))
        _check(array, native, name, backend, traced)
        read.append(native)
    sizes = [int(leaf.shape[0]) for leaf in read]
    if len(set(sizes)) > 1:
        raise InputError(
            f"background has {', '.join(map(str, sizes))} rows for the inputs in turn; expected as "
            f"many for each: a row is drawn for all inputs together"
        )
    return References(read, sizes[0], shared=True)


def called(value: Any, inputs: Inputs, backend: GradBackend) -> Any:
    """Returns the baseline itself, of a callable on the inputs."""
    if not callable(value) or backend.is_tensor(value):
        return value
    given = inputs.layout.arguments(inputs.leaves, inputs.context([]))[0]
    return value.on(backend, given) if isinstance(value, OnBackend) else value(given)


def is_scalar(value: Any) -> bool:
    """Says whether a baseline is one number for everything."""
    return np.isscalar(value) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _leaves(value: Any, inputs: Inputs, name: str) -> tuple[list[Any], tuple[str, ...]]:
    """Returns the baseline of each attributed leaf, and how a user would write it."""
    layout = inputs.layout
    structure, leaves = flatten(_arranged(value, layout.values, layout.attributed), name)
    if structure.kind is None and len(inputs.leaves) == 1:
        return leaves, structure.names
    if structure.outline() != layout.values.outline():
        hint = "" if name == "background" else ", or a scalar for all inputs"
        if isinstance(value, list):
            kind = "data" if name == "background" else "a baseline per feature"
            hint += f"; for {kind} pass np.array([...])"
        raise InputError(
            f"{name} is {structure.outline()}, expected {layout.values.outline()}{hint}"
        )
    kept = [i for i, attributed in enumerate(layout.attributed) if attributed]
    return [leaves[i] for i in kept], tuple(structure.names[i] for i in kept)


def _arranged(value: Any, wanted: Structure, attributed: tuple[bool, ...]) -> Any:
    """Gives a baseline the containers of the inputs, with None where nothing is attributed to.

    Keys may come in any order, and those without attribution may be missing. What does not fit is
    returned as it is.
    """
    if not any(attributed):
        return wanted.build([None] * len(attributed))
    if wanted.kind is None:
        return value
    if issubclass(wanted.kind, Mapping):
        fits, present = isinstance(value, Mapping) and set(value) <= set(wanted.keys), value
    else:
        parts_given: Any = value if type(value) is wanted.kind else ()
        fits = len(parts_given) == len(wanted.keys)
        present = dict(enumerate(parts_given))
    parts, start = [], 0
    for key, child in zip(wanted.keys, wanted.children, strict=True):
        wanted_here = attributed[start : start + len(child.names)]
        start += len(wanted_here)
        if not fits or (any(wanted_here) and key not in present):
            return value
        parts.append(_arranged(present.get(key), child, wanted_here))
    return wanted.hold(parts)


def _check(given: Any, native: Tensor, name: str, backend: GradBackend, traced: bool) -> None:
    """Checks for finite numbers; what may belong to a trace has none to look at."""
    if isinstance(given, np.ndarray) and given.ndim == 0 and abs(given) <= _SMALL:
        return  # nothing has to be read back from the device
    if not traced:
        check_finite(native, name, backend)
    elif isinstance(given, np.ndarray):
        check_finite_array(np.atleast_1d(given), name)


def _plain(given: Any, name: str) -> np.ndarray[Any, Any]:
    check_unmasked(name, given)
    return np.asarray(given)


def _numbers(given: Any, name: str) -> np.ndarray[Any, Any]:
    """Makes what is no native tensor an array of float64."""
    check_unmasked(name, given)
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        kind = f" of {given.dtype}" if isinstance(given, np.ndarray) else ""
        raise InputTypeError(
            f"{name} is a {type(given).__name__}{kind}; expected a number, an array of numbers, or "
            f"a callable that returns one of them"
        ) from None
    return array.astype(np.float64)


def _read_baseline(
    given: Any, leaf: Tensor, backend: GradBackend, name: str, traced: bool
) -> tuple[Tensor, int]:
    """Reads the baseline of one input: (K, ...) or (N K, ...), and K."""
    source, sample = given, tuple(leaf.shape[1:])
    if not backend.is_tensor(given):
        source = _numbers(given, name)
        # One for all samples is made on the host: on the device it would be several operations.
        whole = (1, *sample) if source.shape in {(), sample} else source.shape
        with np.errstate(over="ignore"):  # beyond the dtype it is infinite, and refused as such
            given = backend.to_native(np.broadcast_to(source, whole), leaf, backend.dtype(leaf))
    whole = tuple(leaf.shape)
    shape = tuple(given.shape)
    several = len(shape) == len(whole) + 1 and shape[0] in {1, whole[0]} and shape[2:] == sample
    if not (several and shape[1]) and shape not in {(), sample, (1, *sample), whole}:
        raise InputError(
            f"{name} has shape {shape}; expected a scalar, {sample} for one baseline shared by "
            f"all samples, or {whole} for one per sample; ({whole[0]}, K, ...) are K per sample"
        )
    given = backend.cast(given, backend.dtype(leaf))
    # A callable on the inputs of a trace is part of the function that is differentiated.
    given = given if traced else backend.own(given)
    _check(source, given[None] if shape in {(), sample} else given, name, backend, traced)
    if several:
        apart = backend.concat([given[:, k] for k in range(shape[1])])
        order = np.arange(shape[0] * shape[1]).reshape(shape[1], shape[0]).T.ravel()
        index = backend.to_native(order.astype(np.int32), leaf)
        return backend.batch(apart, index), shape[1]
    if shape in {(), sample}:
        given = backend.zeros((1, *sample), leaf, backend.dtype(leaf)) + given
    return given, 1
