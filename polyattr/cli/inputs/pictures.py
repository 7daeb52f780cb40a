"""Pictures as 8-bit RGB: whatever would have to be guessed about a file is refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.cli.exits import InputFileError
from polyattr.cli.inputs.samples import Array, Reading, Samples
from polyattr.cli.inputs.sizes import check_size
from polyattr.cli.lines import plain
from polyattr.errors import MissingExtraError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_DEEP = ("I", "F")
"""Modes of more than 8 bits; those that begin so as well."""


def read_picture(path: Path, reading: Reading) -> Samples:
    """Reads one picture.

    Raises:
        MissingExtraError: Pillow is not installed.
        InputFileError: No picture, or one that is not whole.
    """
    return Samples([open_picture(path, reading)], rows=(path.name,), pictures=True)


def read_folder(path: Path, reading: Reading) -> Samples:
    """Reads the pictures of a folder, by name; other files and hidden ones are left out.

    Raises:
        MissingExtraError: Pillow is not installed.
        InputFileError: There are none, or one of them is no picture.
    """
    found = sorted(each for each in path.iterdir() if _is_picture(each))
    if not found:
        raise InputFileError(
            f"the folder {str(path)!r} has no pictures; expected names that end with "
            f"{', '.join(ENDINGS)}"
        )
    pictures, taken = [], 0
    for each in found:
        pictures.append(open_picture(each, reading))
        taken += pictures[-1].nbytes
        check_size(path, taken, reading)
    return Samples(pictures, rows=tuple(each.name for each in found), pictures=True)


def open_picture(path: Path, reading: Reading) -> Array:
    """Returns the pixels (H, W, 3) of a picture, turned as its camera says.

    Raises:
        MissingExtraError: Pillow is not installed.
        InputFileError: No picture, a broken one, or of transparent or deep pixels.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise MissingExtraError("reading pictures", "cli") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a size that is checked here
            with Image.open(path) as opened:
                check_size(path, 3 * opened.width * opened.height, reading)
                opened.load()
                _check_pixels(opened, path)
                return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except InputFileError:
        raise
    except Exception as error:  # Pillow's decoders fail in many ways
        raise InputFileError(f"{str(path)!r} is no picture: {_said(error, path)}") from error


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()


def _check_pixels(opened: Any, path: Path) -> None:
    if opened.mode.startswith(_DEEP):
        raise InputFileError(
            f"{str(path)!r} has pixels of more than 8 bits ({opened.mode}), whose range is not "
            f"known; save it with 8 bits, or as .npy"
        )
    if opened.has_transparency_data and opened.convert("RGBA").getextrema()[3][0] < 255:
        raise InputFileError(
            f"{str(path)!r} has transparent pixels, whose colour is not defined; put it on a "
            f"background first"
        )


def _said(error: Exception, path: Path) -> str:
    """What Pillow says, without the path and the object it read from."""
    text = plain(error, 120)
    return "it cannot be identified" if "identify" in text and path.name in text else text
