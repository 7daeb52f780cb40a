"""Regions of pictures instead of pixels, over the map of any method."""

from polyattr.regions.segments import segments
from polyattr.regions.xrai import Regions, xrai

__all__ = ["Regions", "segments", "xrai"]
