"""From inputs to scores: the bound model, output selection and operator, as one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from polyattr.backend import BoundModel, GradBackend, Guard, Tensor
from polyattr.errors import ModelOutputError, nearest
from polyattr.question.arguments import Calling
from polyattr.question.layout import Added, Context, Layout
from polyattr.scores.fitting import Fitting
from polyattr.scores.handed_model import HandedModel
from polyattr.scores.reductions import Rule, Selected
from polyattr.scores.taps import Taps
from polyattr.scores.tasks import Task

Operator = Callable[[Callable[[Any], Tensor], Any, Any], Tensor]


@dataclass(frozen=True)
class Scorer:
    """Evaluates the model's outputs and scores on native rows.

    Attributes:
        backend: The framework.
        taps: The user's model, and the layers a call goes through.
        operator: A task, or the user's own score g(model, inputs, targets) -> (N,).
        output: Key, index or callable that selects among several outputs, or None.
        guard: Has every evaluation start from the same state.
    """

    backend: GradBackend
    taps: Taps
    operator: Task | Operator
    output: Any = None
    guard: Guard = field(default_factory=Guard, compare=False)

    @cached_property
    def fitting(self) -> Fitting:
        """Gives the model as many rows as it takes."""
        return Fitting(self.backend, self.guard)

    @property
    def bound(self) -> BoundModel:
        """The user's model."""
        return self.taps.bound

    @cached_property
    def _calling(self) -> Calling:
        return Calling(self.bound.entry)

    def outputs(self, layout: Layout, state: Any, x: list[Tensor], context: Context) -> Tensor:
        """Returns the selected output (R, ...) for rows."""
        self.guard.begin()
        found: Tensor = self.fitting.apply(
            lambda x, context: self._outputs(layout, state, self._back(layout, x), context),
            x,
            context,
        )
        return found

    def _back(self, layout: Layout, x: list[Tensor]) -> list[Tensor]:
        """Returns the inputs that rows stand for."""
        return x if layout.space is None else layout.space.inputs(self.backend, x)

    def _outputs(
        self,
        layout: Layout,
        state: Any,
        x: list[Tensor],
        context: Context,
        read: list[Tensor] | None = None,
    ) -> Tensor:
        value, args, kwargs = self._arguments(layout, x, context)
        args, kwargs = self._calling.arguments(value, args, kwargs)
        return self._select(self.taps.run(state, args, kwargs, layout, x, read))

    def _arguments(self, layout: Layout, x: list[Tensor], context: Context) -> tuple[Any, Any, Any]:
        shared = [self.bound.share(leaf) for leaf in context.shared]
        return layout.arguments(x, context._replace(shared=shared))

    def make(self, layout: Layout, x: list[Tensor], context: Context) -> None:
        """Makes the parameters of a model whose first call does, with rows of its inputs."""
        self.bound.make(*self._calling.arguments(*self._arguments(layout, x, context)))

    def misfit(self, layout: Layout, x: list[Tensor], context: Context) -> str | None:
        """Says what the model takes and is given, where its signature does not allow the call."""
        args, kwargs = self._calling.arguments(*self._arguments(layout, x, context))
        return self._calling.misfit(args, kwargs)

    def returned(self, layout: Layout, state: Any, x: list[Tensor], context: Context) -> Any:
        """Returns all that the model returns for rows of its own inputs, without any tap."""

        def run(x: list[Tensor], context: Context) -> Any:
            x = self._back(layout, x)
            args, kwargs = self._calling.arguments(*self._arguments(layout, x, context))
            return self.bound.run(state, args, kwargs)

        return self.fitting.apply(run, x, context)

    def activations(self, layout: Layout, state: Any, x: list[Tensor], context: Context) -> Any:
        """Returns the activations (R, ...) of the layers that are attributed to."""
        self.guard.begin()

        def run(x: list[Tensor], context: Context) -> Any:
            args, kwargs = self._calling.arguments(*self._arguments(layout, x, context))
            return self.taps.activations(state, args, kwargs)

        return self.fitting.apply(run, x, context)

    def shares(self, rule: Rule) -> bool:
        """Says whether scores for several targets are rules on one evaluation of the outputs."""
        return isinstance(self.operator, Task) and not isinstance(rule, Selected)

    def score_each(
        self, layout: Layout, rule: Rule, state: Any, x: list[Tensor], contexts: list[Context]
    ) -> list[Tensor]:
        """Returns the scores (R,) of the same rows for several targets, from one evaluation.

        The `contexts` differ in their goals alone; the rule is one that `shares`.
        """
        self.guard.begin()

        def run(x: list[Tensor], context: Context) -> list[Tensor]:
            read: list[Tensor] = []
            return [self._outputs(layout, state, self._back(layout, x), context, read), *read]

        outputs, *read = self.fitting.apply(run, x, contexts[0]._replace(goals=[]))
        every = [rule(self.backend, outputs, context.goals) for context in contexts]
        for scores in every:
            self._check_scores(scores, int(x[0].shape[0]))
        if layout.added is None:
            return every
        return [self._told_of(layout.added, x, scores, read) for scores in every]

    def score(
        self, layout: Layout, rule: Rule, state: Any, x: list[Tensor], context: Context
    ) -> Tensor:
        """Returns the scores (R,) of rows; `rule` is asked where the operator is a task."""
        self.guard.begin()
        found: Tensor = self.fitting.apply(
            lambda x, context: self._scores(layout, rule, state, self._back(layout, x), context),
            x,
            context,
        )
        return found

    def _scores(
        self, layout: Layout, rule: Rule, state: Any, x: list[Tensor], context: Context
    ) -> Tensor:
        read: list[Tensor] = []
        if isinstance(self.operator, Task):
            outputs = self._outputs(layout, state, x, context, read)
            scores = rule(self.backend, outputs, context.goals)
        else:
            scores = self._operated(layout, self.operator, state, x, context, read)
        self._check_scores(scores, int(x[0].shape[0]))
        return scores if layout.added is None else self._told_of(layout.added, x, scores, read)

    def _told_of(self, added: Added, x: list[Tensor], scores: Tensor, read: list[Tensor]) -> Tensor:
        """Returns the scores (R,) with activations times zeros added, whose gradient they are."""
        backend, zeros = self.backend, added.split(x)[2] if added.multiplied else []
        if not zeros:
            return scores
        if len(read) != len(zeros):
            raise ModelOutputError(
                f"operator evaluates the model {len(read) // len(zeros)} times; expected once: "
                f"otherwise the layers have no one activation"
            )
        for activation, zero in zip(read, zeros, strict=True):
            scores = scores + backend.cast(
                backend.row_sums(activation * zero), backend.dtype(scores)
            )
        return scores

    def _operated(
        self,
        layout: Layout,
        operator: Operator,
        state: Any,
        x: list[Tensor],
        context: Context,
        read: list[Tensor],
    ) -> Tensor:
        """Returns what the user's operator makes of the model, the inputs and the targets."""
        value = layout.arguments(x, context)[0]
        _, args, kwargs = self._arguments(layout, x, context)
        # A loss compares one tensor; an operator takes what it wants out of what the model returns.
        whole = self.output is None and not getattr(operator, "takes_one_output", False)

        def run(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
            outputs = self.taps.run(state, args, kwargs, layout, x, read)
            return outputs if whole else self._select(outputs)

        model = HandedModel(run, self._calling, args, kwargs, self.bound.attribute)
        try:
            return operator(model, value, context.goals[0] if context.goals else None)
        except (TypeError, KeyError, IndexError, AttributeError) as error:
            if model.returned is None or self.backend.is_tensor(model.returned):
                raise
            raise ModelOutputError(
                f"operator raised {type(error).__name__}: {error}. {_choices(model.returned)}: "
                f"take one out in the operator, or with output=key, index or callable"
            ) from error

    def _check_scores(self, scores: Any, rows: int) -> None:
        shape = tuple(scores.shape) if self.backend.is_tensor(scores) else type(scores).__name__
        if shape != (rows,):
            raise ModelOutputError(
                f"{self._scored_by()} gave {shape} when tried on {rows} samples; expected one "
                f"score per sample, ({rows},)"
            )
        if self.backend.dtype(scores).startswith("complex"):
            raise ModelOutputError(
                f"the scores are {self.backend.dtype(scores)}, and only real numbers can be "
                f"explained; expected abs(z) or z.real of them, as with output=abs"
            )

    def _scored_by(self) -> str:
        return "the callable given as targets" if isinstance(self.operator, Task) else "operator"

    def _select(self, outputs: Any) -> Tensor:
        if callable(self.output):
            outputs = self.output(outputs)
        elif self.output is not None:
            if self.backend.is_tensor(outputs):
                raise ModelOutputError(
                    f"output={self.output!r} was given, but the model returned a single tensor of "
                    f"shape {tuple(outputs.shape)}; leave output out, or name a class with targets"
                )
            try:
                outputs = outputs[self.output]
            except (KeyError, IndexError, TypeError, ValueError, OverflowError):
                raise ModelOutputError(
                    f"output={self.output!r} selects nothing: {_choices(outputs, self.output)}"
                ) from None
        if not self.backend.is_tensor(outputs):
            raise ModelOutputError(f"{_choices(outputs)}; {self._cure(outputs)}")
        selected: Tensor = outputs
        return selected

    def _cure(self, outputs: Any) -> str:
        if isinstance(outputs, Mapping | tuple | list):
            return "choose one with output=key, index or callable"
        wanted = f"expected a {self.backend.name} tensor"
        if outputs is None:
            return f"{wanted}. Is a return statement missing?"
        if isinstance(outputs, np.ndarray):
            return f"{wanted}: NumPy arrays carry no gradient"
        return f"{wanted}; output=callable can take one out of the object"


def _choices(outputs: Any, wanted: Any = None) -> str:
    if isinstance(outputs, Mapping):
        keys = list(outputs)
        hint = nearest(wanted, map(str, keys)) if wanted is not None else ""
        listed = f"the model returned a {type(outputs).__name__} with keys {keys}"
        return f"{listed}.{hint}" if hint else listed
    if isinstance(outputs, tuple | list):
        return f"the model returned a {type(outputs).__name__} of {len(outputs)} outputs"
    if outputs is None:
        return "the model returned None"
    return f"the model returned a {type(outputs).__module__}.{type(outputs).__qualname__}"


def check_gradient(gradient: Tensor, row: Tensor, backend: GradBackend) -> None:
    """A gradient of shape (1, ...) would be broadcast to a map that is wrong.

    Args:
        gradient: What `grad` gave.
        row: The rows (R, ...) it was asked for.
        backend: Whose `grad` it is.

    Raises:
        ModelOutputError: Their shapes differ.
    """
    if tuple(gradient.shape) != tuple(row.shape):
        raise ModelOutputError(
            f"the {backend.name} backend gave a gradient of shape {tuple(gradient.shape)} for rows "
            f"of shape {tuple(row.shape)}; expected one gradient per row: `grad` of the backend "
            f"has to be mended"
        )
