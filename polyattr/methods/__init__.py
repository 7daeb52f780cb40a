"""The attribution methods, one file each."""

from polyattr.methods.gradient_input import GradientInput
from polyattr.methods.integrated_gradients import IntegratedGradients
from polyattr.methods.saliency import Saliency
from polyattr.methods.smoothgrad import SmoothGrad
from polyattr.methods.square_grad import SquareGrad
from polyattr.methods.var_grad import VarGrad

__all__ = [
    "GradientInput",
    "IntegratedGradients",
    "Saliency",
    "SmoothGrad",
    "SquareGrad",
    "VarGrad",
]
