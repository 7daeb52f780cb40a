"""The attribution methods, one file each."""

from polyattr.methods.expected_gradients import ExpectedGradients
from polyattr.methods.gradient_input import GradientInput
from polyattr.methods.integrated_gradients import IntegratedGradients
from polyattr.methods.paths.blur_integrated_gradients import BlurIntegratedGradients
from polyattr.methods.paths.guided_integrated_gradients import GuidedIntegratedGradients
from polyattr.methods.paths.idgi import IDGI
from polyattr.methods.paths.integrated_decision_gradients import IntegratedDecisionGradients
from polyattr.methods.saliency import Saliency
from polyattr.methods.smooth_grad import SmoothGrad
from polyattr.methods.square_grad import SquareGrad
from polyattr.methods.var_grad import VarGrad

# In the order in which the demo and the tables show them: one gradient, paths, noise.
__all__ = [
    "Saliency",
    "GradientInput",
    "IntegratedGradients",
    "ExpectedGradients",
    "GuidedIntegratedGradients",
    "BlurIntegratedGradients",
    "IDGI",
    "IntegratedDecisionGradients",
    "SmoothGrad",
    "SquareGrad",
    "VarGrad",
]
