"""A block whose rows fit one tile: from samples to attributions without a stop between."""

from __future__ import annotations

from dataclasses import dataclass

from polyattr.backend import Tensor
from polyattr.engine.sums.ends import Finish, Finished, Start
from polyattr.engine.tile import Block, Sheaf, State, Tile
from polyattr.sampling.errors.norm import Weights


@dataclass(frozen=True)
class OneTile:
    """Start, tile and finish as one program: a framework then makes no running sums at all.

    Attributes:
        tile: The gradients.
        finish: What the sums become.
        weights: Of the parts.
        size: Segments of the sums, S.
        errors: Whether errors are wanted.
    """

    tile: Tile
    finish: Finish
    weights: Weights
    size: int
    errors: bool

    def __call__(self, block: Block, starts: list[Tensor], sheaf: Sheaf) -> Finished:
        """Returns what `Finish.run` does."""
        parts, carry = Start(self.finish.backend, self.finish.recipe, self.size)(block.x, starts)
        state = self.tile.run(State(parts, carry, None), block, sheaf)
        sums = state.parts, block.x, starts, state.log
        return self.finish.run(self.weights, *sums, errors=self.errors)
