"""The base of all methods: one call, from what the user passed to what comes back."""

from polyattr.explainer.explainer import Explainer
from polyattr.explainer.noisy import NoisyExplainer
from polyattr.explainer.paper import Guide, Paper
from polyattr.explainer.settings import setting

__all__ = ["Explainer", "Guide", "NoisyExplainer", "Paper", "setting"]
