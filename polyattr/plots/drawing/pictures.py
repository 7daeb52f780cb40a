"""Inputs as pictures, with their channels on either end."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.plots.drawing.figure import FAINT, SMALL, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

PICTURE_CHANNELS = (1, 3, 4)


def channels_last(
    name: str, array: Array, axis: int | None = None, like: Array | None = None
) -> Array:
    """Returns one picture as (H, W, C).

    Args:
        name: The argument, for messages.
        array: (H, W), (H, W, C) or (C, H, W).
        axis: Where the channels are; None takes the first axis only where the last cannot be it, or
            where the other two are as long as each other.
        like: A map it belongs to, which tells where the channels of the same shape are.

    Raises:
        InputError: It is none of these, or holds nothing.
        InputTypeError: `axis` is no whole number.
    """
    if array.ndim not in {2, 3} or array.size == 0:
        raise InputError(
            f"{name} of shape {array.shape} cannot be drawn as a picture; expected one sample of "
            f"shape (H, W), (H, W, C) or (C, H, W), such as attribution[0]"
        )
    if array.ndim == 2:
        return array[..., None]
    if axis is not None and (like is None or like.shape == array.shape):
        if not isinstance(axis, numbers.Integral) or isinstance(axis, bool):
            raise InputTypeError(f"channel_axis is {axis!r}; expected 0 or -1, or None to find it")
        if axis % 3 not in {0, 2} or not -3 <= axis < 3:
            raise InputError(f"channel_axis is {axis}; expected 0 or -1 of one picture, or None")
        return np.moveaxis(array, int(axis), -1)
    first, middle, last = array.shape
    if {first, last}.isdisjoint(PICTURE_CHANNELS) and middle in {first, last}:
        # Maps of a hidden layer: its sides are alike, not one of them and the channels.
        return array if first == middle else np.moveaxis(array, 0, -1)
    if last not in PICTURE_CHANNELS and (first in PICTURE_CHANNELS or first < last):
        return np.moveaxis(array, 0, -1)
    return array


def pooled(values: Array, pool: int) -> Array:
    """Sums blocks of `pool` by `pool` pixels of a map (H, W); the last ones may be smaller."""
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], pool)
        values = np.add.reduceat(values, starts, axis=axis)
    return values


def stretched(picture: Array) -> Array:
    """Stretches a picture (H, W, C) over [0, 1], so that any normalisation can be shown.

    What is not finite is black.
    """
    finite = picture[np.isfinite(picture)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    shown = np.nan_to_num(picture, nan=low, posinf=high, neginf=low)
    return np.asarray((shown - low) / ((high - low) or 1.0))


def grey(picture: Array) -> Array:
    """Returns the lightness (H, W) of a picture (H, W, C); the mean, where it is not in colour."""
    if picture.shape[-1] in (3, 4):
        return np.asarray(picture[..., :3] @ np.array([0.299, 0.587, 0.114]))
    return np.asarray(picture.mean(axis=-1))


def paint(axes: Axes, picture: Array) -> None:
    """Draws a picture with values from 0 to 1: in colour (H, W, 3), or grey (H, W)."""
    axes.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")


def shown_input(picture: Array) -> Array:
    """Returns an input (H, W, C) as it is shown, from 0 to 1.

    In colour (H, W, 3) where C is 3 or 4, else its mean (H, W), dark on light: inputs without a
    value below zero, such as handwriting, are ink on paper.
    """
    shown = stretched(picture)
    if picture.shape[-1] in (3, 4):
        return shown[..., :3]
    mean = np.asarray(shown.mean(axis=-1))
    return 1.0 - mean if bool(np.nanmin(picture) == 0.0) else mean


def draw_input(axes: Axes, picture: Array) -> None:
    """Draws an input (H, W, C) as `shown_input` says."""
    paint(axes, shown_input(picture))


def strip_input(axes: Axes) -> None:
    """Takes the ticks off an input, and keeps the room of the scale that its map has beside it."""
    strip(axes)
    axes.set_xlabel("input", fontsize=SMALL, color=FAINT)
