"""The engine: runs one compiled kernel of fixed shape over the tiles of all samples and points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.accumulators import Accumulator, Estimate
from polyattr.backend import GradBackend, Tensor
from polyattr.errors import NonFiniteGradientError
from polyattr.forward import Forward, clipped_range, take_rows
from polyattr.inputs import Inputs
from polyattr.kernels import Kernels
from polyattr.noise import stream_noise
from polyattr.points import Points
from polyattr.scoring import Scorer
from polyattr.targets import Targets
from polyattr.tiles import TilePlan, plan_tiles

Tick = Callable[[int, int], None]
"""Told (tiles done, tiles in all) after each tile."""


@dataclass(frozen=True)
class Question:
    """One call, normalised: everything the answer may depend on.

    Attributes:
        inputs: The samples.
        targets: What is explained.
        baselines: One tensor (N or 1, ...) per input; empty for methods without a baseline.
        seed: Seed of the noise.
        noise_source: "portable" or "native".
        scores: (N,) scores f(x), where they are known already.
    """

    inputs: Inputs
    targets: Targets
    baselines: list[Tensor] = field(default_factory=list)
    seed: int = 0
    noise_source: str = "portable"
    scores: np.ndarray[Any, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """What the engine found.

    Attributes:
        estimates: One statistic per input.
        scores: (N, P) score at every point visited.
    """

    estimates: list[Estimate]
    scores: np.ndarray[Any, Any]


@dataclass
class Engine:
    """Owns the compiled kernels of one explainer.

    Attributes:
        scorer: Model and operator.
        points: Where gradients are taken.
        accumulator: The statistic of the contributions.
        contribution: What a row's gradient adds to the statistic.
        kernels: The compiled kernels.
    """

    scorer: Scorer
    points: Points
    accumulator: Accumulator
    contribution: Callable[[Tensor], Tensor]
    kernels: Kernels

    @property
    def forward(self) -> Forward:
        """Evaluates the model alone, with the same kernels."""
        return Forward(self.scorer, self.kernels)

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.scorer.backend

    # -- gradients --------------------------------------------------------------------------

    def gradients(
        self, question: Question, batch_size: int | None, tick: Tick | None = None
    ) -> Answer:
        """Accumulates contributions over all points of all samples.

        Args:
            question: The normalised call.
            batch_size: Most rows per gradient call; None for one call.
            tick: Told of progress; costs one synchronisation per tile.

        Raises:
            NonFiniteGradientError: Named by sample and point.
        """
        inputs = question.inputs
        plan = plan_tiles(inputs.n, self.points, self.accumulator, batch_size)
        columns = self._native_columns(plan, inputs.leaves)
        shares = np.bincount(self.points.group, minlength=self.points.groups)
        blocks: list[list[Estimate]] = []
        scores: list[Tensor] = []
        sizes: list[Tensor] = []
        for number, index in enumerate(_blocks(inputs.n, plan)):
            report = None if tick is None else _shifted(tick, number, plan)
            state, block_scores, block_sizes = self._block(question, plan, columns, index, report)
            blocks.append([self.accumulator.finish(part, shares) for part in state])
            scores += block_scores
            sizes += block_sizes
        by_point = _Unfold(self.backend, plan, inputs.n, self.points.count)
        self._check_finite(by_point(sizes), question)
        estimates = [
            self._join([block[leaf] for block in blocks], inputs.n)
            for leaf in range(len(inputs.leaves))
        ]
        return Answer(estimates, by_point(scores))

    def _block(
        self,
        question: Question,
        plan: TilePlan,
        columns: list[dict[str, Tensor]],
        index: np.ndarray[Any, Any] | None,
        report: Callable[[int], None] | None,
    ) -> tuple[list[tuple[Tensor, ...]], list[Tensor], list[Tensor]]:
        leaves, targets = question.inputs.leaves, question.targets
        rows = take_rows(self.backend, leaves, index)
        baselines = [
            baseline if baseline.shape[0] == 1 else take_rows(self.backend, [baseline], index)[0]
            for baseline in question.baselines
        ]
        arguments = (rows, baselines, take_rows(self.backend, targets.columns, index))
        kernel = self.kernels.get(
            ("gradients", question.inputs.structure, targets.kind, targets.select),
            lambda: self.backend.compile(self._gradient_kernel(question), donate=0),
        )
        size = plan.samples * self.points.groups
        state = [self.accumulator.start(self.backend, leaf, size) for leaf in leaves]
        scores, sizes = [], []
        parameters = self.scorer.bound.state()
        for tile, (column, noise) in enumerate(
            zip(columns, self._noise(question, plan), strict=True)
        ):
            state, score, magnitude = kernel(state, parameters, *arguments, column, noise)
            scores.append(score)
            sizes.append(magnitude)
            if report is not None:
                self.backend.to_numpy(score)
                report(tile + 1)
        return state, scores, sizes

    def _gradient_kernel(self, question: Question) -> Callable[..., Any]:
        backend, points, scorer = self.backend, self.points, self.scorer
        structure, targets = question.inputs.structure, question.targets

        def kernel(
            state: Any,
            parameters: Any,
            x: Any,
            baselines: Any,
            goals: Any,
            columns: Any,
            noise: Any,
        ) -> tuple[Any, Tensor, Tensor]:
            sample, slot = columns["sample"], columns["slot"]
            rows = []
            for i, leaf in enumerate(x):
                start = self._baseline_rows(baselines, i, sample)
                draw = backend.batch(noise[i], slot) if noise else None
                here = backend.batch(leaf, sample)
                rows.append(points.place(backend, here, start, draw, columns))
            goal = [backend.batch(column, sample) for column in goals]
            scores, gradients = backend.grad(
                lambda leaves: scorer.score(structure, targets, parameters, leaves, goal), rows
            )
            wide = [
                backend.cast(row * 0 if g is None else g, backend.accumulator_dtype(row))
                for g, row in zip(gradients, rows, strict=True)
            ]
            sizes = [backend.row_sums(abs(g)) for g in wide]
            state = [
                self.accumulator.update(backend, part, self.contribution(g), columns)
                for part, g in zip(state, wide, strict=True)
            ]
            return state, scores, sum(sizes[1:], start=sizes[0])

        return kernel

    def _baseline_rows(self, baselines: list[Tensor], leaf: int, sample: Tensor) -> Tensor:
        if not baselines:
            return None
        baseline = baselines[leaf]
        return baseline if baseline.shape[0] == 1 else self.backend.batch(baseline, sample)

    def _native_columns(self, plan: TilePlan, leaves: list[Tensor]) -> list[dict[str, Tensor]]:
        backend = self.backend
        wide = {backend.accumulator_dtype(leaf) for leaf in leaves}
        real = "float64" if "float64" in wide else "float32"
        native = {
            name: backend.unstack(
                backend.to_native(
                    values.astype(np.int32 if values.dtype.kind == "i" else np.float64),
                    leaves[0],
                    None if values.dtype.kind == "i" else real,
                )
            )
            for name, values in plan.columns.items()
        }
        return [{name: native[name][t] for name in native} for t in range(plan.tiles)]

    def _noise(self, question: Question, plan: TilePlan) -> Iterator[list[Tensor]]:
        if not self.points.uses_noise:
            return iter([[]] * plan.tiles)
        return stream_noise(
            self.backend,
            question.noise_source,
            question.seed,
            plan.draws,
            question.inputs.leaves,
        )

    def _join(self, parts: list[Estimate], n: int) -> Estimate:
        def whole(tensors: list[Tensor]) -> Tensor:
            joined = tensors[0] if len(tensors) == 1 else self.backend.concat(tensors)
            return joined if joined.shape[0] == n else joined[:n]

        value = whole([part.value for part in parts])
        if parts[0].squared_error is None:
            return Estimate(value, None)
        return Estimate(value, whole([part.squared_error for part in parts]))

    def _check_finite(self, sizes: np.ndarray[Any, Any], question: Question) -> None:
        bad = np.argwhere(~np.isfinite(sizes))
        if not bad.size:
            return
        sample, point = (int(i) for i in bad[0])
        samples = sorted({int(i) for i in bad[:, 0]})
        shown = ", ".join(map(str, samples[:10])) + (", ..." if len(samples) > 10 else "")
        raise NonFiniteGradientError(
            f"the model's gradient is NaN or infinite for sample {sample} "
            f"{self.points.describe(point)} ({len(samples)} of {question.inputs.n} samples "
            f"affected: {shown}). Leave these samples out, choose another baseline, or a rule "
            f"that does not visit this point (rule='midpoint' visits neither end of the path)"
        )


@dataclass(frozen=True)
class _Unfold:
    """Sorts per-row results of all tiles into (N, P)."""

    backend: GradBackend
    plan: TilePlan
    n: int
    points: int

    def __call__(self, parts: list[Tensor]) -> np.ndarray[Any, Any]:
        plan = self.plan
        rows = np.concatenate([self.backend.to_numpy(part) for part in parts])
        blocks = rows.reshape(plan.blocks, -1)[:, : plan.samples * self.points]
        table = blocks.reshape(plan.blocks, self.points, plan.samples).swapaxes(1, 2)
        return table.reshape(-1, self.points)[: self.n]


def _blocks(n: int, plan: TilePlan) -> Iterator[np.ndarray[Any, Any] | None]:
    if plan.samples == n:
        yield None
        return
    for block in range(plan.blocks):
        yield clipped_range(block * plan.samples, plan.samples, n)


def _shifted(tick: Tick, block: int, plan: TilePlan) -> Callable[[int], None]:
    return lambda tile: tick(block * plan.tiles + tile, plan.blocks * plan.tiles)
