"""From pictures of any size to what a model takes: size, colour, layout, range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.cli.exits import WrongUseError
from polyattr.cli.inputs.samples import Array

LAYOUTS = ("CHW", "HWC", "HW")
RANGES = ("unit", "signed", "raw", "imagenet")
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_COLOURS = {1: True, 3: False}


@dataclass(frozen=True)
class Pixels:
    """What a model takes as a picture, as far as it is known.

    Attributes:
        size: (height, width); None keeps that of the pictures.
        layout: One of `LAYOUTS`: where the channels stand.
        gray: One channel instead of three.
        scale: One of `RANGES`, or "A,B" for (pixel - A) / B.
        stretch: Change the shape to fit, instead of cutting off what is too much.
    """

    size: tuple[int, int] | None = None
    layout: str | None = None
    gray: bool | None = None
    scale: str | None = None
    stretch: bool = False

    @property
    def given(self) -> bool:
        """Whether anything is said."""
        return any(part is not None for part in (self.size, self.layout, self.gray, self.scale))


def read_size(text: str | None) -> tuple[int, int] | None:
    """Reads ``224`` or ``240x320``, height and width.

    Raises:
        WrongUseError: Neither.
    """
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and 0 < int(part) <= 20_000 for part in parts):
        raise WrongUseError(
            f"--size {text!r} is no size; expected 224, or 240x320 (height x width)"
        )
    return int(parts[0]), int(parts[-1])


def for_model(pixels: Pixels, shape: tuple[int | None, ...] | None) -> Pixels:
    """Fills in what the model says of its input; what the user said stays.

    Args:
        pixels: What the user said.
        shape: (N, ...) of the model's input, with None for what it leaves open; None where unknown.

    Raises:
        WrongUseError: The model takes no pictures.
    """
    if shape is None:
        return pixels
    inner = shape[1:]
    if len(inner) == 2:
        found = Pixels(_known(inner), "HW", gray=True)
    elif len(inner) == 3:
        found = _with_channels(inner, pixels.layout)
    else:
        raise WrongUseError(
            f"the model takes {_written(shape)}, which is no picture; make one of it with "
            f"--preprocess module:function"
        )
    return replace(
        pixels,
        size=pixels.size or found.size,
        layout=pixels.layout or found.layout,
        gray=found.gray if pixels.gray is None else pixels.gray,
    )


def to_arrays(pictures: Sequence[Array], pixels: Pixels) -> Array:
    """Returns (N, ...) in float32, as `pixels` says.

    Raises:
        WrongUseError: The layout or range is not known, or the pictures have several sizes.
    """
    if pixels.layout is None:
        raise WrongUseError(
            "the model does not say what pictures it takes; pass --layout CHW (channels first, as "
            "PyTorch has them) or HWC (last, as Keras has them), mostly --size, as in --size 224, "
            "or --preprocess module:function"
        )
    if pixels.scale is None:
        raise WrongUseError(
            "no model says how its pixels are scaled; pass --scale unit (0 to 1), signed (-1 to 1),"
            " raw (0 to 255), imagenet (mean and deviation of each channel) or A,B for (pixel - A)"
            " / B, or --preprocess module:function"
        )
    sizes = {picture.shape[:2] for picture in pictures}
    if pixels.size is None and len(sizes) > 1:
        raise WrongUseError(f"the pictures have {len(sizes)} sizes; pass --size, as in --size 224")
    gray = bool(pixels.gray) or pixels.layout == "HW"
    fitted = np.stack([_fitted(picture, pixels, gray) for picture in pictures])
    scaled = scale(fitted.astype(np.float32), pixels.scale)
    if pixels.layout == "HW":
        return scaled[..., 0]
    return np.moveaxis(scaled, -1, 1) if pixels.layout == "CHW" else scaled


def scale(pixels: Array, how: str) -> Array:
    """Brings pixels (N, H, W, C), 0 to 255, to a range.

    Raises:
        WrongUseError: No such range.
    """
    if how == "raw":
        return pixels
    if how == "imagenet":
        if pixels.shape[-1] != 3:
            raise WrongUseError("--scale imagenet is for three channels; pass A,B for gray")
        mean, deviation = np.array(_MEAN, "float32"), np.array(_DEVIATION, "float32")
        return np.asarray((pixels / 255 - mean) / deviation, np.float32)
    shift, width = {"unit": (0.0, 255.0), "signed": (127.5, 127.5)}.get(how) or _pair(how)
    return np.asarray((pixels - np.float32(shift)) / np.float32(width), np.float32)


def _pair(how: str) -> tuple[float, float]:
    try:
        shift, width = map(float, how.split(","))
    except ValueError:
        shift, width = 0.0, 0.0
    if width == 0 or not np.isfinite([shift, width]).all():
        raise WrongUseError(
            f"--scale {how!r} is unknown; expected {', '.join(RANGES)}, or A,B for (pixel - A) / B"
        )
    return shift, width


def _fitted(picture: Array, pixels: Pixels, gray: bool) -> Array:
    """Resizes to cover the size and cuts the middle out, or stretches."""
    from PIL import Image

    image = Image.fromarray(picture)
    if pixels.size is not None:
        height, width = pixels.size
        if pixels.stretch:
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        else:
            factor = max(height / image.height, width / image.width)
            wide = max(width, round(image.width * factor))
            high = max(height, round(image.height * factor))
            image = image.resize((wide, high), Image.Resampling.BICUBIC)
            left, top = (wide - width) // 2, (high - height) // 2
            image = image.crop((left, top, left + width, top + height))
    array: Array = np.asarray(image.convert("L") if gray else image)
    return array[..., None] if gray else array


def _with_channels(inner: tuple[int | None, ...], asked: str | None) -> Pixels:
    """Reads (C, H, W) or (H, W, C): the side with one or three is that of the channels."""
    last, first = inner[2] in _COLOURS, inner[0] in _COLOURS
    if last and first:
        channels_last = asked == "HWC" if asked else None
    else:
        channels_last = last if last or first else None
    if channels_last is None:
        return Pixels()
    channels = inner[2] if channels_last else inner[0]
    size = inner[:2] if channels_last else inner[1:]
    gray = _COLOURS.get(channels or 0)
    return Pixels(_known(size), "HWC" if channels_last else "CHW", gray=gray)


def _known(size: Sequence[Any]) -> tuple[int, int] | None:
    height, width = size
    return (int(height), int(width)) if height and width else None


def _written(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join(['N', *('any' if s is None else str(s) for s in shape[1:])])})"
