"""Saliency: the magnitude of the gradient."""

from __future__ import annotations

from typing import Any, Unpack

from polyattr.backend import Tensor
from polyattr.explainer.explainer import Explainer
from polyattr.explainer.options import Common, Settings
from polyattr.sampling.points import Points


class Saliency(Explainer):
    r"""Absolute gradient of the score, :math:`|\partial f / \partial x_i|`.

    Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks (2013), arXiv 1312.6034.
    Shape: that of the inputs, (N, ...). Units: score per unit of the input; never negative.

    Args:
        model: The model; this and the keyword arguments are those of `Explainer`.
        **common: See `Explainer`.

    Raises:
        InputError: `batch_size` is below 1; all other errors are those of `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> weights = torch.tensor([1.0, -2.0])
        >>> polyattr.Saliency(lambda x: x @ weights).explain(torch.ones(1, 2))
        tensor([[1., 2.]])
    """

    def __init__(self, model: Any, **common: Unpack[Common]) -> None:
        super().__init__(model, Settings(), **common)

    @property
    def points(self) -> Points:
        """The input alone."""
        return Points()

    def value(self, statistic: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
        """Takes the absolute value."""
        return abs(statistic)
