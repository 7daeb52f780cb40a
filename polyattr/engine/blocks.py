"""The engine: a recipe on all samples of a question, block by block."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.forward import clipped_range
from polyattr.engine.kernels import Kernels, Workshop
from polyattr.engine.ledger import Ledger
from polyattr.engine.loop import Oracle, Rounds
from polyattr.engine.plan.pace import Pace, share
from polyattr.engine.plan.pieces import Piece, plan_pieces, tile_rows
from polyattr.engine.plan.sheet import call_rows
from polyattr.engine.program import fits_one_tile, plan_program
from polyattr.engine.question import Answer, Question
from polyattr.engine.sums.spread import Errors
from polyattr.engine.supply import Supply
from polyattr.question.inputs import Inputs
from polyattr.results.non_finite import NonFinite
from polyattr.sampling.drawing.draws import Draws
from polyattr.sampling.noise import Stock
from polyattr.sampling.recipe import Recipe
from polyattr.scores.scorer import Scorer

Array = np.ndarray[Any, Any]

Tick = Callable[[int, int, str], None]
"""Told (samples done, samples in all, what is being done) after each tile."""

Recipes = tuple[Recipe, ...]
"""A recipe, and those whose attributions it takes instead of gradients, outermost first."""

_MOST_PLANS = 64


@dataclass(frozen=True)
class Asked:
    """How a question is to be answered.

    Attributes:
        batch_size: Most rows per gradient call; None for one call.
        errors: Whether the errors of the values are wanted.
        tick: Told of samples that are done; costs one synchronisation per tile.
        mark: Whether samples with a gradient that is not finite are marked, instead of refused.
        check: Checks the inputs, unless what the run has told says that they are finite.
        kind: What calls share that are the same but for the values of samples and targets; None
            for those that nothing is known of.
        until: When it has to be done, by `time.perf_counter`; None for no such time.
    """

    batch_size: int | None
    errors: bool = False
    tick: Tick | None = None
    mark: bool = False
    check: Callable[[], None] | None = None
    kind: Hashable | None = None
    until: float | None = None

    def pace(self, kernels: Kernels, samples: int, left: int) -> Pace | None:
        """Returns the time of a block of `samples`, of all that are `left`; None for any."""
        if self.until is None:
            return None
        return Pace(share(self.until, samples, left), kernels)


@dataclass(frozen=True)
class _Solved:
    values: list[Tensor]
    errors: Errors | None
    ledger: Ledger


@dataclass
class Engine:
    """Runs recipes on one model.

    Attributes:
        scorer: Model and operator.
        kernels: The compiled kernels.
        graph: Whether values stay differentiable: nothing is compiled, detached or kept.
    """

    scorer: Scorer
    kernels: Kernels
    graph: bool = False
    _plans: dict[object, Any] = field(default_factory=dict)
    _drawn: tuple[Any, Stock] = field(default_factory=lambda: (None, Stock()))

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.scorer.backend

    def run(self, recipes: Recipes, question: Question, asked: Asked) -> Answer:
        """Runs a recipe on all samples of a question.

        Args:
            recipes: The recipe, then those inside it, outermost first.
            question: The normalised call.
            asked: How.

        Raises:
            NonFiniteGradientError: Named by sample and point, unless they are to be marked.
        """
        recipe, tools = recipes[0], self._tools(recipes, question)
        solved = self._solve(recipes, question, asked, tools)
        ledger = solved.ledger
        ledger.read()
        measured = ledger.measured
        if asked.check is not None and not (measured and measured.finite):
            asked.check()
        found = _non_finite(ledger, recipe, question)
        if found.points and not asked.mark:
            raise found.error()
        alone = len(recipes) == 1
        answer = Answer(
            solved.values,
            solved.errors,
            found,
            ledger.spent,
            ledger.scores if alone else None,
            ledger.slope if alone and recipe.origin is not None else None,
            ledger.course if alone else None,
            measured,
        )
        return answer.marked(self.backend, np.array(sorted(ledger.bad), dtype=np.int64))

    def tile_rows(self, recipes: Recipes, inputs: Inputs, batch_size: int | None) -> int:
        """Returns the most rows per gradient call for these inputs."""
        few = self.kernels.few
        call = self._call(inputs) if few else 0
        return tile_rows(recipes, inputs.n, batch_size, few=few, call=call)

    def _call(self, inputs: Inputs) -> int:
        """How many rows one more call costs at least."""
        return call_rows(inputs.elements, self.backend, inputs.leaves[0])

    def values(self, recipes: Recipes, question: Question, asked: Asked) -> list[Tensor]:
        """Returns the attributions (N, ...) per input alone, without waiting for the device."""
        return self._solve(recipes, question, asked, self._tools(recipes, question)).values

    def _solve(
        self, recipes: Recipes, question: Question, asked: Asked, tools: Workshop, depth: int = 0
    ) -> _Solved:
        recipe, n = recipes[0], question.inputs.n
        if not asked.errors and recipe.statistic is not recipe.statistic.plain:
            recipe = replace(recipe, statistic=recipe.statistic.plain)
        pieces = self._pieces(recipe, question.inputs, asked, depth)
        inner = self._oracle(recipes[1:], asked, tools, depth + 1)
        ledger = Ledger(n, recipe)
        values: list[list[Tensor]] = []
        errors: list[Errors] = []
        for first, live, sheet in pieces:
            index = None if sheet.samples == n else clipped_range(first, sheet.samples, n)
            part = question.take(self.backend, index, question.inputs.fan)
            tick = _in_samples(asked.tick, first, live, question.inputs)
            if tick is not None:
                tick(0.0, "")
            supply = Supply(tools, recipe, depth, part, sheet)
            if inner is None and tick is None and fits_one_tile(supply):
                found, known = self._at_once(supply, first, live, asked, ledger)
            else:
                pace = asked.pace(self.kernels, live, n - first)
                rounds = Rounds(supply, inner, tick, asked.errors, pace)
                found, known = self._in_rounds(rounds, first, live, ledger)
            values.append(found)
            errors += [] if known is None else [known]
        joined = [self._join(parts, n) for parts in zip(*values, strict=True)]
        return _Solved(joined, self._join_errors(errors, n), ledger)

    def _pieces(
        self, recipe: Recipe, inputs: Inputs, asked: Asked, depth: int
    ) -> tuple[Piece, ...]:
        """Returns the blocks, as they were planned for an earlier call of the kind."""
        shape = (inputs.n, recipe, asked.batch_size, inputs.fan, inputs.elements)
        # The rows of a tile, which inner recipes are asked about, are of few numbers already.
        few = self.kernels.few and not self.graph and not depth

        def planned(call: int) -> tuple[Piece, ...]:
            return plan_pieces(*shape, few=few, call=call)

        if asked.kind is not None:
            key = ("pieces", asked.kind, asked.batch_size)
            known: tuple[Piece, ...] = self.remember(key, lambda: planned(self._call(inputs)))
            return known
        call = self._call(inputs) if few else 0
        found: tuple[Piece, ...] = self.remember(
            ("pieces", *shape, few, call), lambda: planned(call)
        )
        return found

    def _at_once(
        self, supply: Supply, first: int, live: int, asked: Asked, ledger: Ledger
    ) -> tuple[list[Tensor], Errors | None]:
        """Runs a block that fits one tile, as it was planned for an earlier call of the kind."""
        if asked.kind is None:
            program = plan_program(supply, live, asked.errors)
        else:
            program = self.remember(
                ("program", asked.kind, asked.batch_size, live, supply.depth),
                lambda: plan_program(supply, live, asked.errors),
            )
        values, errors, entry, report = program.solve(supply)
        ledger.add(first, program.spent[:live], [entry], program.weights, [report])
        return values, errors

    def _in_rounds(
        self, rounds: Rounds, first: int, live: int, ledger: Ledger
    ) -> tuple[list[Tensor], Errors | None]:
        """Runs a block of many tiles; a table too long to be held comes and is read in pieces."""
        walk = None
        if rounds.supply.in_pieces:
            walk = rounds.recipe.walk(live)
            rounds.supply = replace(rounds.supply, sheet=rounds.sheet.in_pieces())
            rounds.early = partial(ledger.early, first, walk=walk)
        weights = rounds.run(live)
        finished = rounds.finished(weights)
        ledger.add(first, rounds.spent[:live], rounds.entries, weights, rounds.reports, walk)
        return finished

    def _join_errors(self, errors: list[Errors], n: int) -> Errors | None:
        if not errors:
            return None
        standard = zip(*(block.standard for block in errors), strict=True)
        bounds = [block.bound for block in errors if block.bound is not None]
        return Errors(
            [self._join(parts, n) for parts in standard],
            self._join(tuple(bounds), n) if bounds else None,
        )

    def _tools(self, recipes: Recipes, question: Question) -> Workshop:
        return Workshop(
            self.scorer, self.kernels, self.remember, self.graph, self._stock(recipes, question)
        )

    def _stock(self, recipes: Recipes, question: Question) -> Stock:
        """Returns the draws of the last call, if this one needs the same."""
        draws = [None if recipe.noise is None else Draws(*recipe.noise) for recipe in recipes]
        if any(each is not None and each.distribution is not None for each in draws):
            return Stock()  # the user's own function may draw others by now
        needed = draws, [tuple(leaf.shape[1:]) for leaf in question.inputs.leaves]
        if self._drawn[0] != needed:
            self._drawn = needed, Stock()
        return self._drawn[1]

    def _oracle(self, recipes: Recipes, asked: Asked, tools: Workshop, depth: int) -> Oracle | None:
        """Returns what finds the attributions of the inner recipes; None if there are none."""
        if not recipes:
            return None

        def oracle(question: Question) -> tuple[list[Tensor], Array]:
            solved = self._solve(recipes, question, Asked(asked.batch_size), tools, depth)
            return solved.values, solved.ledger.spent

        return oracle

    def _join(self, parts: tuple[Tensor, ...], n: int) -> Tensor:
        joined = parts[0] if len(parts) == 1 else self.backend.concat(list(parts))
        return joined if joined.shape[0] == n else joined[:n]

    def remember(self, key: object, make: Callable[[], Any]) -> Any:
        """Keeps what a call plans for the next one of the same shapes."""
        if self.graph:  # a plan's tensors may belong to the trace of a caller
            return make()
        if key not in self._plans:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = make()
        return self._plans[key]


def _non_finite(ledger: Ledger, recipe: Recipe, question: Question) -> NonFinite:
    """Says in words where the gradient of which samples is not finite."""
    fan = question.inputs.fan
    points: dict[int, str] = {}
    for asked, (rows, row) in sorted(ledger.bad.items()):
        points.setdefault(asked // fan, recipe.describe(rows, row))
    cure = recipe.cure
    if points and not question.targets.finite(min(ledger.bad)):
        cure = "its targets are NaN or infinite themselves: expected finite targets"
    return NonFinite(points, ledger.n // fan, cure)


def _in_samples(
    tick: Tick | None, first: int, live: int, inputs: Inputs
) -> Callable[[float, str], None] | None:
    """Counts the share of a block in samples; those with several targets are one sample still."""
    if tick is None:
        return None
    fan, n = inputs.fan, inputs.n // inputs.fan
    return lambda share, note: tick(int((first + live * share) / fan + 1e-9), n, note)
