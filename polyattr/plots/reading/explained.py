"""What stands beside a result: its inputs on the host, and whether its values are of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief
from polyattr.plots.drawing.pictures import channels_last
from polyattr.question.structure import flatten
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]


def beside(given: Attribution, inputs: Any, standard_error: Any = None) -> Attribution:
    """The result with what the user gave beside it, all of which its framework takes to NumPy."""
    found = {"inputs": inputs, "standard_error": standard_error}
    return replace(given, **{k: v for k, v in found.items() if v is not None}).to_numpy()


def explained(host: Attribution, which: Any) -> Array | None:
    """The input of a result that is to be drawn, or None; raises the errors of `chosen`."""
    inputs = host.inputs
    if isinstance(inputs, dict | list | tuple):
        inputs = chosen(inputs, which)
    return None if inputs is None else numbers_of("inputs", inputs)


def are_samples(inputs: Array, shape: tuple[int, ...]) -> bool:
    """Says whether inputs are all samples of values of a shape (N, ...), and not one of them."""
    if inputs.shape in {shape, shape[1:]}:
        return bool(inputs.shape == shape)
    return bool(inputs.shape[:1] == shape[:1] and inputs.ndim >= len(shape))


def _with_samples(inputs: Array, shape: tuple[int, ...]) -> Array:
    """Gives the input of a single sample its axis of samples, where that is missing."""
    alone = shape[:1] == (1,) and not are_samples(inputs, shape)
    return inputs[None] if alone else inputs


def kept(host: Attribution, which: Any, shape: tuple[int, ...]) -> Array | None:
    """What a result kept, if it is what its values are of: ids are not, of the embeddings' map."""
    try:
        shown = explained(host, which)
    except (InputError, InputTypeError):
        return None
    return shown if shown is not None and _alike_but_for_channels(shown, shape) else None


def given_inputs(
    host: Attribution, which: Any, shape: tuple[int, ...], *, strict: bool
) -> Array | None:
    """What the user says was explained.

    Raises:
        InputError: It differs from values of a shape (N, ...), and that is asked for.
        InputTypeError: No numbers.
    """
    shown = explained(host, which)
    if shown is None:
        return None
    shown = _with_samples(shown, shape)
    if strict and not _alike_but_for_channels(shown, shape):
        raise InputError(
            f"inputs of shape {shown.shape} and values of shape {shape} differ; expected what was "
            f"explained, sample by sample (channels may be first or last)"
        )
    return shown


def _alike_but_for_channels(inputs: Array, shape: tuple[int, ...]) -> bool:
    """Says whether inputs belong to values of a shape (N, ...): a photo has channels elsewhere."""
    if inputs.shape == shape:
        return True
    pictures = min(inputs.ndim, len(shape)) >= 3 and max(inputs.ndim, len(shape)) <= 4
    if not pictures or inputs.shape[:1] != shape[:1] or not inputs.size or 0 in shape:
        return False
    sides = channels_last("inputs", inputs[0]).shape[:2]
    return bool(sides == channels_last("values", np.broadcast_to(0.0, shape[1:])).shape[:2])


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


def chosen(values: Any, which: Any) -> Any:
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
