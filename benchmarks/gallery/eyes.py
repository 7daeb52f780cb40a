"""Pictures as they look in grey, and to those who do not tell red from green."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

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
    """Writes a figure as a PNG, with fewer colours where it is too large; returns its bytes."""
    figure.savefig(path, dpi=dpi)
    whole = Image.open(path).convert("RGB")
    whole.save(path, optimize=True)
    for colours in (256, 128, 64):
        if path.stat().st_size <= largest:
            break
        few = Image.Quantize.MAXCOVERAGE  # rare colours too, such as the ends of scales
        whole.quantize(colours, few, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size
