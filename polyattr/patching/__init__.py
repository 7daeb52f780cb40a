"""What each of many layers passes on of a change of the input, in one pass."""

from polyattr.patching.attribution_patching import AttributionPatching

__all__ = ["AttributionPatching"]
