"""Colours: told apart by readers who are blind to red and green, with white for exactly zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polyattr.errors import InputError, InputTypeError, MissingExtraError, nearest

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Both scales are pure white at zero, so that no attribution looks like paper. Blue is darker than
# red at the same magnitude: in grey, and to the colour-blind, the signs differ in depth as well.
# Magnitudes are a greyish plum: who sees no red in purple would take it for the blue of negatives.
SIGNED_COLOURS = ("#1b4b9c", "#4d83c9", "#b0cceb", "#ffffff", "#fcc4a8", "#ee7350", "#d01c1f")
UNSIGNED_COLOURS = ("#ffffff", "#d3cadc", "#937fa6", "#3f2557")
BELOW, ABOVE, ABOVE_UNSIGNED = "#061a45", "#6b0009", "#0d0014"
FOR, AGAINST, MAGNITUDE = "#d01c1f", "#1b4b9c", "#4f3367"
FOR_PALE, AGAINST_PALE, MAGNITUDE_PALE = "#efb6a6", "#aebfdd", "#c9c0d2"
NAN, INFINITE, UNSURE = "#f2c230", "#0c9c86", "#9a9a9a"


def colour_map(cmap: Any = None, *, signed: bool) -> Colormap:
    """Returns the colours of values: what the user gave, or ours.

    Args:
        cmap: A colormap, the name of one of matplotlib's, or None for blue - white - red where
            values have signs, and white - plum where they have none.
        signed: Whether values have signs.

    Raises:
        InputError: No colormap has that name.
        InputTypeError: `cmap` is neither.
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib import colormaps
        from matplotlib.colors import Colormap, LinearSegmentedColormap
    except ImportError as error:
        raise MissingExtraError("drawing", "plots") from error
    if cmap is None:
        name, colours = ("signed", SIGNED_COLOURS) if signed else ("unsigned", UNSIGNED_COLOURS)
        # Odd: zero is a colour.
        found: Colormap = LinearSegmentedColormap.from_list(name, list(colours), N=257)
        over = ABOVE if signed else ABOVE_UNSIGNED
        return found.with_extremes(bad=NAN, under=BELOW, over=over)
    if isinstance(cmap, str):
        if cmap not in colormaps:
            raise InputError(
                f"cmap is {cmap!r}.{nearest(cmap, colormaps)} Expected a name in "
                f"matplotlib.colormaps, or a colormap"
            )
        cmap = colormaps[cmap]
    if not isinstance(cmap, Colormap):
        raise InputTypeError(
            f"cmap is a {type(cmap).__name__}; expected a matplotlib colormap, its name, or None"
        )
    ends = [_darker(cmap(end)) for end in (0.0, 1.0)]
    return cmap.with_extremes(bad=NAN, under=ends[0], over=ends[1])


def bar_colours(cmap: Any, *, signed: bool) -> tuple[Any, Any, Any, Any]:
    """Returns the colours of bars: positive, negative, and both where they are not sure.

    Takes the arguments of `colour_map` and raises its errors.
    """
    if cmap is None:
        if not signed:
            return MAGNITUDE, MAGNITUDE, MAGNITUDE_PALE, MAGNITUDE_PALE
        return FOR, AGAINST, FOR_PALE, AGAINST_PALE
    colours = colour_map(cmap, signed=signed)
    high, low = colours(1.0), colours(0.0 if signed else 1.0)
    return high, low, _paler(high), _paler(low)


def _darker(colour: Any) -> tuple[float, float, float, float]:
    red, green, blue = (0.45 * float(part) for part in colour[:3])
    return red, green, blue, 1.0


def _paler(colour: Any) -> tuple[float, float, float, float]:
    red, green, blue = (1 - 0.35 * (1 - float(part)) for part in colour[:3])
    return red, green, blue, 1.0
