"""The base of all methods: one call, from what the user passed to what comes back."""

from polyattr.explainer.explainer import Explainer

__all__ = ["Explainer"]
