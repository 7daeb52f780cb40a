"""One call on a bound model: from what the user passed to the engine, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.cut import auto_batch_size
from polyattr.engine.loop import Answer, Engine, Question, Tick
from polyattr.errors import InputError, InputTypeError, nearest
from polyattr.explainer import facts as report
from polyattr.probing.layer_inputs import at_layers, layer_baselines
from polyattr.probing.trial import Probe
from polyattr.question.baselines import read_baselines
from polyattr.question.calling import Beside, read_beside
from polyattr.question.checks import check_flag
from polyattr.question.inputs import Inputs, read_inputs
from polyattr.results.attribution import Attribution

if TYPE_CHECKING:
    from polyattr.explainer.explainer import Explainer


class CallOptions(TypedDict, total=False):
    """The keyword arguments of a call; see `Explainer.explain`."""

    baselines: Any
    forward_args: tuple[Any, ...] | list[Any]
    forward_kwargs: dict[str, Any] | None
    batched: Any
    progress: bool


@dataclass(frozen=True)
class Options:
    """The checked keyword arguments of a call."""

    baselines: Any
    beside: Beside
    progress: bool

    def for_dataset(self) -> Options:
        """Takes arguments as shared by all batches, whose sizes may differ, unless told."""
        if self.beside.batched is not None:
            return self
        return replace(self, beside=replace(self.beside, batched=frozenset()))


def read_options(method: Explainer, options: CallOptions) -> Options:
    """Checks the keyword arguments of a call.

    Raises:
        InputTypeError: An argument that calls do not have, or of the wrong type.
        InputError: A baseline for a method without one.
    """
    known = list(CallOptions.__annotations__)
    for name in options:
        if name not in known:
            raise InputTypeError(
                f"a call has no argument {name!r}.{nearest(name, known)} Its arguments: inputs, "
                f"targets, {', '.join(known)}"
            )
    if options.get("baselines") is not None and not method.uses_baselines:
        raise InputError(
            f"baselines is given, but {type(method).__name__} has no baseline; leave it out or "
            f"use IntegratedGradients"
        )
    beside = read_beside(
        options.get("forward_args", ()), options.get("forward_kwargs"), options.get("batched")
    )
    progress = check_flag("progress", options.get("progress", False))
    return Options(options.get("baselines"), beside, progress)


class Runner:
    """Answers calls with one engine.

    Args:
        method: The explainer: its points, values and settings.
        engine: Runs the model.
        batch_size: The explainer's `batch_size`.
    """

    def __init__(self, method: Explainer, engine: Engine, batch_size: int | str | None) -> None:
        self.method, self.engine = method, engine
        self._asked = batch_size
        self._most_rows: int | None = engine.scorer.bound.most_rows
        self._probe = Probe()

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.engine.backend

    def call(
        self, inputs: Any, targets: Any, options: Options, tick: Tick | None, full: bool
    ) -> tuple[Any, Attribution | None]:
        """Computes the attributions of one batch, and with `full` everything known about them."""
        question = self._question(inputs, targets, options)
        answer, batch_size = self._answer(question, tick)
        pairs = zip(self._values(question, answer), question.inputs.leaves, strict=True)
        values = question.inputs.layout.result(
            [self.backend.cast(leaf, self.backend.dtype(x)) for leaf, x in pairs]
        )
        method = self.method
        if not full and method.tolerance is None:
            return values, None
        facts = report.Facts(self.engine, question, answer, batch_size)
        return values, facts.attribution(values, repr(method), method.is_complete, method.tolerance)

    def _question(self, inputs: Any, targets: Any, options: Options) -> Question:
        engine, bound = self.engine, self.engine.scorer.bound
        layers = bool(engine.scorer.taps.inputs)
        given = read_inputs(inputs, options.beside, self.backend, bound, whole=layers)
        at = given
        if layers:
            activations = self._probe.activations(engine, given)
            at = at_layers(engine, given, activations, self._batch_size(given))
        origins = self._baselines(options.baselines, given, at)
        goals, scores = self._probe.targets(engine, at, targets, self._batch_size(at))
        self._probe.connections(engine, at, goals)
        self._probe.independence(engine, at, goals)
        seed, source = self.method.noise or (0, "portable")
        return Question(at, goals, origins, seed, source, scores)

    def _baselines(self, value: Any, given: Inputs, at: Inputs) -> list[Tensor]:
        if not self.method.uses_baselines:
            return []
        name = "baseline_value" if value is None else "baselines"
        start = self.method.baseline_value if value is None else value
        if at is given:
            return read_baselines(start, given, self.backend, name)
        return layer_baselines(start, given, at, self.engine, name, self._batch_size(given))

    def _answer(self, question: Question, tick: Tick | None) -> tuple[Answer, int | None]:
        """Runs the engine, with half the rows per call each time memory runs out."""
        batch_size = self._batch_size(question.inputs)
        while True:
            try:
                return self.engine.gradients(question, batch_size, tick), batch_size
            except Exception as error:
                rows = batch_size or question.inputs.n * self.engine.points.count
                if rows == 1 or not self.backend.is_out_of_memory(error):
                    raise
            # Outside the handler, whose traceback would keep the tile's tensors alive.
            batch_size = self._most_rows = rows // 2

    def _values(self, question: Question, answer: Answer) -> list[Tensor]:
        """Computes the attributions of every input in the accumulator's dtype."""
        backend = self.backend
        baselines = question.baselines or [None] * len(answer.estimates)
        values = []
        for estimate, x, start in zip(
            answer.estimates, question.inputs.leaves, baselines, strict=True
        ):
            wide = backend.accumulator_dtype(x)
            origin = None if start is None else backend.cast(start, wide)
            values.append(self.method.value(estimate.value, backend.cast(x, wide), origin))
        return values

    def _batch_size(self, inputs: Inputs) -> int | None:
        given: Any = self._asked
        if given == "auto":
            first = [*inputs.leaves, *inputs.companions][0]
            given = auto_batch_size(inputs.elements, self.backend.accelerated(first))
        limits = [int(rows) for rows in (given, self._most_rows) if rows is not None]
        return min(limits, default=None)
