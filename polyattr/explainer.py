"""The base of all methods: holds a model, normalises a call, runs the engine, shapes the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, ClassVar, Unpack

from polyattr import datasets, report
from polyattr.accumulators import Accumulator, Mean
from polyattr.attribution import Attribution
from polyattr.backend import GradBackend, Tensor
from polyattr.call_lock import CallLock
from polyattr.closures import held_objects
from polyattr.engine import Answer, Engine, Question, Tick
from polyattr.errors import InputError, InputTypeError
from polyattr.inputs import Inputs, read_baselines, read_inputs
from polyattr.kernels import Kernels
from polyattr.options import Common, Settings, check_common
from polyattr.plugins import detect, get_backend, unrecognised
from polyattr.points import Points
from polyattr.probe import Probe
from polyattr.progress import progress_bar
from polyattr.scoring import Scorer
from polyattr.structure import flatten
from polyattr.tiles import auto_batch_size


class Explainer(ABC):
    """A method bound to a model; call it, or its `explain` or `attribute`, with inputs.

    Args:
        model: Any differentiable model of an installed framework; left as it is by every call.
        settings: The method's own arguments.
        backend: Name of a backend, a `GradBackend`, or None to find the model's own.
        output_layer: Layer whose output is scored, such as the logits before a softmax: its index
            (negative counts from the end), name or object; None for the model's output.
        batch_size: Most rows per gradient call, over samples and points together; "auto" chooses
            from the size of a row, None sends everything in one call. Halved when memory runs
            out. Changes memory and time, never the answer.
        operator: ``g(model, inputs, targets) -> (N,)`` scores in the native framework; None scores
            the model's outputs as `targets` say.
        output: Key, index or callable that selects one of several model outputs.

    Raises:
        UnknownBackendError: No plugin has that name.
        MissingFrameworkError: Its framework is not installed.
        UnrecognisedModelError: The backend cannot call the model.
        LayerNotFoundError: The model has no such layer.
        InputError: An argument is out of its range.
        InputTypeError: An argument has a name or type no method has, or `model` is a class.

    Example:
        >>> import polyattr, torch
        >>> polyattr.Saliency(torch.nn.Linear(4, 3), backend="torch")(torch.ones(2, 4)).shape
        torch.Size([2, 4])
    """

    uses_baselines: ClassVar[bool] = False

    def __init__(self, model: Any, settings: Settings, **common: Unpack[Common]) -> None:
        check_common(type(self), common)
        if isinstance(model, type):
            raise InputTypeError(
                f"model is the class {model.__name__}; expected an instance of it, "
                f"{model.__name__}(...)"
            )
        self.settings = settings
        self._model = model
        self._common = common
        self._begin()

    def _begin(self) -> None:
        self._lock = CallLock()
        self._most_rows: int | None = None
        self._engine: Engine | None = None
        self._probe = Probe()
        backend = self._common.get("backend")
        owner = detect(self._model) if backend is None else get_backend(backend)
        if owner is not None:
            self._engine = self._bind(owner)

    def __getstate__(self) -> dict[str, Any]:
        """Pickles as model and arguments; kernels and locks are made anew by the reader."""
        return {"settings": self.settings, "_model": self._model, "_common": self._common}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    # -- what a method defines ----------------------------------------------------------------

    @property
    @abstractmethod
    def points(self) -> Points:
        """Where on each sample the gradient is taken."""

    @property
    def accumulator(self) -> Accumulator:
        """The statistic of the contributions over the points."""
        return Mean()

    @property
    def baseline_value(self) -> Any:
        """The baseline used when a call brings none."""
        return None

    @property
    def tolerance(self) -> float | None:
        """The relative error that was asked for."""
        return None

    @property
    def is_complete(self) -> bool:
        """Whether the attributions of a sample are meant to sum to f(x) - f(baseline)."""
        return False

    @property
    def noise(self) -> tuple[int, str] | None:
        """Seed and source of the noise, for methods that use any."""
        return None

    def contribution(self, gradient: Tensor) -> Tensor:
        """What one row's `gradient` (R, ...) adds to the statistic, in its shape."""
        return gradient

    def value(self, statistic: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
        """Turns `statistic` (N, ...) at `x` into attributions; `baseline` is None without one."""
        return statistic

    # -- calls ----------------------------------------------------------------------------------

    def __call__(
        self, inputs: Any, targets: Any = None, *, baselines: Any = None, progress: bool = False
    ) -> Any:
        """Same as `explain`."""
        return self.explain(inputs, targets, baselines=baselines, progress=progress)

    def explain(
        self, inputs: Any, targets: Any = None, *, baselines: Any = None, progress: bool = False
    ) -> Any:
        """Computes attributions.

        Args:
            inputs: Floating tensor (N, ...) of the framework or of NumPy; a tuple, list or dict of
                them for a model with several inputs; or a dataset: any iterable of batches, or of
                (inputs, targets) batches.
            targets: Class index (int, or (N,) integers), a tuple of indices for outputs with more
                axes, weights in the shape of the output, a callable on the output, or None: the
                output itself where it is (N,) or (N, 1), else the predicted class.
            baselines: Overrides `baseline_value` for this call: a scalar, an array in the shape of
                one sample or of all, or a callable on the inputs. Only for methods with one.
            progress: Show a progress bar.

        Returns:
            Attributions in the containers, shapes, dtypes and device of the inputs.

        Raises:
            PolyattrError: Always a subclass that is also a ValueError, TypeError or ImportError.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> polyattr.GradientInput(lambda x: 2 * x).explain(jnp.ones((1, 2)), targets=0)
            Array([[2., 0.]], dtype=float32)
        """
        calls = self._calls(inputs, targets, baselines, progress, full=False)
        return report.join_values([values for values, _ in calls], self._engine)

    def attribute(
        self, inputs: Any, targets: Any = None, *, baselines: Any = None, progress: bool = False
    ) -> Attribution:
        """Returns an `Attribution`: the values of `explain` and everything known about them.

        Takes the arguments of `explain` and raises its errors. May evaluate the model, without
        gradient, at the input and the baseline where the method's points do not include them.

        Example:
            >>> import polyattr, tensorflow as tf
            >>> method = polyattr.IntegratedGradients(lambda x: tf.reduce_sum(x, axis=1))
            >>> method.attribute(tf.ones((2, 3))).scores
            array([3., 3.])
        """
        calls = self._calls(inputs, targets, baselines, progress, full=True)
        return report.join([result for _, result in calls if result is not None], self._engine)

    def _calls(
        self, inputs: Any, targets: Any, baselines: Any, progress: bool, full: bool
    ) -> Iterator[tuple[Any, Attribution | None]]:
        if baselines is not None and not self.uses_baselines:
            raise InputError(
                f"baselines is given, but {type(self).__name__} has no baseline; leave it out or "
                f"use IntegratedGradients"
            )
        batches: Iterable[tuple[Any, Any]] = [(inputs, targets)]
        if datasets.is_dataset(inputs):
            batches = datasets.batches(inputs, targets)
        with progress_bar(progress, type(self).__name__) as tick:
            for x, y in batches:
                yield self._call(x, y, baselines, tick, full)

    def _call(
        self, inputs: Any, targets: Any, baselines: Any, tick: Tick | None, full: bool
    ) -> tuple[Any, Attribution | None]:
        with self._lock, self._ready(inputs) as engine:
            question = self._question(engine, inputs, targets, baselines)
            answer, batch_size = self._answer(engine, question, tick)
            leaves = self._values(engine.backend, question, answer)
            values = question.inputs.structure.build(
                [
                    engine.backend.cast(leaf, engine.backend.dtype(x))
                    for leaf, x in zip(leaves, question.inputs.leaves, strict=True)
                ]
            )
            if not full and self.tolerance is None:
                return values, None
            facts = report.Facts(engine, question, answer, batch_size)
            result = facts.attribution(values, repr(self), self.is_complete, self.tolerance)
            return values, result

    # -- steps of a call --------------------------------------------------------------------------

    @contextmanager
    def _ready(self, inputs: Any) -> Iterator[Engine]:
        """Binds the model if only its inputs tell the framework, and surrounds the call."""
        if self._engine is None:
            leaves = flatten(inputs, "inputs")[1]
            # NumPy inputs say nothing, but the arrays a function computes with may.
            owner = detect(self._model, [*leaves, *held_objects(self._model)])
            if owner is None:
                raise unrecognised(self._model, leaves)
            self._engine = self._bind(owner)
        engine = self._engine
        native = [leaf for leaf in flatten(inputs, "inputs")[1] if engine.backend.is_tensor(leaf)]
        like = native[0] if native else engine.scorer.bound.like
        with engine.backend.session(like), engine.scorer.bound.inference():
            yield engine

    def _bind(self, backend: GradBackend) -> Engine:
        common = self._common
        bound = backend.bind(self._model, common.get("output_layer"))
        scorer = Scorer(backend, bound, common.get("operator"), common.get("output"))
        return Engine(scorer, self.points, self.accumulator, self.contribution, Kernels(bound))

    def _question(self, engine: Engine, inputs: Any, targets: Any, baselines: Any) -> Question:
        backend = engine.backend
        given = read_inputs(inputs, backend, engine.scorer.bound)
        origins: list[Tensor] = []
        if self.uses_baselines:
            name = "baseline_value" if baselines is None else "baselines"
            start = self.baseline_value if baselines is None else baselines
            origins = read_baselines(start, given, backend, name)
        batch_size = self._batch_size(given, backend)
        goals, scores = self._probe.targets(engine, given, targets, batch_size)
        self._probe.connections(engine, given, goals)
        seed, source = self.noise or (0, "portable")
        return Question(given, goals, origins, seed, source, scores)

    def _answer(
        self, engine: Engine, question: Question, tick: Tick | None
    ) -> tuple[Answer, int | None]:
        """Runs the engine, with half the rows per call each time memory runs out."""
        batch_size = self._batch_size(question.inputs, engine.backend)
        while True:
            try:
                return engine.gradients(question, batch_size, tick), batch_size
            except Exception as error:
                rows = batch_size or question.inputs.n * engine.points.count
                if rows == 1 or not engine.backend.is_out_of_memory(error):
                    raise
            # Outside the handler, whose traceback would keep the tile's tensors alive.
            batch_size = self._most_rows = rows // 2

    def _values(self, backend: GradBackend, question: Question, answer: Answer) -> list[Tensor]:
        """Computes the attributions of every input in the accumulator's dtype."""
        baselines = question.baselines or [None] * len(answer.estimates)
        values = []
        for estimate, x, start in zip(
            answer.estimates, question.inputs.leaves, baselines, strict=True
        ):
            wide = backend.accumulator_dtype(x)
            origin = None if start is None else backend.cast(start, wide)
            values.append(self.value(estimate.value, backend.cast(x, wide), origin))
        return values

    def _batch_size(self, inputs: Inputs, backend: GradBackend) -> int | None:
        given = self._common.get("batch_size", "auto")
        if given == "auto":
            given = auto_batch_size(inputs.elements, backend.accelerated(inputs.leaves[0]))
        limits = [int(rows) for rows in (given, self._most_rows) if rows is not None]
        return min(limits, default=None)

    def __repr__(self) -> str:
        own = {field.name: getattr(self.settings, field.name) for field in fields(self.settings)}
        shared = {name: value for name, value in self._common.items() if value is not None}
        listed = ", ".join(f"{name}={value!r}" for name, value in (own | shared).items())
        return f"{type(self).__name__}({listed})"
