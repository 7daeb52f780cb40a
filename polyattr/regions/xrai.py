"""XRAI: the regions of a picture in the order of what they add to the score per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_count
from polyattr.regions.pictures import read_pictures
from polyattr.regions.segments import segments as divided
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]

_LEAST = 50 / 224**2
"""Pixels a region has to add, as a fraction of the picture's: XRAI's, which has 224 by 224."""


@dataclass(frozen=True)
class Regions:
    """The regions of N pictures, best first.

    Attributes:
        heat: (N, H, W) for each pixel the mean attribution of what its region added.
        rank: (N, H, W) for each pixel the number of its region, counted from 0 for the best.

    Example:
        >>> import numpy as np
        >>> from polyattr.regions import Regions
        >>> found = Regions(np.array([[[2.0, 1.0]]]), np.array([[[0, 1]]]))
        >>> found.top(0.5)
        array([[[ True, False]]])
    """

    heat: Array
    rank: Array

    def top(self, fraction: float) -> Array:
        """Returns masks (N, H, W) of the best regions, as few as cover a part of each picture.

        Args:
            fraction: The part, from 0 to 1.

        Raises:
            InputError: `fraction` is not between 0 and 1.

        Example:
            >>> import numpy as np
            >>> from polyattr.regions import Regions
            >>> Regions(np.array([[[2.0, 1.0]]]), np.array([[[0, 1]]])).top(1.0).tolist()
            [[[True, True]]]
        """
        if not 0 <= fraction <= 1:
            raise InputError(f"fraction is {fraction!r}; expected a number from 0 to 1")
        n, pixels = len(self.rank), self.rank[0].size
        masks = []
        for rank in self.rank.reshape(n, -1):
            covered = np.bincount(rank).cumsum()
            needed = int(np.searchsorted(covered, fraction * pixels - 1e-9)) if fraction else -1
            masks.append(rank <= needed)
        return np.stack(masks).reshape(self.rank.shape)


def xrai(
    attribution: Any,
    images: Any = None,
    *,
    segments: Sequence[Any] | None = None,
    min_pixels: int | None = None,
    channel_axis: int | None = None,
) -> Regions:
    """Ranks regions of pictures by the attributions of any method.

    Of all segments the one comes first whose pixels have the largest attribution in the mean, then
    the one whose pixels beyond those of the first have, and so on. Kapishnikov et al. (2019), arXiv
    1906.02825, take Integrated Gradients from ``baselines=np.stack([black, white])[None]``.

    Args:
        attribution: An `Attribution`, or its values (N, H, W), (N, H, W, C) or (N, C, H, W).
        images: The pictures (N, ...) that are divided; not needed where segments are given.
        segments: Masks (K, H, W) for each of N pictures; they may overlap and leave pixels out.
        min_pixels: Fewest pixels a region adds; None for a thousandth of the picture.
        channel_axis: 1 or -1, of channels to be summed; None finds the end that has 1, 3 or 4.

    Returns:
        The `Regions`; pixels of no region are the last one.

    Raises:
        MissingExtraError: Pictures are to be divided, and scikit-image is not installed.
        InputError: Shapes that do not fit each other, or neither images nor segments.
        InputTypeError: No arrays of numbers.

    Example:
        >>> import numpy as np
        >>> from polyattr.regions import xrai
        >>> halves = np.array([[[1, 1, 0, 0]], [[0, 0, 1, 1]]], bool)
        >>> xrai(np.array([[[3.0, 1.0, 0.0, 0.0]]]), segments=[halves]).heat
        array([[[2., 2., 0., 0.]]])
    """
    values = attribution.to_numpy().values if isinstance(attribution, Attribution) else attribution
    maps = read_pictures("attribution", values, channel_axis).sum(axis=-1)
    least = _least(min_pixels, maps[0].size)
    return _all_ranked(maps, _masks(maps, images, segments, channel_axis), least)


def _least(min_pixels: int | None, pixels: int) -> int:
    """Returns how many pixels a region adds at least, in a picture of so many `pixels`."""
    if min_pixels is None:
        return max(1, round(_LEAST * pixels))
    return check_count("min_pixels", min_pixels, 1)


def _all_ranked(maps: Array, masks: list[Array], least: int) -> Regions:
    """Ranks the regions of each map (N, H, W)."""
    ranked = [_ranked(one, own, least) for one, own in zip(maps, masks, strict=True)]
    heat, rank = zip(*ranked, strict=True)
    return Regions(np.stack(heat), np.stack(rank))


def _masks(
    maps: Array, images: Any, segments: Sequence[Any] | None, channel_axis: int | None
) -> list[Array]:
    """Returns the masks (K, H, W) of each picture.

    Raises:
        InputError: They do not fit the maps (N, H, W).
        InputTypeError: No masks.
    """
    if segments is None:
        if images is None:
            raise InputError("images and segments are None; expected one of them")
        pictures = read_pictures("images", images, channel_axis)
        if pictures.shape[:3] != maps.shape:
            raise InputError(
                f"images has pictures {pictures.shape[:3]}, and attribution {maps.shape}; expected "
                f"the same"
            )
        return [divided(picture, channel_axis=-1) for picture in pictures]
    found = [np.asarray(masks) for masks in segments]
    if len(found) != len(maps):
        raise InputError(f"segments has {len(found)} entries; expected one per map, {len(maps)}")
    for masks in found:
        if masks.dtype != bool:
            raise InputTypeError(
                f"segments holds {masks.dtype}; expected masks of bool (K, {maps.shape[1]}, "
                f"{maps.shape[2]}): of labels, [labels == label for label in np.unique(labels)]"
            )
        if masks.shape[1:] != maps.shape[1:]:
            raise InputError(
                f"segments has masks of shape {masks.shape}; expected (K, {maps.shape[1]}, "
                f"{maps.shape[2]})"
            )
    return found


def _ranked(values: Array, masks: Array, least: int) -> tuple[Array, Array]:
    """Returns heat and rank (H, W) of one map (H, W) with masks (K, H, W)."""
    flat, members = values.ravel(), masks.reshape(len(masks), -1)
    heat, rank = np.zeros(len(flat)), np.full(len(flat), -1)
    # What each mask would add: its pixels that no region has yet, and their sum.
    sizes, sums = members.sum(axis=1), members @ flat
    number = 0
    while (sizes >= least).any():
        gains = np.where(sizes >= least, sums / np.maximum(sizes, 1), -np.inf)
        best = int(gains.argmax())
        added = members[best] & (rank < 0)
        # The mean itself: running sums have rounded on the way.
        heat[added], rank[added] = flat[added].mean(), number
        taken = members[:, added]
        sizes, sums = sizes - taken.sum(axis=1), sums - taken @ flat[added]
        number += 1
    rest = rank < 0
    if rest.any():
        heat[rest], rank[rest] = flat[rest].mean(), number
    return heat.reshape(values.shape), rank.reshape(values.shape)
