"""A folder of pictures of one size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import Batch
from polyattr.datasets.optional import library
from polyattr.datasets.sources.files import stamp_of
from polyattr.datasets.sources.source import Source
from polyattr.errors import InputError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Images(Source):
    """Pictures (H, W, 3) as float32 in [0, 1], in the order of their paths, which are their ids."""

    path: Path
    kind = "images"

    @cached_property
    def _paths(self) -> list[Path]:
        return sorted(p for p in self.path.rglob("*") if p.suffix.lower() in ENDINGS)

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, start: int, stop: int) -> Batch:
        """Reads and decodes pictures.

        Raises:
            MissingExtraError: Pillow is not installed.
            InputError: One cannot be read, or has another size than the one before it.
        """
        pillow = library("PIL.Image", "a folder of pictures", "images")
        paths, found = self._paths[start:stop], []
        for path in paths:
            try:
                with pillow.open(path) as picture:
                    found.append(np.asarray(picture.convert("RGB"), np.float32) / 255)
            except OSError as error:
                raise InputError(f"{path} cannot be read as a picture: {error}") from error
            if found[-1].shape != found[0].shape:
                raise InputError(
                    f"{path} is {found[-1].shape[:2]} pixels and {paths[0]} is "
                    f"{found[0].shape[:2]}; expected pictures of one size: scale them first"
                )
        ids = np.array([str(path.relative_to(self.path)) for path in paths])
        return Batch(np.stack(found), None, ids)

    def stamp(self) -> dict[str, Any]:
        """Path, size and time of the files."""
        return stamp_of(self.path)
