"""What --baseline means."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from polyattr import baselines
from polyattr.cli.exits import WrongUseError
from polyattr.cli.inputs.reading import read_samples
from polyattr.cli.inputs.samples import Reading
from polyattr.cli.models.imported import imported, is_reference

_WORDS = ("zeros", "mean", "blur", "blur=SIGMA", "farthest", "noise")


def read_baseline(text: str) -> Any:
    """Reads where paths start.

    A number, one of the words, an .npy file of one sample or of all, or ``module:object``.

    Raises:
        WrongUseError: None of them.
        InputFileError: The file cannot be read.
        ModelFileError: The object cannot be imported.
    """
    number = _number(text)
    if number is not None:
        return number
    word, _, argument = text.partition("=")
    made = {
        "zeros": baselines.Zeros,
        "mean": baselines.Mean,
        "farthest": baselines.MaximumDistance,
        "noise": baselines.UniformNoise,
    }
    if word in made and not argument:
        return made[word]()
    if word == "blur":
        sigma = _number(argument) if argument else 3.0
        if sigma is not None and sigma > 0:
            return baselines.Blur(sigma)
    if text.endswith(".npy"):
        return read_samples(Path(text), Reading()).values
    if is_reference(text):
        return imported(text, "--baseline")
    raise WrongUseError(
        f"--baseline {text!r} is unknown; expected a number, {', '.join(_WORDS)}, an .npy file or "
        f"module:object"
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
