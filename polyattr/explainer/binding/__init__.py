"""A method bound to a model: everything one call goes through."""

from polyattr.explainer.binding.bound import Bound
from polyattr.explainer.binding.method import Method

__all__ = ["Bound", "Method"]
