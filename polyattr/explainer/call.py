"""One call: from what the user passed to the engine, and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from polyattr.backend import (
    BoundModel,
    GradBackend,
    Unfollowed,
    detect,
    get_backend,
    held_objects,
    unrecognised,
)
from polyattr.engine.convergence import Convergence
from polyattr.explainer.binding import Bound, Method
from polyattr.explainer.binding.points import Points, score
from polyattr.explainer.keeping.kept import Kept
from polyattr.explainer.lock import CallLock
from polyattr.explainer.options import Options
from polyattr.explainer.shown.first_call import first_call
from polyattr.explainer.shown.progress import progress_bar
from polyattr.explainer.shown.read_errors import ReadErrors
from polyattr.probing.traces import refusing_traces
from polyattr.question import datasets
from polyattr.question.models import check_model
from polyattr.question.structure import flatten
from polyattr.results.attribution import Attribution
from polyattr.results.by_target import Sorted
from polyattr.results.non_finite import Marks
from polyattr.sampling.drawing.row_ids import RowIds
from polyattr.scores.each import Each, listed

Found = TypeVar("Found")
Call = tuple[GradBackend, Any, Attribution | None]
"""Backend, attributions (N, ...), and what is known about them where that was asked for."""


class Calls(Unfollowed):
    """Answers calls; binds the model as soon as its framework is known.

    Args:
        method: The explainer's arguments.
    """

    def __init__(self, method: Method) -> None:
        self.method = method
        self._lock = CallLock()
        self._bound: Bound | None = None
        backend = method.backend
        owner = detect(method.model) if backend is None else get_backend(backend)
        if owner is not None:
            self._bound = Bound(method, owner)
        elif method.model is not None:  # None can be inspected, for its settings, and not called
            check_model(method.model)

    def stream(self, inputs: Any, targets: Any, options: Options, full: bool) -> Iterator[Call]:
        """Answers for the inputs, or for each batch of a dataset.

        Raises:
            InputError: Targets given for a whole dataset are an array.
        """
        if datasets.is_dataset(inputs):
            for target in listed(targets):
                datasets.check_targets(target)
        return self._stream(inputs, targets, options, full)

    def _stream(self, inputs: Any, targets: Any, options: Options, full: bool) -> Iterator[Call]:
        batches: Iterable[tuple[Any, Any]] = [(inputs, targets)]
        if datasets.is_dataset(inputs):
            batches, options = datasets.batches(inputs, targets), options.for_dataset()
        ids = RowIds(options.sample_ids, datasets.is_dataset(inputs))
        options = replace(options, sample_ids=ids)
        marks, recipe = Marks(), self.method.recipes[0]
        budget = None if options.until else self.method.budget_ms
        more = recipe.more if budget is None else f"raise budget_ms, or {recipe.more}"
        convergence = Convergence(self.method.tolerance, more, recipe.origin is not None)
        several = datasets.is_dataset(inputs)
        kept = Kept(self.method, options, several)
        length = datasets.length(inputs) if several else 1
        with progress_bar(options.progress, self.method.name, length) as tick:
            for given, y in batches:
                if budget is not None:  # what a call waits for others is of its time, too
                    options = replace(options, until=time.perf_counter() + budget / 1000)
                x, y = kept.read(given, y)
                with self._lock, self.reading(x, y, options):
                    bound = self.bound(x)
                    bound.check_recorded(x)
                    with self._ready(bound, x, (*listed(y), *options.arrays), full):
                        outcome = bound.call(x, y, options, tick, full)
                        if isinstance(y, Each):
                            outcome = outcome.by_target(Sorted(bound.backend, len(y.targets)))
                    bound.watch.settle(bound.watched)
                ids.step()
                if tick is not None:
                    tick.step()
                convergence.add(outcome.error)
                marks.add(outcome.non_finite)
                found = kept.on(outcome.attribution, x, bound.backend)
                yield bound.backend, outcome.values, found
        ids.done()
        kept.done()
        if not options.quiet:
            marks.tell()
            convergence.tell()

    def score(
        self, inputs: Any, targets: Any, options: Options, use: Callable[[Points], Found]
    ) -> Found:
        """Returns what `use` makes of the scores at points of one batch, which it asks for."""
        x, y = Kept(self.method, options, False).read(inputs, targets)
        options = replace(options, sample_ids=RowIds(options.sample_ids, False))
        with self._lock, self.reading(x, y, options):
            bound = self.bound(x)
            with self._ready(bound, x, (*listed(y), *options.arrays), full=True):
                found = score(bound, x, y, options, use)
            bound.watch.settle(bound.watched)
        return found

    def model_of(self, inputs: Any) -> BoundModel:
        """Returns the model as it is bound for such inputs."""
        with self._lock:
            return self.bound(inputs).engine.scorer.bound

    def backend_of(self, inputs: Any) -> GradBackend:
        """Returns the backend that answers for such inputs."""
        with self._lock:
            return self.bound(inputs).backend

    @contextmanager
    def _ready(
        self, bound: Bound, inputs: Any, beside: tuple[Any, ...], full: bool
    ) -> Iterator[None]:
        """Surrounds a call as the framework and the model need it."""
        bound.engine.scorer.bound.beside = bound.called(*beside)
        model, leaves = bound.engine.scorer.bound, flatten(inputs, "inputs")[1]
        near, given = next(filter(bound.backend.is_tensor, leaves), model.like), [*leaves, *beside]
        with (
            refusing_traces(bound.backend, (inputs, *beside), self.method.model, self._forget),
            bound.chance.kept(given, full),
            bound.backend.session(near),
            first_call(self.method.name, bound.backend.name, bound.kernels, self.method.told),
            model.inference(),
        ):
            yield

    def reading(self, inputs: Any, targets: Any, options: Options) -> ReadErrors:
        """Surrounds a call: an error of the user's own code comes with our reading of it."""
        return ReadErrors(self.method, inputs, targets, options, self._framework)

    def _framework(self) -> GradBackend | None:
        return None if self._bound is None else self._bound.backend

    def _forget(self) -> None:
        if self._bound is not None:
            self._bound = Bound(self.method, self._bound.backend)

    def bound(self, inputs: Any) -> Bound:
        """Binds the model: anew where it has changed since the last call.

        Raises:
            UnrecognisedModelError: Nobody claims the model or the inputs.
        """
        bound, self._bound = self._bound, None  # if binding fails, what was known is of no use
        if bound is not None:
            self._bound = bound.anew() if bound.watch.changed(bound.watched) else bound
        if self._bound is None:
            model, leaves = self.method.model, flatten(inputs, "inputs")[1]
            # NumPy inputs say nothing, but the arrays a function computes with may.
            owner = detect(model, [*leaves, *held_objects(model)])
            if owner is None:
                check_model(model)
                raise unrecognised(model, leaves)
            self._bound = Bound(self.method, owner)
        return self._bound
