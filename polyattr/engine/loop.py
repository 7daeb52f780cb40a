"""The engine: runs one compiled kernel of fixed shape over the tiles of all samples and points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.cut import TilePlan, plan_tiles
from polyattr.engine.forward import Forward, clipped_range, row_taker
from polyattr.engine.kernels import Kernels
from polyattr.engine.tile import TileKernel
from polyattr.errors import NonFiniteGradientError
from polyattr.question.inputs import Inputs
from polyattr.sampling.noise import stream_noise
from polyattr.sampling.points import Points
from polyattr.sampling.statistics import Accumulator, Estimate
from polyattr.scores.scorer import Scorer
from polyattr.scores.targets import Targets

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


@dataclass(frozen=True)
class _Run:
    """What all blocks of one call share."""

    question: Question
    plan: TilePlan
    columns: list[dict[str, Tensor]]
    kernel: Callable[..., Any]
    parameters: Any


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
        run = self._prepare(question, plan)
        shares = np.bincount(self.points.group, minlength=self.points.groups)
        blocks: list[list[Estimate]] = []
        logs = []
        for number, index in enumerate(_blocks(inputs.n, plan)):
            report = None if tick is None else _shifted(tick, number, plan)
            state, log = self._block(run, index, report)
            blocks.append([self.accumulator.finish(part, shares) for part in state])
            logs.append(log)
        scores, sizes = (
            _by_point([self.backend.to_numpy(log[kind]) for log in logs], plan, self.points.count)
            for kind in (0, 1)
        )
        self._check_finite(sizes[: inputs.n], question)
        estimates = [
            self._join([block[leaf] for block in blocks], inputs.n)
            for leaf in range(len(inputs.leaves))
        ]
        return Answer(estimates, scores[: inputs.n])

    def _prepare(self, question: Question, plan: TilePlan) -> _Run:
        targets = question.targets
        kernel = self.kernels.get(
            ("gradients", question.inputs.layout, targets.rule),
            lambda: self.backend.compile(self._tile_kernel(question).run, donate=0),
        )
        columns = self._native_columns(plan, question.inputs.leaves)
        return _Run(question, plan, columns, kernel, self.scorer.bound.state())

    def _block(
        self,
        run: _Run,
        index: np.ndarray[Any, Any] | None,
        report: Callable[[int], None] | None,
    ) -> tuple[list[tuple[Tensor, ...]], tuple[Tensor, Tensor]]:
        backend, question, leaves = self.backend, run.question, run.question.inputs.leaves
        take = row_taker(backend, index)
        baselines = [
            start if start.shape[0] == 1 else take([start])[0] for start in question.baselines
        ]
        context = question.inputs.context(question.targets.columns).rows(take)
        arguments = (run.parameters, take(leaves), baselines, context)
        state = self._start(leaves, run.plan)
        noise = self._noise(question, run.plan)
        for tile, (column, draws) in enumerate(zip(run.columns, noise, strict=True)):
            state = run.kernel(state, *arguments, column, draws)
            if report is not None:
                backend.to_numpy(state[1])
                report(tile + 1)
        parts, *log = state
        return parts, tuple(log)

    def _tile_kernel(self, question: Question) -> TileKernel:
        return TileKernel(
            self.scorer,
            self.points,
            self.accumulator,
            self.contribution,
            question.inputs.layout,
            question.targets,
        )

    def _start(self, leaves: list[Tensor], plan: TilePlan) -> tuple[Any, Tensor, Tensor]:
        """Makes the kernel's state: accumulators, and logs of every row's score and gradient.

        Logs are one tensor per block rather than one per tile: small tensors kept alive between
        large ones would break up the heap tile by tile.
        """
        backend, size = self.backend, plan.samples * self.points.groups
        parts = [self.accumulator.start(backend, leaf, size) for leaf in leaves]
        rows, dtype = (plan.point.size,), self._real(leaves)
        return (
            parts,
            backend.zeros(rows, leaves[0], dtype),
            backend.zeros(rows, leaves[0], dtype),
        )

    def _real(self, leaves: list[Tensor]) -> str:
        wide = {self.backend.accumulator_dtype(leaf) for leaf in leaves}
        return "float64" if "float64" in wide else "float32"

    def _native_columns(self, plan: TilePlan, leaves: list[Tensor]) -> list[dict[str, Tensor]]:
        backend = self.backend
        real = self._real(leaves)
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
        cure = self.points.cure
        if not question.targets.finite(sample):
            cure = "its targets are NaN or infinite themselves: expected finite targets"
        raise NonFiniteGradientError(
            f"the model's gradient is NaN or infinite for sample {sample} "
            f"{self.points.describe(point)} ({len(samples)} of {question.inputs.n} samples "
            f"affected: {shown}); {cure}"
        )


def _by_point(
    logs: list[np.ndarray[Any, Any]], plan: TilePlan, points: int
) -> np.ndarray[Any, Any]:
    """Sorts per-row results of all blocks into (samples, points)."""
    rows = np.stack(logs)[:, : plan.samples * points]
    table = rows.reshape(plan.blocks, points, plan.samples).swapaxes(1, 2)
    return table.reshape(-1, points)


def _blocks(n: int, plan: TilePlan) -> Iterator[np.ndarray[Any, Any] | None]:
    if plan.samples == n:
        yield None
        return
    for block in range(plan.blocks):
        yield clipped_range(block * plan.samples, plan.samples, n)


def _shifted(tick: Tick, block: int, plan: TilePlan) -> Callable[[int], None]:
    return lambda tile: tick(block * plan.tiles + tile, plan.blocks * plan.tiles)
