"""Colours of values outside of maps: of words, of moments, of letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.drawing.colours import INFINITE, NAN
from polyattr.plots.drawing.doubt import haze
from polyattr.plots.drawing.scale import Scale

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

Array = np.ndarray[Any, Any]


def painted(values: Array, errors: Array | None, scale: Scale, colours: Colormap) -> Array:
    """Returns the colours (L, 4) that values (L,) have on a scale, as those of a map.

    What is within two standard errors of zero fades; what lies beyond the scale, or is not finite,
    has the colour of its mark.
    """
    from matplotlib.colors import to_rgba

    place = (np.nan_to_num(values) - scale.low) / (scale.high - scale.low)
    found = np.array(colours(np.clip(place, 0, 1)))
    found[values > scale.high] = colours.get_over()
    found[values < scale.low] = colours.get_under()
    if errors is not None:
        grey = haze(values[None], errors[None], scale.high)[0]
        part = grey[:, 3:]
        found[:, :3] = found[:, :3] * (1 - part) + grey[:, :3] * part
    found[np.isnan(values)] = to_rgba(NAN)
    found[np.isinf(values)] = to_rgba(INFINITE)
    return found
