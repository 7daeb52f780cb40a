"""Pictures and maps as they come, with their channels on either end."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError

Array = np.ndarray[Any, Any]

_CHANNELS = {1, 3, 4}


def read_pictures(name: str, given: Any, channel_axis: int | None) -> Array:
    """Reads pictures or maps as float64 (N, H, W, C).

    Args:
        name: The argument, for messages.
        given: (N, H, W), (N, H, W, C) or (N, C, H, W): an array, or what NumPy makes one of.
        channel_axis: Where the channels are; None finds the end that has 1, 3 or 4.

    Raises:
        InputTypeError: No array of numbers.
        InputError: Other axes, channels that cannot be told, or NaN and the like.
    """
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError):  # a tensor that is recorded, or elsewhere
        raise InputTypeError(
            f"{name} is a {type(given).__name__}; expected an array (N, H, W), (N, H, W, C) or "
            f"(N, C, H, W), copied to the host"
        ) from None
    if array.ndim == 3 and channel_axis is None:
        array = array[..., None]
    elif array.ndim != 4:
        raise InputError(
            f"{name} has shape {array.shape}; expected (N, H, W), (N, H, W, C) or (N, C, H, W)"
        )
    else:
        array = np.moveaxis(array, _channels(name, array.shape, channel_axis), -1)
    if 0 in array.shape or not np.isfinite(array).all():
        raise InputError(
            f"{name}, of shape {array.shape}, is empty or not finite; expected finite numbers"
        )
    return array


def _channels(name: str, shape: tuple[int, ...], axis: int | None) -> int:
    if axis is not None:
        if axis % 4 not in {1, 3} or not -4 < axis < 4:
            raise InputError(f"channel_axis is {axis}; expected 1 or -1, or None to find it")
        return axis
    found = [end for end in (1, 3) if shape[end] in _CHANNELS]
    if len(found) != 1:
        raise InputError(
            f"{name} has shape {shape}, and which axis has its channels cannot be told; expected "
            f"channel_axis=1 or channel_axis=-1"
        )
    return found[0]
