"""Saliency: the magnitude of the gradient."""

from __future__ import annotations

from dataclasses import dataclass

from polyattr.backend import GradBackend, Tensor
from polyattr.explainer import Explainer, Guide, Paper
from polyattr.sampling import Recipe


@dataclass(frozen=True)
class Magnitude(Recipe):
    """The gradient at the input, without its sign."""

    def finish(
        self, backend: GradBackend, statistic: Tensor, x: Tensor, baseline: Tensor | None
    ) -> Tensor:
        """Takes the absolute value."""
        return backend.absolute(statistic)


class Saliency(Explainer):
    r"""Absolute gradient of the score, :math:`|\partial f / \partial x_i|`.

    Simonyan, Vedaldi & Zisserman, Deep Inside Convolutional Networks (2013), arXiv 1312.6034.
    Shape: that of the inputs, (N, ...). Units: score per unit of the input; never negative.

    Args:
        model: The model; this and the keyword arguments are those of `Explainer`.

    Raises:
        InputError: `batch_size` is below 1; all other errors are those of `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> weights = torch.tensor([1.0, -2.0])
        >>> polyattr.Saliency(lambda x: x @ weights).explain(torch.ones(1, 2))
        tensor([[1., 2.]])
    """

    signed = False
    gist = "size of the gradient"
    paper = Paper(
        "simonyan2013deep",
        "Simonyan, Karen and Vedaldi, Andrea and Zisserman, Andrew",
        "Deep Inside Convolutional Networks: Visualising Image Classification Models and Saliency "
        "Maps",
        2013,
        "1312.6034",
    )
    guide = Guide(
        equation="|df/dx_i|",
        cost="1 gradient per sample",
        when="a first look, and where the model is sensitive rather than what it used",
        when_not="shares of the score: it has no sign, does not sum to anything, and is "
        "noisy on deep networks",
    )

    def recipe(self) -> Recipe:
        """The magnitude of the gradient."""
        return Magnitude()
