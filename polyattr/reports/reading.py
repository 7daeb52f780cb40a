"""What a report reads of a result: each of its inputs by itself, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.plots.choice import fitting
from polyattr.plots.drawing.pictures import channels_last
from polyattr.plots.reading.explained import numbers_of
from polyattr.plots.reading.samples import Sample, Samples
from polyattr.question.structure import Structure, flatten
from polyattr.results.attribution import Attribution
from polyattr.results.names import Names
from polyattr.results.parts import naming

Array = np.ndarray[Any, Any]

_MOST_BARS = 2**16
"""Numbers of a sample beyond which those of no known picture are not ranked, either."""


@dataclass(frozen=True)
class Part:
    """One input of a result.

    Attributes:
        name: What the input is called among several; "" for the only one.
        values: (N, ...), or (T, N, ...) of several targets.
        errors: Their standard errors, or None.
        inputs: (N, ...) what was explained, or None.
        names: What fits this input.
        kind: Which picture fits: a kind of `polyattr.plots.plot`, or "" for none.
        result: The whole result, on the host.
    """

    name: str
    values: Array
    errors: Array | None
    inputs: Array | None
    names: Names
    kind: str
    result: Attribution

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(self.values.shape[self.result.scores.ndim :])

    def one(self, i: int) -> Sample:
        """Reads what there is to draw of one of the T * N maps."""
        n = self.result.scores.shape[-1]
        at = np.unravel_index(i, self.result.scores.shape)
        errors = None if self.errors is None else numbers_of("standard_error", self.errors[at])
        return Sample(
            numbers_of("values", self.values[at]),
            errors,
            self.result.signed is not False,
            None if self.inputs is None else numbers_of("inputs", self.inputs[i % n]),
            (),
            self.names,
            i % n,
            alike=self.result.seed is None,
        )

    def units(self, values: Array) -> Array:
        """Returns what is compared with each other in one sample (...): pixels, words, numbers."""
        with np.errstate(invalid="ignore"):
            if self.kind == "image":
                return np.asarray(channels_last("values", values).sum(axis=-1))
            if self.kind == "text":
                return np.asarray(values.reshape(len(values), -1).sum(axis=1))
        return values


def read_parts(result: Attribution, inputs: Any) -> list[Part]:
    """Takes a result on the host apart.

    Args:
        result: On the host.
        inputs: What the user says was explained; None for what the result kept.

    Raises:
        InputError: `inputs` do not belong to the result.
        InputTypeError: `inputs` are no numbers.
    """
    structure, leaves = flatten(result.values, "values")
    errors = [None] * len(leaves)
    if result.standard_error is not None:
        errors = flatten(result.standard_error, "standard_error")[1]
    beside = _beside(structure, result, inputs)
    several = sum(leaf is not None for leaf in leaves) > 1
    return [
        _part(name if several else "", leaf, error, beside.get(name), result, inputs is not None)
        for name, leaf, error in _known(structure, leaves, errors)
    ]


def _known(structure: Structure, *columns: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    for name, leaf, error in zip(structure.names, *columns, strict=True):
        if leaf is not None:
            yield name.removeprefix("values"), leaf, error


def _beside(structure: Structure, result: Attribution, inputs: Any) -> dict[str, Any]:
    """The inputs by the names of the values they are of."""
    kept, leaves = flatten(result.inputs if inputs is None else inputs, "inputs")
    found = {
        name.removeprefix("inputs"): leaf for name, leaf in zip(kept.names, leaves, strict=True)
    }
    own = [name.removeprefix("values") for name in structure.names]
    if len(own) == len(found) == 1:
        return dict(zip(own, leaves, strict=True))
    if inputs is not None and not set(own) & set(found):
        raise InputError(
            f"inputs are {kept.outline()}, and the result holds {structure.outline()}; expected "
            f"what was explained, in the same containers"
        )
    return found


def _part(
    name: str, values: Array, errors: Any, beside: Any, result: Attribution, given: bool
) -> Part:
    shape = tuple(values.shape[result.scores.ndim :])
    n = result.scores.shape[-1]
    names = naming.fitting(result.names, [shape], n) if result.names else Names()
    inputs = _given(beside, (n, *shape)) if given else _kept(beside, n)
    kind = _kind(Samples(values, None, True, inputs, names, result), shape, result)
    if inputs is not None and not _drawable(inputs, (n, *shape), kind):
        if given and kind not in {"image", "text"}:
            raise InputError(
                f"inputs of shape {inputs.shape} and values of shape {(n, *shape)} differ; "
                f"expected what was explained, sample by sample"
            )
        inputs = None
    plain = name[1:-1] if name.count("[") == 1 else name
    label = f"input {plain}" if name else ""
    return Part(label, values, errors, inputs, names, kind, result)


def _kind(every: Samples, shape: tuple[int, ...], result: Attribution) -> str:
    if len(shape) > 3 or 0 in shape:
        return "tabular" if 0 < math.prod(shape) <= _MOST_BARS else ""
    flat = every if result.scores.ndim == 1 else _of_one_target(every)
    kind = fitting(flat)
    return "tabular" if kind == "summary" else kind


def _of_one_target(every: Samples) -> Samples:
    return Samples(every.values[0], None, True, every.inputs, every.names, every.result)


def _kept(beside: Any, n: int) -> Array | None:
    """What a result kept, where these are numbers of its samples."""
    try:
        array = np.asarray(beside)
    except (TypeError, ValueError, RuntimeError):  # a tensor of a framework that is not here
        return None
    numbers = array.dtype.kind in "biuf" or array.dtype.name == "bfloat16"
    return array if numbers and array.shape[:1] == (n,) else None


def _given(beside: Any, shape: tuple[int, ...]) -> Array | None:
    """What the user gave; a single sample may lack its axis of samples."""
    if beside is None:
        return None
    try:
        array = np.asarray(beside)
    except (TypeError, ValueError, RuntimeError):
        array = np.asarray(None)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise InputTypeError(
            f"inputs are a {type(beside).__name__}; expected an array of real numbers, on the host"
        )
    if shape[0] == 1 and (array.shape == shape[1:] or array.shape[:1] != (1,)):
        array = array[None]
    if array.shape[:1] != shape[:1]:
        raise InputError(
            f"inputs have shape {array.shape}, and the result {shape[0]} samples; expected what "
            f"was explained, sample by sample"
        )
    return array


def _drawable(inputs: Array, shape: tuple[int, ...], kind: str) -> bool:
    """Whether inputs (N, ...) can stand beside maps (N, ...): a photo beside one of a layer."""
    if kind == "image":
        sides = inputs.shape[1:]
        channels = len(sides) == 2 or (len(sides) == 3 and {sides[0], sides[-1]} & {1, 3, 4})
        return inputs.shape == shape or bool(channels)
    return bool(inputs.shape == shape)
