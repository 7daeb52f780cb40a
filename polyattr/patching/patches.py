"""The gradient by activations, summed over how these move from baseline to input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.patching.moves import Moves
from polyattr.sampling.quadrature import INSIDE
from polyattr.sampling.recipe import Array, Carry, Recipe, Spot
from polyattr.sampling.rows import Column, Rows
from polyattr.sampling.statistics import Statistic


@dataclass(frozen=True)
class PatchRows(Rows[Column]):
    """Points in the order of their path.

    Attributes:
        last: (R,) what part of the mean gradient is that of the point before.
    """

    last: Column | None = None


@dataclass(frozen=True)
class Patches(Recipe):
    """The sum over a path of the gradient by an activation times how far the activation moves.

    Differentiated are the inputs, then for each layer what is added to its activation, then what
    the activation is multiplied with in the score: the gradient by the last is the activation.
    Takes the arguments of `Recipe` too.

    Attributes:
        statistic: See `Recipe`.
        layers: Number of layers, L.
        steps: Points on the path, both ends included; one stands for an end and its gradient.
        at: Which end that is, "baseline" or "input".
    """

    origin: ClassVar[str | None] = "baseline"
    statistic: Statistic = field(default_factory=Moves)
    layers: int = 1
    steps: int = 1
    at: str = "baseline"

    def table(self, n: int) -> Rows[Array]:
        """A row per point: an activation moves from one to the next."""
        if self.steps == 1:
            alpha = np.array([1.0, 0.0] if self.at == "baseline" else [0.0, 1.0])
            weight = np.array([0.0, alpha[1] - alpha[0]])  # from the input, activations move back
            return PatchRows.over(n, weight=weight, alpha=alpha, last=np.zeros(2))
        # Activations start at the baseline itself, gradients inside, as on any path.
        nodes = np.linspace(0.0, 1.0, self.steps)
        alpha = np.array([0.0, INSIDE * nodes[1], *nodes[1:]])
        weight, last = np.ones(len(alpha)), np.full(len(alpha), 0.5)
        weight[0] = last[1] = 0.0
        return PatchRows.over(n, weight=weight, alpha=alpha, last=last)

    def at_input(self, rows: Rows[Array]) -> Array:
        """The points with alpha exactly 1."""
        return np.asarray(rows.alpha == 1.0)

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """Interpolates between baseline and input; zeros stay zeros."""
        alpha: Any = at.rows.alpha
        return backend.linspace(at.baseline, at.x, alpha), None

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """Brings the gradient by each activation, and the activation behind it."""
        own = len(gradients) - 2 * self.layers
        shares = [backend.concat([gradient, gradient * 0]) for gradient in gradients]
        for layer in range(own, own + self.layers):
            shares[layer] = backend.concat([gradients[layer], gradients[layer + self.layers]])
        return shares, carry

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the fraction of the path."""
        alpha: Any = rows.alpha
        return f"at alpha = {alpha[row]:.4g} of the path from baseline to input"
