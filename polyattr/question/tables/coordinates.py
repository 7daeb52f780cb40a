"""What tables and labelled arrays say of their axes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Coordinates:
    """Names that came with an input.

    Attributes:
        features: Of the last axis of a table (N, F).
        channels: Of the channels of images or series.
        rows: Of the samples.
    """

    features: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    rows: tuple[str, ...] | None = None
