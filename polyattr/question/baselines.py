"""Normalising what the user passes as a baseline, once, at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.errors import InputError, InputTypeError
from polyattr.question.inputs import Inputs, check_finite
from polyattr.question.structure import Structure, flatten


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
    value = called(value, inputs, backend)
    if value is None or isinstance(value, bool | str | bytes):
        raise InputTypeError(f"{name} is {value!r}; expected a number, an array or a callable")
    if is_scalar(value):
        leaves, names = [value] * len(inputs.leaves), (name,) * len(inputs.leaves)
    else:
        leaves, names = _leaves(value, inputs, name)
    return [
        _read_baseline(given, leaf, backend, leaf_name)
        for given, leaf, leaf_name in zip(leaves, inputs.leaves, names, strict=True)
    ]


def called(value: Any, inputs: Inputs, backend: GradBackend) -> Any:
    """Returns the baseline itself, of a callable on the inputs."""
    if not callable(value) or backend.is_tensor(value):
        return value
    return value(inputs.layout.arguments(inputs.leaves, inputs.context([]))[0])


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
        hint = (
            "; for a baseline per feature pass np.array([...])" if isinstance(value, list) else ""
        )
        raise InputError(
            f"{name} is {structure.outline()}, expected {layout.values.outline()}, or a scalar for "
            f"all inputs{hint}"
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
        own = attributed[start : start + len(child.names)]
        start += len(own)
        if not fits or (any(own) and key not in present):
            return value
        parts.append(_arranged(present.get(key), child, own))
    return wanted.hold(parts)


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
    check_finite(given[None] if shape in {(), sample} else given, name, backend)
    if shape in {(), sample}:
        given = backend.zeros((1, *sample), leaf, backend.dtype(leaf)) + given
    return given
