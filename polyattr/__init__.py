"""Gradient attribution for any differentiable model, natively on PyTorch, TensorFlow and JAX."""

from polyattr._version import __version__
from polyattr.attribution import Attribution, load
from polyattr.backend import BoundModel, GradBackend, Layer, Tap
from polyattr.bound_model import Visits
from polyattr.errors import (
    ConvergenceWarning,
    InputError,
    InputTypeError,
    LayerNotFoundError,
    MissingExtraError,
    MissingFrameworkError,
    ModelOutputError,
    NonFiniteGradientError,
    PolyattrError,
    PolyattrWarning,
    TrainingModeWarning,
    UnknownBackendError,
    UnrecognisedModelError,
    UnusedInputWarning,
)
from polyattr.explainer import Explainer
from polyattr.methods import (
    GradientInput,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
    SquareGrad,
    VarGrad,
)
from polyattr.plugins import BackendInfo, backends, register, unregister
from polyattr.tasks import loss

__all__ = [
    "Attribution",
    "BackendInfo",
    "BoundModel",
    "ConvergenceWarning",
    "Explainer",
    "GradBackend",
    "GradientInput",
    "InputError",
    "InputTypeError",
    "IntegratedGradients",
    "Layer",
    "LayerNotFoundError",
    "MissingExtraError",
    "MissingFrameworkError",
    "ModelOutputError",
    "NonFiniteGradientError",
    "PolyattrError",
    "PolyattrWarning",
    "Saliency",
    "SmoothGrad",
    "SquareGrad",
    "Tap",
    "TrainingModeWarning",
    "UnknownBackendError",
    "UnrecognisedModelError",
    "UnusedInputWarning",
    "VarGrad",
    "Visits",
    "__version__",
    "backends",
    "load",
    "loss",
    "register",
    "unregister",
]
