"""Pictures as they look in grey, and to those who do not tell red from green."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from polyattr.plots.drawing.colours import colour_map

Array = np.ndarray[Any, Any]

# Machado, Oliveira & Fernandes (2009), severity 1, of light and not of its coded values.
SEEN = {
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "grey": ((0.2126, 0.7152, 0.0722),) * 3,
}


def seen(pixels: Array, eyes: str) -> Array:
    """Changes pixels (H, W, 3), 0 to 255, as `eyes` see them."""
    coded = pixels / 255
    light = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    left = np.clip(light @ np.array(SEEN[eyes]).T, 0, 1)
    again = np.where(left <= 0.0031308, 12.92 * left, 1.055 * left ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(255 * again), dtype=np.uint8)


def write_seen(picture: Path, folder: Path) -> None:
    """Writes a picture as all of these eyes see it."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    for eyes in SEEN:
        Image.fromarray(seen(pixels, eyes)).save(folder / f"{picture.stem}-{eyes}.png")


def write_small(figure: Any, path: Path, dpi: int = 100, largest: int = 150_000) -> int:
    """Writes a figure as a PNG, of 256 colours where it is too large; returns its bytes."""
    figure.savefig(path, dpi=dpi)
    whole = Image.open(path).convert("RGB")
    whole.save(path, optimize=True)
    if path.stat().st_size > largest:
        few = _with_scales(whole).quantize(256, kmeans=5)
        small = whole.quantize(palette=few, dither=Image.Dither.NONE)
        _whiten(small)
        small.save(path, optimize=True)
    return path.stat().st_size


def _whiten(small: Image.Image) -> None:
    """Makes its commonest colour, the paper, white: zero is white, exactly."""
    palette = np.array(small.getpalette()).reshape(-1, 3)
    palette[np.bincount(np.asarray(small).ravel()).argmax()] = 255
    small.putpalette(palette.ravel().tolist())


def _with_scales(whole: Image.Image) -> Image.Image:
    """Puts the colours of scales beside a picture: photos would leave them too few of the 256."""
    scales = [colour_map(signed=signed)(np.linspace(0, 1, 240))[:, :3] for signed in (True, False)]
    rows = np.repeat(np.concatenate([*scales, np.ones((8, 3))]), 4, axis=0)
    rows = np.resize(rows, (whole.height, 3))
    beside = np.repeat(np.round(255 * rows[:, None]), whole.width, axis=1)
    pixels = np.concatenate([np.asarray(whole), beside.astype(np.uint8)], axis=1)
    return Image.fromarray(pixels)
