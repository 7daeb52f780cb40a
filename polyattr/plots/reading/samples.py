"""What there is to draw: the values of one input of a result, or of plain arrays, on the host."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief
from polyattr.plots.reading.explained import (
    are_samples,
    beside,
    chosen,
    explained,
    given_inputs,
    kept,
    numbers_of,
)
from polyattr.plots.reading.words import facts_of
from polyattr.results.attribution import Attribution
from polyattr.results.names import Names

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sample:
    """The values of one sample.

    Attributes:
        values: (...) as float64.
        errors: (...) their standard errors, or None.
        signed: Whether values can be negative.
        inputs: (...) what was explained, or None.
        lines: What a result says of the sample, for a title.
        names: What the result calls things.
        number: Which of the samples it is.
        alike: Whether the errors of its features go together, as those of path methods, or are as
            good as independent, as those of sampled ones; True where it is not known.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> plots.read_sample(np.ones((2, 3)), standard_error=np.zeros((2, 3))).errors.shape
        (2, 3)
    """

    values: Array
    errors: Array | None
    signed: bool
    inputs: Array | None
    lines: tuple[str, ...]
    names: Names
    number: int
    alike: bool = True


@dataclass(frozen=True)
class Samples:
    """The values of one input of all samples; those of T targets one after the other.

    Attributes:
        values: (M, ...) as float64, M = T * N.
        errors: (M, ...) their standard errors, or None.
        signed: Whether values can be negative.
        inputs: (M, ...) what was explained, or None.
        names: What the result calls things.
        result: The result they are of; None for plain arrays.
        targets: T.
    """

    values: Array
    errors: Array | None
    signed: bool
    inputs: Array | None
    names: Names
    result: Attribution | None = None
    targets: int = 1

    def __len__(self) -> int:
        return len(self.values)

    def one(self, i: int) -> Sample:
        """Returns what is known of one of the M samples."""
        return Sample(
            self.values[i],
            None if self.errors is None else self.errors[i],
            self.signed,
            None if self.inputs is None else self.inputs[i],
            () if self.result is None else facts_of(self.result, i),
            self.names,
            i % (len(self) // self.targets),
            alike=self.result is None or self.result.seed is None,
        )


def read_samples(
    given: Any, inputs: Any = None, *, which: Any = None, standard_error: Any = None,
    signed: bool | None = None, strict: bool = False,
) -> Samples:  # fmt: skip
    """Reads a result, or an array of values with an axis of samples.

    Args:
        given: An `Attribution`, or values (N, ...).
        inputs: What was explained, (N, ...); None for what the result kept.
        which: Of several inputs, the key or index of the one to draw.
        standard_error: (N, ...) in place of that of the result.
        signed: Whether values can be negative, in place of what the result says; plain arrays can.
        strict: Whether inputs have to fit the values but for the place of channels.

    Raises:
        InputError: Several inputs and `which` names none of them, or shapes that do not fit.
        InputTypeError: No arrays of real numbers.
    """
    if not isinstance(given, Attribution):
        one = _array(given, inputs, standard_error, signed)
        return Samples(one.values, one.errors, one.signed, one.inputs, one.names)
    host = beside(given, inputs, standard_error)
    values = numbers_of("values", chosen(host.values, which))
    error = chosen(host.standard_error, which)
    errors = None if error is None else numbers_of("standard_error", error)
    _alike("standard_error", errors, values)
    axis = host.scores.ndim - 1
    if inputs is None:
        shown = kept(host, which, values.shape[axis:])
    else:
        shown = given_inputs(host, which, values.shape[axis:], strict=strict)
    targets = len(host.scores) if axis else 1
    if axis:
        values = values.reshape(-1, *values.shape[2:])
        errors = None if errors is None else errors.reshape(values.shape)
        shown = None if shown is None else np.concatenate([shown] * targets)
    says = given.signed is not False if signed is None else signed
    return Samples(values, errors, says, shown, given.names or Names(), host, targets)


def read_sample(
    attribution: Any, inputs: Any = None, *, sample: Any = 0, which: Any = None,
    standard_error: Any = None, signed: bool | None = None,
) -> Sample:  # fmt: skip
    """Reads what there is to draw of one sample, for whoever draws pictures of their own.

    Args:
        attribution: An `Attribution`, or the values (...) of one sample.
        inputs: What was explained: (N, ...), or one sample of it; None for what a result kept.
        sample: Which sample of a result, or (target, sample) where there are several targets.
        which: Of several inputs, the key or index of the one to draw.
        standard_error: In the shape of the values, in place of what a result says.
        signed: Whether values can be negative, in place of what a result says; None for yes.

    Returns:
        A `Sample`, in float64 on the host, of any shape.

    Raises:
        InputError: There is no such sample or input, or shapes do not fit.
        InputTypeError: No arrays of real numbers, or `sample` is no number.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> plots.read_sample(np.array([1, -2])).values
        array([ 1., -2.])
    """
    if not isinstance(attribution, Attribution):
        return _array(attribution, inputs, standard_error, signed)
    every = read_samples(attribution, which=which, standard_error=standard_error, signed=signed)
    one = every.one(_number(sample, len(every) // every.targets, every.targets))
    if inputs is None:
        return one
    shown = explained(beside(attribution, inputs), which)
    if shown is not None and are_samples(
        shown, (len(every) // every.targets, *every.values.shape[1:])
    ):
        shown = shown[one.number]
    return replace(one, inputs=shown)


def _array(given: Any, inputs: Any, standard_error: Any, signed: bool | None) -> Sample:
    """An array that is one sample."""
    values = numbers_of("attribution", given)
    errors = None if standard_error is None else numbers_of("standard_error", standard_error)
    _alike("standard_error", errors, values)
    shown = None if inputs is None else numbers_of("inputs", inputs)
    if shown is not None and shown.ndim == values.ndim + 1 and len(shown) == 1:
        shown = shown[0]
    return Sample(values, errors, signed is not False, shown, (), Names(), 0)


def _number(sample: Any, n: int, targets: int) -> int:
    """The place of a sample among those of all targets."""
    parts = sample if isinstance(sample, tuple) else (0, sample)
    if len(parts) != 2 or not all(
        isinstance(part, numbers.Integral) and not isinstance(part, bool) for part in parts
    ):
        raise InputTypeError(
            f"sample is {brief(sample)}; expected the number of a sample, or (target, sample)"
        )
    for name, part, count in zip(("target", "sample"), parts, (targets, n), strict=True):
        if not -count <= part < count:
            raise InputError(f"there is no {name} {part}; expected one of {count}, from 0")
    return int(parts[0] % targets * n + parts[1] % n)


def _alike(name: str, errors: Array | None, values: Array) -> None:
    if errors is not None and errors.shape != values.shape:
        raise InputError(
            f"{name} has shape {errors.shape}, and the values {values.shape}; expected the same"
        )
