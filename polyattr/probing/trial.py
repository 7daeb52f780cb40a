"""What two rows, tried on the model, tell about every call with inputs of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from polyattr.backend import Likeness
from polyattr.engine.forward import Forward
from polyattr.engine.kernels import make_room
from polyattr.errors import InputError, ModelOutputError, PolyattrError
from polyattr.probing.connections import check_connections, find_connections
from polyattr.probing.failures.cures import one_sample
from polyattr.probing.failures.noted import noted
from polyattr.probing.layer_inputs import Activations, outline_activations
from polyattr.probing.meant.labels import read_labels
from polyattr.probing.meant.meaning import Meaning, is_probability
from polyattr.probing.rows.independence import Tried, check_rows, warn_random
from polyattr.probing.rows.numbers import outline_output, with_fitting_rows
from polyattr.question.datasets import Labels, named_by
from polyattr.question.inputs import Inputs
from polyattr.scores import reductions
from polyattr.scores.operator_targets import read_operator_targets
from polyattr.scores.reductions import Rule, Selected
from polyattr.scores.targets import TargetReader, Targets
from polyattr.scores.tasks import Task

# What a user passes beside the inputs is part of their signature, and a callable target a rule of
# its own; a fresh lambda in every call must not pile either up.
_MOST_TRIALS = 64
_MOST_RULES = 16
_STATE = (
    " Calls change the model: if it takes something from the first samples it sees, call it once "
    "on data of yours before it is explained"
)


class Trials:
    """The trials of one explainer, one for each way in which its model is called.

    Args:
        forward: Evaluates the model.
        told: What the explainer's user was told already.
    """

    def __init__(self, forward: Forward, told: set[str] | None = None) -> None:
        self._forward = forward
        self._trials: dict[object, Trial] = {}
        self.meaning = Meaning(forward, told)

    def of(self, inputs: Inputs) -> Trial:
        """Returns the trial of inputs with this signature, a new one where there is none."""
        signature = inputs.signature(self._forward.backend)
        if signature not in self._trials:
            make_room(self._trials, _MOST_TRIALS)
            self._trials[signature] = Trial(self._forward, self.meaning)
        return self._trials[signature]


class Trial:
    """Remembers what two rows told, from when it was first asked; it keeps none of the rows.

    Args:
        forward: Evaluates the model.
        meaning: Tells where another question may have been meant; none does not.
    """

    def __init__(self, forward: Forward, meaning: Meaning | None = None) -> None:
        self._forward = forward
        self.meaning = Meaning(forward) if meaning is None else meaning
        self._output: tuple[tuple[int, ...], str] | None = None
        self._activations: Activations | None = None
        self._alike: Likeness | None = None
        self._connected: dict[Rule, list[bool]] = {}
        self._tried: dict[Rule | None, Tried] = {}
        self._leaving_all: dict[Hashable, None] = {}

    def leaves_all(self, kind: Hashable | None) -> bool:
        """Says whether calls of a `kind` are known to leave the user's objects as they were."""
        return kind in self._leaving_all

    def note_leaves_all(self, kind: Hashable | None) -> None:
        """Notes that a call of a `kind`, if it has one, left the user's objects as they were."""
        if kind is not None:
            make_room(self._leaving_all, _MOST_TRIALS)
            self._leaving_all[kind] = None

    def activations(self, inputs: Inputs) -> Activations:
        """Finds what the layers that are attributed to return.

        Raises:
            ModelOutputError: Nothing there can be attributed to.
        """
        if self._activations is None:
            with noted(self._forward, inputs):
                self._activations = with_fitting_rows(
                    self._forward, inputs.n, lambda: outline_activations(self._forward, inputs)
                )
        return self._activations

    def targets(
        self,
        inputs: Inputs,
        targets: Any,
        batch_size: int | None,
        *,
        reported: bool = True,
        looked_at: bool = True,
    ) -> tuple[Targets, np.ndarray[Any, Any] | None]:
        """Reads targets against the shape of the output.

        Args:
            inputs: The samples.
            targets: As the user passed them, or the `Labels` of a dataset.
            batch_size: Most rows per evaluation, where the predicted class has to be found.
            reported: Whether the user will see which class that was.
            looked_at: Whether samples have values to look at, as those of a trace have not.

        Returns:
            The targets, and the scores f(x) (N,) if finding the predicted class brought them.

        Raises:
            InputError: Targets out of range, of the wrong shape, or ambiguous.
            InputTypeError: Not something that can name a target.
            ModelOutputError: The output is not what the task explains.
        """
        task = self._forward.scorer.operator
        if not isinstance(task, Task):
            backend, named = self._forward.backend, named_by(targets)
            return read_operator_targets(named, backend, inputs.leaves[0], inputs.n), None
        reader, dtype = self._reader(inputs)
        if task.takes_logits:
            self.meaning.check_logits(inputs)
        targets = self._named(task, reader, targets)
        if targets is None and task.predicts and not reader.is_score:
            return self._predicted(task, reader, dtype, inputs, batch_size, reported)
        goals, reader = self._goals(task, inputs, targets)
        if looked_at:
            self.meaning.check(task, reader, inputs, goals, None)
        return goals.shaped(reader.shape), None

    def _goals(self, task: Task, inputs: Inputs, targets: Any) -> tuple[Targets, TargetReader]:
        reader, dtype = self._reader(inputs)
        try:
            goals = task.read(reader, targets, dtype)
        except PolyattrError:
            # The user may have given the model another head since: look again before refusing.
            self._output = None
            reader, dtype = self._reader(inputs)
            goals = task.read(reader, targets, dtype)
        if isinstance(goals.rule, Selected):
            self._alike = goals.rule.alike
        return goals, reader

    def _named(self, task: Task, reader: TargetReader, targets: Any) -> Any:
        """Returns the targets themselves; of a dataset's labels those that are some."""
        if not (isinstance(targets, Labels) and task.explains_outputs):
            return named_by(targets)
        named, unused = read_labels(reader, targets.value)
        if unused and task.unsaid:
            self.meaning.labels(reader)
        return named

    def fixed_targets(self, inputs: Inputs, targets: Any) -> Targets:
        """Reads targets that must not depend on the values of the inputs.

        Raises:
            InputError: The predicted class would have to be found.
        """
        task, backend = self._forward.scorer.operator, self._forward.backend
        if isinstance(task, Task) and backend.is_tensor(targets) and not backend.readable(targets):
            reader, dtype = self._reader(inputs)
            return reader.unread(targets, dtype)
        if targets is None and isinstance(task, Task) and task.predicts:
            reader = self._reader(inputs)[0]
            if not reader.is_score:
                raise InputError(
                    f"targets is None, but the output has shape {reader.whole}: the predicted "
                    f"class would change with the inputs. Say which: an index, or one per sample"
                )
        return self.targets(inputs, targets, None, looked_at=False)[0]

    def _predicted(
        self,
        task: Task,
        reader: TargetReader,
        dtype: str,
        inputs: Inputs,
        batch_size: int | None,
        reported: bool,
    ) -> tuple[Targets, np.ndarray[Any, Any] | None]:
        reader.check_predictable()
        outputs = self._forward.outputs(inputs, batch_size)
        if outputs.shape[1:] != reader.shape:
            # The user has given the model another head since.
            self._output = outputs.shape[1:], dtype
            return self.targets(inputs, None, batch_size, reported=reported)
        classes = reader.predicted(outputs)
        targets = task.read(reader, classes, dtype)
        self.meaning.check(task, reader, inputs, targets, outputs)
        if task.unsaid and not reported and not is_probability(outputs):
            self.meaning.predicted(classes, reader)
        scores = outputs[np.arange(inputs.n), classes]
        known = scores if targets.rule is reductions.indexed else None
        return targets.shaped(reader.shape), known

    def _reader(self, inputs: Inputs) -> tuple[TargetReader, str]:
        """Returns what reads targets for this output, and the output's dtype."""
        if self._output is None:
            with noted(self._forward, inputs):
                self._output = with_fitting_rows(
                    self._forward, inputs.n, lambda: outline_output(self._forward, inputs)
                )
        shape, dtype = self._output
        like = inputs.leaves[0]
        return TargetReader(self._forward.backend, like, inputs.n, shape, self._alike), dtype

    def check(self, inputs: Inputs, targets: Targets, rows: Callable[[], int]) -> None:
        """Checks that scores depend on the inputs, and every sample's on that sample alone.

        Args:
            inputs: The samples.
            targets: What is explained.
            rows: Tells the rows of a gradient call.

        Raises:
            ModelOutputError: They do not.

        Warns:
            UnusedInputWarning: The score depends on some of the inputs only.
            RandomModelWarning: It also depends on chance.
        """
        rule = targets.rule
        if rule not in self._connected or not targets.certain:
            make_room(self._connected, _MOST_RULES)
            with noted(self._forward, inputs):
                self._connected[rule] = with_fitting_rows(
                    self._forward,
                    inputs.n,
                    lambda: find_connections(self._forward, inputs, targets),
                )
        check_connections(self._connected[rule], inputs, self._forward.scorer.taps.several)
        # A user's callable on the outputs may mix rows, the package's own rules do not.
        mixer = rule if isinstance(rule, Selected) else None
        tried = self._tried.get(mixer) if targets.certain else None
        if tried is None or not tried.covers(self._forward.backend, inputs):
            tried = self._rows_apart(inputs, targets, rows())
            if tried is None:
                return
            if tried.random:
                self._doubt()
            make_room(self._tried, _MOST_RULES)
            self._tried[mixer] = tried
        if tried.random:
            warn_random(tried.frozen)

    def is_settled(self, n: int, targets: Targets) -> bool:
        """Says whether `check` has nothing left to look at, or to tell, of calls like this one."""
        rule = targets.rule
        tried = self._tried.get(rule if isinstance(rule, Selected) else None)
        final = targets.certain and tried is not None and tried.is_final(n)
        return final and all(self._connected.get(rule, [False]))

    @property
    def random(self) -> bool:
        """Whether the model was found to draw random numbers, so that any change may be chance."""
        return any(tried.random for tried in self._tried.values())

    def _doubt(self) -> None:
        """Looks for another reason why two equal evaluations differ: a state that changed.

        Raises:
            ModelOutputError: There may be one; the call is answered again with it put back.
        """
        guard = self._forward.scorer.guard
        if guard.suspects:
            raise ModelOutputError("two equal evaluations of the model differ")
        guard.on = False  # it did not help: the model draws random numbers

    def _rows_apart(self, inputs: Inputs, targets: Targets, rows: int) -> Tried | None:
        """Checks rows, and asks whether they are parts of one sample.

        Raises:
            ModelOutputError: A sample's score depends on others.
        """
        try:
            if inputs.n > 1:
                return check_rows(self._forward, inputs, targets, rows)
            # It was tried as one row: this is the first time that the model gets two.
            return with_fitting_rows(
                self._forward, 1, lambda: check_rows(self._forward, inputs, targets, rows)
            )
        except ModelOutputError as error:
            if error.__cause__ is not None:  # the model failed, which the backend has explained
                raise
            advice = self._forward.scorer.bound.advice(inputs.layout.kwargs.keys)
            state = _STATE if self._forward.scorer.guard.on else ""
            raise ModelOutputError(f"{error} {one_sample(inputs)}{state}{advice}") from None
