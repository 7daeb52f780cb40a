"""The gradient by activations, summed over how these move from baseline to input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.recipe import Array, Carry, Recipe, Spot
from polyattr.sampling.rows import Column, Rows
from polyattr.sampling.straight_path import INSIDE


@dataclass(frozen=True)
class PatchRows(Rows[Column]):
    """Points of one sample after the other.

    Attributes:
        last: (R,) what part of the gradient is that of the point before, rather than its own.
        moves: (R,) 1 where the activation has moved to this point, 0 where it stays.
    """

    last: Column | None = None
    moves: Column | None = None


@dataclass(frozen=True)
class Patches(Recipe):
    """The sum over a path of the gradient by an activation times how far the activation moves.

    Differentiated are the inputs, then for each layer what is added to its activation, then what
    the activation is multiplied with in the score: the gradient by the last is the activation.
    Takes the arguments of `Recipe` too.

    Attributes:
        layers: Number of layers, L.
        steps: Points on the path, both ends included; one stands for an end and its gradient.
        at: Which end that is, "baseline" or "input".
    """

    origin: ClassVar[str | None] = "baseline"
    sequential: ClassVar[bool] = True
    layers: int = 1
    steps: int = 1
    at: str = "baseline"

    def table(self, n: int) -> Rows[Array]:
        """A row per point, one after the other: an activation moves from one to the next."""
        if self.steps == 1:
            alpha = np.array([1.0, 0.0] if self.at == "baseline" else [0.0, 1.0])
            last, moves = np.zeros(2), np.ones(2)
            weight = np.array([0.0, alpha[1] - alpha[0]])  # from the input, activations move back
        else:
            # Activations start at the baseline itself, gradients inside, as on any path.
            nodes = np.linspace(0.0, 1.0, self.steps)
            alpha = np.array([0.0, INSIDE * nodes[1], *nodes[1:]])
            last, moves, weight = np.full(len(alpha), 0.5), np.ones(len(alpha)), np.ones(len(alpha))
            moves[1] = weight[0] = weight[1] = 0.0
        turn = np.arange(len(alpha))
        return PatchRows.over(n, weight=weight, alpha=alpha, turn=turn, last=last, moves=moves)

    def at_input(self, rows: Rows[Array]) -> Array:
        """The points with alpha exactly 1."""
        return np.asarray(rows.alpha == 1.0)

    def start(self, backend: GradBackend, x: Tensor, baseline: Tensor | None) -> Carry:
        """The last gradient, or the last activation; there was none."""
        return (backend.zeros(tuple(x.shape), x, backend.accumulator_dtype(x)),)

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
        """Adds gradient times move."""
        own = len(gradients) - 2 * self.layers
        columns: Any = rows
        shares = [zero * 0 for (zero,) in carry]
        after = list(carry)

        def mixed(share: Any, one: Tensor, other: Tensor) -> Tensor:
            part = backend.column(backend.cast(share, backend.dtype(one)), one)
            return one * part + other * (1 - part)

        for slope in range(own, own + self.layers):
            place = slope + self.layers
            (before,), (from_there,) = carry[slope], carry[place]
            mean = mixed(columns.last, before, gradients[slope])
            shares[slope] = mean * (gradients[place] - from_there)
            after[slope] = (gradients[slope],)
            after[place] = (mixed(columns.moves, gradients[place], from_there),)
        return shares, after

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the fraction of the path."""
        alpha: Any = rows.alpha
        return f"at alpha = {alpha[row]:.4g} of the path from baseline to input"
