"""Gradient attribution for any differentiable model, natively on PyTorch, TensorFlow and JAX.

What is asked for is imported then: `import polyattr` alone takes a few milliseconds.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from polyattr._version import __version__

if TYPE_CHECKING:
    from polyattr import baselines, domains
    from polyattr.backend import BoundModel, GradBackend, Layer, Tap
    from polyattr.backend.bound_model import Visits
    from polyattr.backend.registry import BackendInfo, backends, register, unregister
    from polyattr.datasets import Explained, Summary, Worker, explain_dataset, worker
    from polyattr.errors import (
        BaselineWarning,
        ConvergenceWarning,
        CutGradientWarning,
        InputError,
        InputTypeError,
        LayerNotFoundError,
        MapLoggingWarning,
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
    from polyattr.explainer import Explainer, Guide, Paper, setting
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
    "Explained",
    "Explainer",
    "GradBackend",
    "GradientInput",
    "Guide",
    "GuidedIntegratedGradients",
    "IDGI",
    "InputError",
    "InputTypeError",
    "IntegratedDecisionGradients",
    "IntegratedGradients",
    "Layer",
    "LayerNotFoundError",
    "MapLoggingWarning",
    "MissingExtraError",
    "MissingFrameworkError",
    "ModelOutputError",
    "Names",
    "NonFiniteGradientError",
    "NonFiniteGradientWarning",
    "Paper",
    "PolyattrError",
    "PolyattrWarning",
    "QuestionWarning",
    "RandomModelWarning",
    "Recipe",
    "Rows",
    "Saliency",
    "SmoothGrad",
    "SmoothHess",
    "SquareGrad",
    "Summary",
    "Tap",
    "TrainingModeWarning",
    "UnknownBackendError",
    "UnrecognisedModelError",
    "UnusedInputWarning",
    "VarGrad",
    "Visits",
    "Weights",
    "Worker",
    "__version__",
    "backends",
    "baselines",
    "compare_baselines",
    "domains",
    "each",
    "explain_dataset",
    "load",
    "loss",
    "register",
    "setting",
    "unregister",
    "worker",
]

# The imports above once more, as they are at run time.
_HOMES = {
    "polyattr.backend": "BoundModel GradBackend Layer Tap",
    "polyattr.backend.bound_model": "Visits",
    "polyattr.backend.registry": "BackendInfo backends register unregister",
    "polyattr.datasets": "Explained Summary Worker explain_dataset worker",
    "polyattr.errors": (
        "BaselineWarning ConvergenceWarning CutGradientWarning InputError InputTypeError "
        "LayerNotFoundError MapLoggingWarning MissingExtraError MissingFrameworkError "
        "ModelOutputError NonFiniteGradientError NonFiniteGradientWarning PolyattrError "
        "PolyattrWarning QuestionWarning RandomModelWarning TrainingModeWarning "
        "UnknownBackendError UnrecognisedModelError UnusedInputWarning"
    ),
    "polyattr.explainer": "Explainer Guide Paper setting",
    "polyattr.interactions": "SmoothHess",
    "polyattr.methods": (
        "BlurIntegratedGradients ExpectedGradients GradientInput GuidedIntegratedGradients IDGI "
        "IntegratedDecisionGradients IntegratedGradients Saliency SmoothGrad SquareGrad VarGrad"
    ),
    "polyattr.patching": "AttributionPatching",
    "polyattr.results.attribution": "Attribution load",
    "polyattr.results.comparison": "BaselineComparison compare_baselines",
    "polyattr.results.names": "Names",
    "polyattr.sampling": "Recipe Rows Weights",
    "polyattr.scores.each": "each",
    "polyattr.scores.losses": "loss",
}


if not TYPE_CHECKING:  # a type checker would take any name for known

    def __getattr__(name: str) -> Any:
        """Imports what is asked for, or says what another library's class is called here."""
        for home, names in _HOMES.items():
            if name in names.split():
                globals()[name] = found = getattr(import_module(home), name)
                return found
        if not name.startswith("_") and find_spec(f"polyattr.{name}") is not None:
            return import_module(f"polyattr.{name}")
        raise _missing(name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

    def _missing(name: str) -> Exception:
        from polyattr.question.foreign.names import missing_name

        advice, text = missing_name(name, __all__), f"module 'polyattr' has no attribute {name!r}"
        # `from polyattr import name` asks first, and would put words of its own in place of these.
        if advice and sys._getframe(2).f_code.co_name == "_handle_fromlist":
            return ImportError(f"{text}{advice}", name=__name__)
        return AttributeError(f"{text}{advice or ''}")
