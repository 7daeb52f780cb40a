"""Pictures as text inside a page, in few bytes."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image as Pillow

Array = np.ndarray[Any, Any]

_SHARP = 64
"""Pixels along the longer side up to which every one of a picture is kept."""
_PHOTOS = ((320, 82), (256, 76), (224, 70), (192, 62), (160, 52), (128, 42), (96, 35))
"""Pixels along the longer side, and quality: the first that is small enough is taken."""


@dataclass(frozen=True)
class Encoded:
    """A picture as it stands in a page.

    Attributes:
        src: A data URI.
        width: In pixels.
        height: Likewise.
        size: In bytes, before they are written as text.
    """

    src: str
    width: int
    height: int
    size: int


def cells(colours: Array) -> Encoded:
    """Encodes a map (H, W, 3) from 0 to 1, a pixel for each of its cells.

    Colours keep five bits, or fewer where that is more than a palette holds: white stays white.
    """
    for levels in (31, 15, 7, 5):
        steps = np.round(np.clip(colours, 0, 1) * levels).astype(np.int64)
        codes = (steps * [10_000, 100, 1]).sum(axis=-1)
        found, index = np.unique(codes, return_inverse=True)
        if len(found) <= 256:
            break
    each = np.stack([found // 10_000, found // 100 % 100, found % 100], axis=-1)
    palette = np.round(each / levels * 255).astype(np.uint8)
    return _indexed(index.reshape(colours.shape[:2]).astype(np.uint8), palette)


def _indexed(index: Array, palette: Array) -> Encoded:
    from PIL import Image

    image = Image.fromarray(index)
    image.putpalette(palette.tobytes())  # which makes grey pixels those of a palette
    return _written(image, "PNG", optimize=True)


def photo(picture: Array, most: int, first: int = 0) -> tuple[Encoded, int]:
    """Encodes an input (H, W) or (H, W, 3) from 0 to 1, in at most so many bytes if it can be.

    Small ones keep each of their pixels.

    Args:
        picture: The input.
        most: Bytes it may take.
        first: How coarse to begin with: what finer ones took is known from others like it.

    Returns:
        The picture, and how coarse it is.
    """
    from PIL import Image, features

    image = Image.fromarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    if max(image.size) <= _SHARP:
        return _written(image, "PNG", optimize=True), 0
    kind = "WEBP" if features.check("webp") else "JPEG"
    for place, (side, quality) in enumerate(_PHOTOS[first:], first):
        part = side / max(image.size)
        shown = image
        if part < 1:
            width, height = (max(1, round(part * length)) for length in image.size)
            shown = image.resize((width, height), Image.Resampling.LANCZOS)
        found = _written(shown, kind, quality=quality)
        if found.size <= most:
            return found, place
    return found, len(_PHOTOS) - 1


def drawing(figure: Figure, dpi: int) -> Encoded:
    """Encodes a figure of matplotlib, in as many colours as a palette holds."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    with Image.open(buffer) as drawn:
        return cells(np.asarray(drawn.convert("RGB")) / 255)


def _written(image: Pillow.Image, kind: str, **options: Any) -> Encoded:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    data = buffer.getvalue()
    text = base64.b64encode(data).decode("ascii")
    return Encoded(f"data:image/{kind.lower()};base64,{text}", *image.size, len(data))
