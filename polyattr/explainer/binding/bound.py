"""A method on a model of a known framework: one batch, from what was passed to the answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from polyattr.backend import GradBackend, Tensor, Watched
from polyattr.domains.space import Spaces
from polyattr.engine.blocks import Asked, Engine, Recipes, Tick
from polyattr.engine.forward import Forward
from polyattr.engine.kernels import Kernels
from polyattr.engine.question import Question
from polyattr.engine.watch import Watch
from polyattr.explainer.binding.finite import checked_finite
from polyattr.explainer.binding.known import Known, Read
from polyattr.explainer.binding.method import Method
from polyattr.explainer.binding.outcome import Outcome
from polyattr.explainer.binding.rows_per_call import RowsPerCall
from polyattr.explainer.binding.starts import read_starts
from polyattr.explainer.facts import Facts
from polyattr.explainer.options import Options
from polyattr.probing.as_it_was import as_it_was
from polyattr.probing.belonging import Belonging
from polyattr.probing.beside_layers import BesideLayers
from polyattr.probing.chance import SharedChance
from polyattr.probing.layer_inputs import at_layers
from polyattr.probing.trial import Trial, Trials
from polyattr.question.inputs import Inputs, read_inputs
from polyattr.question.references import References
from polyattr.question.structure import flatten
from polyattr.scores.each import Each, listed
from polyattr.scores.reductions import OutputChangedError
from polyattr.scores.scorer import Scorer
from polyattr.scores.taps import bind_taps, find_layers
from polyattr.scores.targets import Targets
from polyattr.scores.tasks import task_of

Array = np.ndarray[Any, Any]
Found = TypeVar("Found")

Kept = tuple[Watch, Kernels]
"""What outlives a change of the model."""


class Bound:
    """A method on a model of a known framework.

    Args:
        method: The explainer's arguments.
        backend: The framework.
        kept: What was kept of the model before it changed: its kernels may be right still.
    """

    def __init__(self, method: Method, backend: GradBackend, kept: Kept | None = None) -> None:
        self.method, self.backend = method, backend
        taps = bind_taps(
            backend, method.model, method.output_layer, method.input_layer, method.at_layer_input
        )
        if method.layers:
            taps = replace(taps, added=find_layers(taps.bound, method.layers, "layers"))
        given: Any = method.operator
        scorer = Scorer(backend, taps, task_of(given) or given, method.output)
        kernels = Kernels(backend, scorer.guard, auto=method.batch_size == "auto")
        kept = kept or (Watch(backend.is_tensor, kernels.compiling), kernels)
        self.watch, self.kernels = kept
        self.kernels.guard = scorer.guard
        scorer.fitting.wish = method.batch_size
        self.forward = Forward(scorer, self.kernels)
        self.engine = Engine(scorer, self.kernels)
        self._rows = RowsPerCall(method, backend, scorer, taps.bound.most_rows)
        self._trials = Trials(self.forward, self.method.told)
        self._known = Known(backend, able=method.is_plain)
        self.chance = SharedChance()
        self.spaces = Spaces(method.domain, method.tangent)
        self._belonging = Belonging(self.forward)
        self._beside = BesideLayers(self.forward)

    def anew(self) -> Bound:
        """Binds the model as it is now; kernels are traced again before they are used."""
        self.kernels.renew()
        return Bound(self.method, self.backend, (self.watch, self.kernels))

    def called(self, *given: object) -> tuple[Any, ...]:
        """Returns what else of the user's a call runs: the operator, and what was `given` to it."""
        return tuple(filter(callable, (self.method.operator, self.method.output, *given)))

    def watched(self) -> Watched:
        """What a call computes with: the model, the operator and the output selector."""
        scorer = self.engine.scorer
        watched = scorer.bound.watched()
        own = [*self.called(), *(part for r in self.method.recipes for part in r.called)]
        domains = [part for part in flatten(self.method.domain, "")[1] if part is not None]
        return replace(watched, roots=(*watched.roots, *own, *domains))

    def call(
        self, inputs: Any, targets: Any, options: Options, tick: Tick | None, full: bool
    ) -> Outcome:
        """Computes the attributions of one batch, and with `full` everything known about them.

        The user's objects are as they were afterwards.
        """
        self.kernels.doubt = self.watch.doubt
        kind = None if self.kernels.doubt else self._known.kind(inputs, targets, options, full)
        known = self._known.get(kind)
        if known is not None:
            with suppress(OutputChangedError):  # what was known is of no use: it is found out below
                return self._again(known, inputs, options, kind, full)
        given = self.given(inputs, options)
        alike = options.kind(given.n, targets, full) if self.kernels.compiling else ()
        late = self._trials.of(given).leaves_all(alike) and self.method.tells_of_inputs

        def explain() -> Outcome:
            read = self.asked(given, targets, options, full)
            if late:
                self._known.note(kind, read)
            return self._explain(read, options, tick, full, late, kind if late else None)

        with checked_finite(given, self.backend, late=late):
            return self.answered(given, targets, options, alike, explain)

    def given(self, inputs: Any, options: Options) -> Inputs:
        """Reads the inputs, and makes the parameters of a model that is not built."""
        scorer = self.engine.scorer
        whole = bool(scorer.taps.inputs)
        given = read_inputs(inputs, options.beside, self.backend, scorer.bound, whole=whole)
        self._check_certain(given.layout.certain)
        if not scorer.bound.made:
            with suppress(Exception):  # what a model does not take is told of when it is tried
                scorer.make(given.layout, *given.fitting_rows())
        return given

    def answered(
        self,
        given: Inputs,
        targets: Any,
        options: Options,
        alike: Hashable,
        answer: Callable[[], Found],
    ) -> Found:
        """Answers, and has the user's objects be as they were."""
        starts = options.baselines, self.method.baseline_value
        roots = (self.method.model, *self.called(*listed(targets), *starts))
        try:
            return as_it_was(self.forward, self._trials.of(given), alike, roots, answer)
        except OutputChangedError:  # parameters of other shapes: what was tried is of no use
            self._forget()
            return as_it_was(self.forward, self._trials.of(given), alike, roots, answer)

    def _again(
        self, known: Read, inputs: Any, options: Options, kind: Hashable, full: bool
    ) -> Outcome:
        """Computes them for a call of a kind that is known, which leaves all as it is."""
        ids = options.sample_ids.of(known.question.inputs.n)
        read = known.of(self.backend.own(inputs), ids)
        with checked_finite(read.question.inputs, self.backend, late=True):
            return self._explain(read, options, None, full, True, kind)

    def _forget(self) -> None:
        self._trials = Trials(self.forward, self.method.told)
        self._known.clear()

    def _explain(
        self,
        read: Read,
        options: Options,
        tick: Tick | None,
        full: bool,
        late: bool,
        kind: Hashable | None,
    ) -> Outcome:
        trial, recipes, question = read.trial, read.recipes, read.question
        references, at = read.references, read.question.inputs
        tolerance = self.method.tolerance
        full = full or tolerance is not None
        # Of samples, the error costs a look at every group of draws.
        errors = full or not recipes[0].sampled
        check = partial(at.check_finite, self.backend) if late else None
        size = self.batch_size(at)
        asked = Asked(size, errors, tick, self.method.mark, check, kind, options.until)
        answer, batch_size = self._rows.answered(self.engine, recipes, question, asked)
        whole = [tuple(leaf.shape) for leaf in at.leaves]
        each = [tuple(value.shape) for value in answer.values] == whole
        if each and not (trial.random or self.method.layers):
            trial.meaning.reach(at.once, question.targets, answer.values)
        if references is not None and references.count == 1 and not trial.random:
            trial.meaning.ends(at, answer.course, not recipes[0].one_round)
        values = self.result(at, answer.values)
        # Of the method's own baseline it is remembered whether the score jumps there.
        looked = self.method.told if options.baselines is None else set[str]()
        known = self.forward, recipes, question, answer, batch_size
        facts = Facts(*known, None if trial.random else looked)
        if not full:
            error = facts.not_marked(facts.known_error())
            return Outcome(values, None, error, answer.non_finite)
        stated = answer.errors
        spread = None if stated is None else self.result(at, stated.standard)
        found = facts.attribution(values, spread, self.method, tolerance)
        ends = found.scores, found.baseline_scores
        judged = facts.judged(found.error, found.completeness_gap, *ends)
        return Outcome(values, found, facts.not_marked(judged), answer.non_finite)

    def asked(self, given: Inputs, targets: Any, options: Options, reported: bool) -> Read:
        """Reads where paths start and what is explained, in the space that is attributed to."""
        given = self.settled(given)
        plain = self._at(given)
        at = self.spaces.moved(self.backend, plain)
        references = self.references(options.baselines, given, plain)
        references = self.spaces.references(self.backend, references, at)
        at = self._beside.inputs(given, at)
        references = self._beside.references(references, at)
        trial, recipes = self._trials.of(at), self.recipes(references)
        question = self._question(trial, recipes, at, references, targets, reported)
        ids = np.repeat(options.sample_ids.of(at.n), question.inputs.fan)
        return Read(trial, recipes, replace(question, ids=ids), references)

    def _question(
        self,
        trial: Trial,
        recipes: Recipes,
        at: Inputs,
        references: References | None,
        targets: Any,
        reported: bool,
    ) -> Question:
        """Reads the targets, and checks that their scores can be explained."""
        asked, size = listed(targets), self.batch_size(at)
        every = [trial.targets(at, target, size, reported=reported) for target in asked]
        goals, scores = every[0]
        self._check_certain(all(read.certain for read, _ in every))
        trial.check(at, goals, lambda: self.engine.tile_rows(recipes, at, size))
        question = Question(at, goals, references, scores)
        if not isinstance(targets, Each):
            return question
        return question.each(self.backend, [read for read, _ in every], asked)

    def check_recorded(self, inputs: Any) -> None:
        """Tells of inputs that the caller differentiates through."""
        leaves = flatten(inputs, "inputs")[1]
        if any(self.backend.is_tensor(x) and self.backend.recorded(x) for x in leaves):
            self._trials.meaning.recorded()

    def _check_certain(self, certain: bool) -> None:
        """Trusts no kernel where something of this call cannot be followed."""
        if not certain:
            self.kernels.doubt = True
            self.kernels.renew()
            self._forget()

    def settled(self, inputs: Inputs) -> Inputs:
        """Tells which arguments whose size alone says so have a row for each sample.

        Raises:
            InputError: It cannot be told.
        """
        return self._belonging.settle(inputs)

    def _at(self, given: Inputs) -> Inputs:
        """Moves to the space of the layers that are attributed to, if any are."""
        if not self.engine.scorer.taps.inputs:
            return given
        activations = self._trials.of(given).activations(given)
        return at_layers(self.forward, given, activations, self.batch_size(given))

    def references(
        self, baselines: Any, given: Inputs, at: Inputs, traced: bool = False
    ) -> References | None:
        """Reads where paths start, within a trace or not; None for methods without a path."""
        rows = partial(self.batch_size, given)
        beside = self.engine, self.forward, baselines, given, at, rows, traced
        return read_starts(self.method, *beside)

    def fixed_targets(self, inputs: Inputs, targets: Any) -> Targets:
        """Reads targets that must not depend on the values of the inputs.

        Raises:
            InputError: The predicted class would have to be found.
        """
        return self._trials.of(inputs).fixed_targets(inputs, targets)

    def recipes(self, references: References | None) -> Recipes:
        """The recipes, the innermost made for as many baselines as there are."""
        *outer, core = self.method.recipes
        return (*outer, core if references is None else core.over(references.count))

    def result(self, inputs: Inputs, values: list[Tensor]) -> Any:
        """Puts values into the containers and dtypes of the inputs."""
        backend = self.backend
        pairs = zip(values, inputs.leaves, strict=True)
        return inputs.layout.result([backend.cast(v, backend.dtype(x)) for v, x in pairs])

    def batch_size(self, inputs: Inputs) -> int | None:
        """Returns the most rows per gradient call; None for any number."""
        return self._rows.of(inputs)
