"""What the tiles of a block are given: columns, noise, and what all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.kernels import Workshop
from polyattr.engine.plan.cut import Cut, cut_all
from polyattr.engine.plan.sheet import Sheet
from polyattr.engine.question import Question
from polyattr.engine.tile import Block, Sheaf, Tile
from polyattr.sampling.noise import stream_noise
from polyattr.sampling.recipe import Recipe
from polyattr.sampling.rows import Repeated, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Supply:
    """Brings a block's samples, and the columns of its tiles, to the device.

    Attributes:
        tools: What all blocks share.
        recipe: The method.
        depth: How many recipes surround this one.
        question: What is asked about the block's samples.
        sheet: The shapes.
    """

    tools: Workshop
    recipe: Recipe
    depth: int
    question: Question
    sheet: Sheet

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.tools.scorer.backend

    @property
    def leaves(self) -> list[Tensor]:
        """The samples (M, ...) per input."""
        return self.question.inputs.leaves

    def block(self) -> Block:
        """Returns what all tiles share."""
        question, references = self.question, self.question.references
        return Block(
            self.tools.scorer.bound.state(),
            self.leaves,
            [] if references is None else references.leaves,
            question.inputs.context(question.targets.columns),
        )

    def starts(self) -> list[Tensor]:
        """Returns where paths start, per input; none where that is not one place for a sample."""
        references = self.question.references
        return [] if references is None or references.count > 1 else references.leaves

    def real(self) -> str:
        """Names the dtype of columns, and of what rows tell."""
        wide = {self.backend.accumulator_dtype(leaf) for leaf in self.leaves}
        return "float64" if "float64" in wide else "float32"

    @property
    def in_pieces(self) -> bool:
        """Whether the table is too long to be written down and read as a whole."""
        recipe, sheet = self.recipe, self.sheet
        held = self.tools.graph or recipe.sequential or not recipe.repeats
        return not held and sheet.in_pieces() != sheet

    def cuts(
        self, rows: Rows[Array] | Repeated, live: int, seen: Array
    ) -> Iterator[tuple[Cut, Sequence[Sheaf] | None]]:
        """Cuts a table of the first `live` samples; some columns are on the device already."""
        references, recipe = self.question.references, self.recipe
        named = references is not None and references.origin == "named"
        origin = references.rows if references is not None and named else None

        def made() -> Iterator[Cut]:
            return cut_all(rows, recipe, self.sheet, seen, origin)

        stays = isinstance(rows, Rows) and self.sheet.stays
        if not (recipe.one_round and stays):
            # Neither the next call nor the device keeps many: memory must not grow with steps.
            yield from ((cut, None) for cut in made())
            return
        fan = None
        if references is not None:
            fan = (references.origin, references.count, references.shared)
        key = (recipe, live, self.sheet, fan)
        cuts = self.tools.remember(("cut", *key), lambda: list(made()))
        where = self.backend.device(self.leaves[0])
        if where is None:
            yield from ((cut, None) for cut in cuts)
            return
        native = self.tools.remember(
            ("columns", *key, where, self.real()),
            lambda: [[self.sheaf(c, t) for t in range(c.tiles)] for c in cuts],
        )
        yield from zip(cuts, native, strict=True)

    def sheaf(self, made: Cut, tile: int) -> Sheaf:
        """Brings the columns of a tile to the device."""
        backend, like, real = self.backend, self.leaves[0], self.real()
        segments, writers = made.segments[tile], made.writers
        return Sheaf(
            backend.to_native(made.whole[tile], like),
            backend.to_native(made.real[tile], like, real),
            [backend.to_native(segments, like, real)] if len(segments) else [],
            [],
            [] if writers is None else [backend.to_native(writers[tile], like)],
        )

    def noise(self, made: Cut) -> Iterator[list[Tensor]]:
        """Yields the draws of one tile after the other."""
        if self.recipe.noise is None:
            return iter([[]] * made.tiles)
        ids, stock = self.question.row_ids, self.tools.stock
        asked = self.recipe.noise, made.draws, self.leaves, self.depth, ids, stock
        return stream_noise(self.backend, *asked)

    def tile(self, made: Cut) -> tuple[Tile, tuple[object, ...]]:
        """Returns the tile of a table, and what it depends on."""
        question, references = self.question, self.question.references
        origin = "none" if references is None else references.origin
        layout, rule = question.inputs.layout, question.targets.rule
        tools = self.tools
        together = made.together if tools.scorer.shares(rule) else 1
        in_order = made.in_order(self.sheet.samples)
        order = together, in_order, made.in_place
        key = (self.recipe, layout, rule, made.table, origin)
        return Tile(tools.scorer, *key, tools.graph, *order), (*key, *order)
