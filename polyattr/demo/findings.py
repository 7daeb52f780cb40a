"""What the demo found: the digits it shows, what each method said about them, and the whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polyattr.demo.choice import DemoMethod
from polyattr.results.attribution import Attribution


@dataclass(frozen=True)
class Shown:
    """The digits of the demo.

    Attributes:
        images: (S, 28, 28) in [0, 1], the misread ones first.
        labels: (S,) what they are.
        predicted: (S,) what the network sees.
        places: (S,) their places among the held-out digits.
        misread: (W,) the places of all held-out digits the network gets wrong.
        held_out: How many digits were held out.
    """

    images: np.ndarray
    labels: np.ndarray
    predicted: np.ndarray
    places: np.ndarray
    misread: np.ndarray
    held_out: int


@dataclass(frozen=True)
class Explained:
    """What one method said about the digits.

    Attributes:
        method: The method.
        attribution: Its result, values (S, 28, 28) as NumPy.
        seconds: How long it took, compilation included.
    """

    method: DemoMethod
    attribution: Attribution
    seconds: float


@dataclass(frozen=True)
class Tour:
    """All the demo found.

    Attributes:
        framework: Name and version of what ran.
        devices: What the framework could run on.
        shown: The digits.
        explained: One entry per method.
        picture: Where the PNG is.
    """

    framework: str
    devices: tuple[str, ...]
    shown: Shown
    explained: tuple[Explained, ...]
    picture: Path
