"""From inputs to scores: the bound model, output selection and operator, as one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import BoundModel, GradBackend, Tensor
from polyattr.errors import InputError, ModelOutputError, nearest
from polyattr.inputs import Inputs, arguments
from polyattr.structure import Structure
from polyattr.targets import Targets

Operator = Callable[[Callable[[Any], Tensor], Any, Any], Tensor]


@dataclass(frozen=True)
class Scorer:
    """Evaluates the model's outputs and scores on native rows.

    Attributes:
        backend: The framework.
        bound: The user's model.
        operator: The user's own score g(model, inputs, targets) -> (N,), or None.
        output: Key, index or callable that selects among several outputs, or None.
    """

    backend: GradBackend
    bound: BoundModel
    operator: Operator | None = None
    output: Any = None

    def outputs(self, structure: Structure, state: Any, rows: list[Tensor]) -> Tensor:
        """Returns the selected output (R, ...) for rows in the user's containers."""
        return self._evaluate(state, structure.build(rows))

    def _evaluate(self, state: Any, value: Any) -> Tensor:
        args, kwargs = arguments(self.bound.entry, value)
        return self._select(self.bound.run(state, args, kwargs))

    def score(
        self,
        structure: Structure,
        targets: Targets,
        state: Any,
        rows: list[Tensor],
        columns: list[Tensor],
    ) -> Tensor:
        """Returns the scores (R,) of rows; `columns` are the rows' own targets."""
        if self.operator is None:
            outputs = self.outputs(structure, state, rows)
            scores = targets.score(self.backend, outputs, columns)
        else:
            given = columns[0] if columns else None
            scores = self.operator(
                lambda value: self._evaluate(state, value), structure.build(rows), given
            )
        self._check_scores(scores, int(rows[0].shape[0]))
        return scores

    def _check_scores(self, scores: Any, rows: int) -> None:
        shape = tuple(scores.shape) if self.backend.is_tensor(scores) else type(scores).__name__
        if shape != (rows,):
            who = "operator" if self.operator else "the callable given as targets"
            raise ModelOutputError(
                f"{who} gave {shape} when tried on {rows} samples; expected one score per sample, "
                f"({rows},)"
            )

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
        return outputs

    def _cure(self, outputs: Any) -> str:
        if isinstance(outputs, Mapping | tuple | list):
            return "choose one with output=key, index or callable"
        wanted = f"expected a {self.backend.name} tensor"
        if outputs is None:
            return f"{wanted}. Is a return statement missing?"
        if isinstance(outputs, np.ndarray):
            return f"{wanted}: NumPy arrays carry no gradient"
        return f"{wanted}; output=callable can take one out of the object"

    def output_shape(self, inputs: Inputs, state: Any) -> tuple[tuple[int, ...], str]:
        """Finds the shape of one sample's output and its dtype.

        Raises:
            ModelOutputError: Rows in are not rows out.
        """
        probe = first_rows(inputs.leaves)
        rows = int(probe[0].shape[0])
        outputs = self.backend.outline(
            lambda s, leaves: self.outputs(inputs.structure, s, leaves), state, probe
        )
        shape = tuple(int(size) for size in outputs.shape)
        if shape[:1] != (rows,):
            raise ModelOutputError(
                f"the model returned shape {shape} when tried on {rows} samples; expected one row "
                f"per sample, ({rows}, ...): every sample must be scored on its own"
            )
        return shape[1:], self.backend.dtype(outputs)


def first_rows(leaves: list[Tensor]) -> list[Tensor]:
    """Takes two samples, or the one there is: enough to see shapes and connections."""
    return [leaf[:2] for leaf in leaves]


def check_operator(operator: Any) -> None:
    """Checks the `operator` argument.

    Raises:
        InputError: Not a callable.
    """
    if operator is not None and not callable(operator):
        raise InputError(
            f"operator is {operator!r}; expected a callable g(model, inputs, targets) -> (N,) "
            f"or None for classification"
        )


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
