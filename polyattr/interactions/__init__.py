"""Methods whose maps are of pairs of features."""

from polyattr.interactions.smooth_hess import SmoothHess

__all__ = ["SmoothHess"]
