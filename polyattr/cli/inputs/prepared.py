"""From what was read to what the model takes; the user's own function has the last word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polyattr.backend import BoundModel
from polyattr.cli.exits import InputFileError
from polyattr.cli.inputs.pixels import Pixels, for_model, to_arrays
from polyattr.cli.inputs.samples import Array, Samples
from polyattr.cli.lines import told


def prepared(
    samples: Samples,
    bound: BoundModel,
    pixels: Pixels,
    preprocess: Callable[[Any], Any] | None,
    dtype: str | None = None,
) -> Any:
    """Returns the inputs of the model, (N, ...).

    Args:
        samples: What was read.
        bound: The model.
        pixels: What the user says of pictures.
        preprocess: Gets the array (N, ...), or for pictures of which nothing is said the list of
            (H, W, 3); returns what the model takes.
        dtype: Floating dtype; None takes the model's, or float32.

    Raises:
        WrongUseError: What the model takes is not known.
        InputFileError: The samples do not fit the model, or `preprocess` fails.
    """
    values = samples.values
    if samples.pictures and (preprocess is None or pixels.given):
        values = to_arrays(values, for_model(pixels, bound.input_shape))
    elif samples.pictures and len({picture.shape for picture in values}) == 1:
        values = np.stack(values)
    if preprocess is not None:
        values = _own(values, preprocess, len(samples))
    else:
        _check_shape(values, bound, samples)
    kind = dtype or bound.dtype or "float32"
    if isinstance(values, dict):
        return {name: _cast(array, kind) for name, array in values.items()}
    return _cast(values, kind)


def _own(values: Any, preprocess: Callable[[Any], Any], n: int) -> Any:
    name = getattr(preprocess, "__name__", "the function")
    try:
        found = preprocess(values)
    except Exception as error:
        raise InputFileError(f"--preprocess: {name} failed: {told(error)}") from error
    parts = list(found.values()) if isinstance(found, dict) else [found]
    for part in parts:
        shape = getattr(part, "shape", None)
        if shape is None or not len(shape) or shape[0] != n:
            given = f"shape {tuple(shape)}" if shape is not None else f"a {type(part).__name__}"
            raise InputFileError(
                f"--preprocess: {name} returned {given}; expected an array or tensor (N, ...) of "
                f"{n} samples"
            )
    return found


def _cast(values: Any, dtype: str) -> Any:
    """Numbers with a fraction to the dtype of the model; whole ones may be indices, and stay."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or dtype == "bfloat16":
        return values
    array: Array = values.astype(dtype, copy=False)
    return array


def _check_shape(values: Any, bound: BoundModel, samples: Samples) -> None:
    """Checks an array against what the model says it takes.

    Raises:
        InputFileError: They do not fit.
    """
    wanted = bound.input_shape
    if wanted is None or not isinstance(values, np.ndarray):
        return
    inner = values.shape[1:]
    if len(inner) == len(wanted) - 1 and all(
        size in {None, has} for size, has in zip(wanted[1:], inner, strict=True)
    ):
        return
    asked = ", ".join("any" if size is None else str(size) for size in wanted[1:])
    has = ", ".join(map(str, inner))
    cure = ""
    if samples.features is not None:
        cure = "; leave out what is no feature with --drop NAME, or choose with --columns"
    raise InputFileError(f"the model takes (N, {asked}), and the input is (N, {has}){cure}")
