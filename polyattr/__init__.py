"""Gradient attribution for any differentiable model, natively on PyTorch, TensorFlow and JAX."""

import sys
from typing import TYPE_CHECKING, Any

from polyattr import baselines, domains
from polyattr._version import __version__
from polyattr.backend import BoundModel, GradBackend, Layer, Tap
from polyattr.backend.bound_model import Visits
from polyattr.backend.registry import BackendInfo, backends, register, unregister
from polyattr.errors import (
    BaselineWarning,
    ConvergenceWarning,
    CutGradientWarning,
    InputError,
    InputTypeError,
    LayerNotFoundError,
    MissingExtraError,
    MissingFrameworkError,
    ModelOutputError,
    NonFiniteGradientError,
    NonFiniteGradientWarning,
    PolyattrError,
    PolyattrWarning,
    QuestionWarning,
    RandomModelWarning,
    TrainingModeWarning,
    UnknownBackendError,
    UnrecognisedModelError,
    UnusedInputWarning,
)
from polyattr.explainer import Explainer, Paper, setting
from polyattr.interactions import SmoothHess
from polyattr.methods import (
    IDGI,
    BlurIntegratedGradients,
    ExpectedGradients,
    GradientInput,
    GuidedIntegratedGradients,
    IntegratedDecisionGradients,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
    SquareGrad,
    VarGrad,
)
from polyattr.patching import AttributionPatching
from polyattr.question.foreign.names import missing_name
from polyattr.results.attribution import Attribution, load
from polyattr.results.comparison import BaselineComparison, compare_baselines
from polyattr.results.names import Names
from polyattr.sampling import Recipe, Rows, Weights
from polyattr.scores.each import each
from polyattr.scores.losses import loss

__all__ = [
    "Attribution",
    "AttributionPatching",
    "BackendInfo",
    "BaselineComparison",
    "BaselineWarning",
    "BlurIntegratedGradients",
    "BoundModel",
    "ConvergenceWarning",
    "CutGradientWarning",
    "ExpectedGradients",
    "Explainer",
    "GradBackend",
    "GradientInput",
    "GuidedIntegratedGradients",
    "IDGI",
    "IntegratedDecisionGradients",
    "InputError",
    "InputTypeError",
    "IntegratedGradients",
    "Layer",
    "LayerNotFoundError",
    "MissingExtraError",
    "MissingFrameworkError",
    "ModelOutputError",
    "Names",
    "NonFiniteGradientError",
    "NonFiniteGradientWarning",
    "Paper",
    "PolyattrError",
    "PolyattrWarning",
    "RandomModelWarning",
    "Rows",
    "Recipe",
    "Saliency",
    "SmoothGrad",
    "SmoothHess",
    "SquareGrad",
    "Tap",
    "TrainingModeWarning",
    "UnknownBackendError",
    "UnrecognisedModelError",
    "QuestionWarning",
    "UnusedInputWarning",
    "VarGrad",
    "Visits",
    "Weights",
    "__version__",
    "backends",
    "baselines",
    "compare_baselines",
    "domains",
    "each",
    "load",
    "loss",
    "register",
    "setting",
    "unregister",
]


if not TYPE_CHECKING:  # a type checker would take any name for known

    def __getattr__(name: str) -> Any:
        """Says what another library's class is called here."""
        advice, text = missing_name(name, __all__), f"module 'polyattr' has no attribute {name!r}"
        if not advice:
            raise AttributeError(text)
        # `from polyattr import name` asks first, and would put words of its own in place of these.
        if sys._getframe(1).f_code.co_name == "_handle_fromlist":
            raise ImportError(f"{text}{advice}", name=__name__)
        raise AttributeError(f"{text}{advice}")
