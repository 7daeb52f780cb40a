"""What there is to draw: the values of one input of a result, or of plain arrays, on the host."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief
from polyattr.plots.drawing.pictures import channels_last
from polyattr.plots.reading.words import facts_of
from polyattr.question.structure import flatten
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
    host = _host(given, inputs, standard_error)
    values = numbers_of("values", _chosen(host.values, which))
    error = _chosen(host.standard_error, which)
    errors = None if error is None else numbers_of("standard_error", error)
    _alike("standard_error", errors, values)
    shown = _explained(host, which)
    axis = host.scores.ndim - 1
    if shown is not None:
        shown = _with_samples(shown, values.shape[axis:])
        if strict:
            _check_inputs(shown, values.shape[axis:])
    targets = len(host.scores) if axis else 1
    if axis:
        values = values.reshape(-1, *values.shape[2:])
        errors = None if errors is None else errors.reshape(values.shape)
        shown = None if shown is None else np.concatenate([shown] * targets)
    says = given.signed is not False if signed is None else signed
    return Samples(values, errors, says, shown, given.names or Names(), host, targets)


def _host(given: Attribution, inputs: Any, standard_error: Any = None) -> Attribution:
    """The result with what the user gave beside it, all of which its framework takes to NumPy."""
    beside = {"inputs": inputs, "standard_error": standard_error}
    return replace(given, **{k: v for k, v in beside.items() if v is not None}).to_numpy()


def _explained(host: Attribution, which: Any) -> Array | None:
    inputs = host.inputs
    if isinstance(inputs, dict | list | tuple):
        inputs = _chosen(inputs, which)
    return None if inputs is None else numbers_of("inputs", inputs)


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
    shown = _explained(_host(attribution, inputs), which)
    if shown is not None and _are_samples(
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


def _are_samples(inputs: Array, shape: tuple[int, ...]) -> bool:
    """Says whether inputs are all samples of values of a shape (N, ...), and not one of them."""
    if inputs.shape in {shape, shape[1:]}:
        return bool(inputs.shape == shape)
    return bool(inputs.shape[:1] == shape[:1] and inputs.ndim >= len(shape))


def _with_samples(inputs: Array, shape: tuple[int, ...]) -> Array:
    """Gives the input of a single sample its axis of samples, where that is missing."""
    alone = shape[:1] == (1,) and not _are_samples(inputs, shape)
    return inputs[None] if alone else inputs


def _check_inputs(inputs: Array, shape: tuple[int, ...]) -> None:
    """Checks inputs against values of a shape (N, ...): a photo may have its channels elsewhere.

    Raises:
        InputError: They differ.
    """
    alike = inputs.shape == shape
    pictures = min(inputs.ndim, len(shape)) >= 3 and max(inputs.ndim, len(shape)) <= 4
    if not alike and pictures and inputs.shape[:1] == shape[:1] and inputs.size and 0 not in shape:
        place = np.broadcast_to(0.0, shape[1:])
        sides = channels_last("inputs", inputs[0]).shape[:2]
        alike = sides == channels_last("values", place).shape[:2]
    if not alike:
        raise InputError(
            f"inputs of shape {inputs.shape} and values of shape {shape} differ; expected what was "
            f"explained, sample by sample (channels may be first or last)"
        )


def numbers_of(name: str, given: Any) -> Array:
    """Reads real numbers as float64 on the host: half and bfloat16 have no picture otherwise.

    Args:
        name: The argument, for messages.
        given: An array, or what NumPy makes one of.

    Raises:
        InputTypeError: Something else.
    """
    try:
        array = np.asarray(given)
        if array.dtype.kind in "biuf" or array.dtype.name == "bfloat16":
            return array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError):  # a tensor that is recorded, or elsewhere
        pass
    first = "an Attribution or an array" if name == "attribution" else "an array"
    verb = "is" if name in {"attribution", "time"} else "are"
    raise InputTypeError(
        f"{name} {verb} a {type(given).__name__}; expected {first} of real numbers, on the host"
    )


def _chosen(values: Any, which: Any) -> Any:
    """Takes one input of several."""
    if values is None:
        return None
    structure, leaves = flatten(values, "values")
    known = [pair for pair in zip(structure.names, leaves, strict=True) if pair[1] is not None]
    if which is not None:
        try:
            leaf = values[which]
        except (KeyError, IndexError, TypeError):
            leaf = None
        if not isinstance(values, dict | list | tuple) or leaf is None:
            raise InputError(
                f"which is {brief(which)}; expected one of the inputs, of which there are "
                f"{', '.join(name for name, _ in known)}"
            )
        return leaf
    if len(known) > 1:
        raise InputError(
            f"this attribution holds {structure.outline()}; expected which= one of its inputs: "
            f"{', '.join(name for name, _ in known)}"
        )
    return known[0][1]


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
