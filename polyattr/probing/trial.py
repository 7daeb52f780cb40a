"""What has to be learned about a model once per explainer: output shape, unused inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.engine.loop import Engine
from polyattr.errors import (
    InputTypeError,
    ModelOutputError,
    PolyattrError,
    UnusedInputWarning,
    warn,
)
from polyattr.probing.independence import check_rows
from polyattr.probing.layer_inputs import Activations, outline_activations
from polyattr.question.inputs import Inputs
from polyattr.scores import reductions
from polyattr.scores.scorer import first_rows
from polyattr.scores.targets import TargetReader, Targets
from polyattr.scores.tasks import Task

# A callable target is part of the key; a fresh lambda in every call must not pile entries up.
_MOST_REMEMBERED = 64


class Probe:
    """Remembers what two rows told about the model, for inputs of the same kind."""

    def __init__(self) -> None:
        self._shapes: dict[object, tuple[tuple[int, ...], str]] = {}
        self._connected: dict[object, list[bool]] = {}
        self._activations: dict[object, Activations] = {}
        self._independent: set[object] = set()
        self._logits: set[object] = set()

    def targets(
        self, engine: Engine, inputs: Inputs, targets: Any, batch_size: int | None
    ) -> tuple[Targets, np.ndarray[Any, Any] | None]:
        """Normalises targets against the output's shape.

        Returns:
            The targets, and the scores f(x) if finding the predicted class brought them.
        """
        like, scorer = inputs.leaves[0], engine.scorer
        task = scorer.operator
        if not isinstance(task, Task):
            return _operator_targets(engine, inputs, targets), None
        shape, dtype = self._output(engine, inputs)
        reader = TargetReader(engine.backend, like, inputs.n, shape)
        if task.takes_logits:
            self._check_logits(engine, inputs)
        if targets is None and task.predicts and not reader.is_score:
            reader.check_predictable()
            outputs = engine.forward.outputs(inputs, batch_size)
            found = reader.predicted(outputs)
            known = outputs[np.arange(inputs.n), found]
            goals = task.read(reader, found, dtype)
            return goals, known if goals.rule is reductions.indexed else None
        try:
            return task.read(reader, targets, dtype), None
        except PolyattrError:
            # The user may have given the model another head since: look again before refusing.
            shape, dtype = self._output(engine, inputs, again=True)
            reader = TargetReader(engine.backend, like, inputs.n, shape)
            return task.read(reader, targets, dtype), None

    def _check_logits(self, engine: Engine, inputs: Inputs) -> None:
        key = inputs.signature(engine.backend)
        if key in self._logits:
            return
        x, context = first_rows(inputs, [])
        few = replace(inputs, leaves=x, n=int(x[0].shape[0]), companions=context.companions)
        outputs = engine.forward.outputs(few, None).astype(np.float64)
        if outputs.ndim == 2 and (outputs >= 0).all() and np.allclose(outputs.sum(1), 1, atol=1e-2):
            raise ModelOutputError(
                "operator='log_odds' takes logits, but the outputs are probabilities: they sum to "
                "1 for every sample; name the layer before the softmax with output_layer"
            )
        self._logits.add(key)

    def _output(
        self, engine: Engine, inputs: Inputs, again: bool = False
    ) -> tuple[tuple[int, ...], str]:
        key = inputs.signature(engine.backend)
        if again or key not in self._shapes:
            state = engine.scorer.bound.state()
            with noted(inputs):
                self._shapes[key] = engine.scorer.output_shape(inputs, state)
        return self._shapes[key]

    def activations(self, engine: Engine, inputs: Inputs) -> Activations:
        """Finds what the layers that are attributed to return."""
        key = inputs.signature(engine.backend)
        if key not in self._activations:
            with noted(inputs):
                self._activations[key] = outline_activations(engine, inputs)
        return self._activations[key]

    def independence(self, engine: Engine, inputs: Inputs, targets: Targets) -> None:
        """Checks that samples are scored on their own.

        Raises:
            ModelOutputError: A sample's score depends on the sample beside it.
        """
        # A user's callable on the outputs may mix rows, the package's own rules do not.
        own = targets.rule if isinstance(targets.rule, reductions.Selected) else None
        key = (inputs.signature(engine.backend), own)
        if key not in self._independent and check_rows(engine, inputs, targets):
            if len(self._independent) >= _MOST_REMEMBERED:
                self._independent.clear()
            self._independent.add(key)

    def connections(self, engine: Engine, inputs: Inputs, targets: Targets) -> None:
        """Checks that the score depends on the inputs.

        Raises:
            ModelOutputError: It depends on none of them.

        Warns:
            UnusedInputWarning: It depends on some only.
        """
        key = (inputs.signature(engine.backend), targets.rule)
        if key not in self._connected:
            if len(self._connected) >= _MOST_REMEMBERED:
                self._connected.clear()
            self._connected[key] = self._ask(engine, inputs, targets)
        connected = self._connected[key]
        unused = [n for n, used in zip(inputs.layout.names, connected, strict=True) if not used]
        if not any(connected):
            raise ModelOutputError(
                f"the score does not depend on {' or '.join(unused)}: there is no gradient to "
                f"attribute. Is the path cut by detach, stop_gradient, a NumPy call, a cast to "
                f"integers or no_grad?"
            )
        if unused:
            behind = (
                "; a layer behind another one cuts it off: explain them one at a time"
                if engine.scorer.taps.several
                else ""
            )
            warn(
                f"the score does not depend on {', '.join(unused)}: zero attribution{behind}",
                UnusedInputWarning,
            )

    def _ask(self, engine: Engine, inputs: Inputs, targets: Targets) -> list[bool]:
        scorer = engine.scorer
        x, context = first_rows(inputs, targets.columns)
        state = scorer.bound.state()
        with noted(inputs):
            return engine.backend.connected(
                lambda rows: scorer.score(inputs.layout, targets, state, rows, context), x
            )


@contextmanager
def noted(inputs: Inputs) -> Iterator[None]:
    """Adds to an error of the user's own code what it was called with."""
    try:
        yield
    except PolyattrError:
        raise
    except Exception as error:
        shapes = ", ".join(
            f"{name} of shape {tuple(row.shape)}"
            for name, row in zip(inputs.layout.names, first_rows(inputs, [])[0], strict=True)
        )
        error.add_note(
            f"polyattr was trying the model on {shapes}: at most the first two of the "
            f"{inputs.n} samples given, along the first axis"
        )
        raise


def _operator_targets(engine: Engine, inputs: Inputs, targets: Any) -> Targets:
    """Passes targets on to the user's operator: any array with one entry per sample, or None."""
    if targets is None:
        return Targets(reductions.total, [])
    native = targets
    if not engine.backend.is_tensor(targets):
        array = np.asarray(targets)
        if array.dtype.kind not in "biuf":
            raise InputTypeError(
                f"targets are a {type(targets).__name__}; with an operator, expected an array or "
                f"tensor with one entry per sample, or None"
            )
        array = np.broadcast_to(array, (inputs.n,)) if array.ndim == 0 else array
        # Floats follow the inputs, so that a loss does not widen what the model computes.
        kind = engine.backend.dtype(inputs.leaves[0]) if array.dtype.kind == "f" else None
        native = engine.backend.to_native(array, inputs.leaves[0], kind)
    if len(native.shape) == 0 or int(native.shape[0]) != inputs.n:
        raise ModelOutputError(
            f"targets have shape {tuple(native.shape)}; with an operator, expected one entry per "
            f"sample on the first axis, ({inputs.n}, ...)"
        )
    return Targets(reductions.total, [native], record=engine.backend.to_numpy(native))
