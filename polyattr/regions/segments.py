"""Segments of a picture, from small to large, by Felzenszwalb's method in scikit-image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polyattr.errors import InputError, MissingExtraError
from polyattr.question.checks import check_count
from polyattr.regions.pictures import read_pictures

Array = np.ndarray[Any, Any]

SCALES = (50, 100, 150, 250, 500, 1200)
_SIGMA = 0.8
_SMALLEST = 150 / 224**2
"""Pixels of the smallest segment, as a fraction of the picture's: XRAI's, which has 224 by 224."""


def segments(
    image: Any,
    *,
    scales: Sequence[float] = SCALES,
    dilation: int = 5,
    channel_axis: int | None = None,
) -> Array:
    """Divides a picture several times, more and more coarsely; the segments overlap.

    By Felzenszwalb & Huttenlocher's graphs, as Kapishnikov et al. (2019), arXiv 1906.02825, do.

    Args:
        image: One picture (H, W), (H, W, C) or (C, H, W), in any range.
        scales: One division for each; larger ones have larger segments.
        dilation: By how many pixels segments grow on all sides, to have the edges of things.
        channel_axis: 0 or -1, where the channels are; None finds the end that has 1, 3 or 4.

    Returns:
        Masks (K, H, W) of all K segments.

    Raises:
        MissingExtraError: scikit-image is not installed.
        InputError: A shape that is no picture's, or no scales.
        InputTypeError: No array of numbers.

    Example:
        >>> import numpy as np
        >>> from polyattr.regions import segments
        >>> segments(np.eye(8), scales=[])
        Traceback (most recent call last):
        polyattr.errors.InputError: scales is []; expected at least one number above 0
    """
    check_count("dilation", dilation, 0)
    if not len(scales) or not all(scale > 0 for scale in scales):
        raise InputError(f"scales is {scales!r}; expected at least one number above 0")
    axis = channel_axis if channel_axis is None or channel_axis < 0 else channel_axis + 1
    return _divided(read_pictures("image", np.asarray(image)[None], axis)[0], scales, dilation)


def _divided(picture: Array, scales: Sequence[float], dilation: int) -> Array:
    """Returns the masks (K, H, W) of a picture (H, W, C).

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    try:
        from skimage.morphology import dilation as dilated
        from skimage.morphology import disk
        from skimage.segmentation import felzenszwalb
    except ImportError as error:
        raise MissingExtraError("dividing pictures into segments", "regions") from error
    low, high = picture.min(), picture.max()
    if high > low:
        picture = (picture - low) / (high - low) * 2 - 1
    smallest = max(1, round(_SMALLEST * picture.shape[0] * picture.shape[1]))
    masks = []
    for scale in scales:
        labels = felzenszwalb(picture, scale=scale, sigma=_SIGMA, min_size=smallest)
        masks += [labels == label for label in range(labels.max() + 1)]
    if dilation:
        masks = [dilated(mask, disk(dilation)) for mask in masks]
    return np.stack(masks)
