"""What has to be learned about a model once per explainer: output shape, unused inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from polyattr.engine import Engine
from polyattr.errors import (
    InputError,
    InputTypeError,
    ModelOutputError,
    PolyattrError,
    UnusedInputWarning,
    warn,
)
from polyattr.inputs import Inputs
from polyattr.scoring import first_rows
from polyattr.targets import TargetReader, Targets

# A callable target is part of the key; a fresh lambda in every call must not pile entries up.
_MOST_REMEMBERED = 64


class Probe:
    """Remembers what two rows told about the model, for inputs of the same kind."""

    def __init__(self) -> None:
        self._shapes: dict[object, tuple[tuple[int, ...], str]] = {}
        self._connected: dict[object, list[bool]] = {}

    def targets(
        self, engine: Engine, inputs: Inputs, targets: Any, batch_size: int | None
    ) -> tuple[Targets, np.ndarray[Any, Any] | None]:
        """Normalises targets against the output's shape.

        Returns:
            The targets, and the scores f(x) if finding the predicted class brought them.
        """
        like = inputs.leaves[0]
        if engine.scorer.operator is not None:
            return _operator_targets(engine, inputs, targets), None
        shape, dtype = self._output(engine, inputs)
        reader = TargetReader(engine.backend, like, inputs.n, shape)
        if targets is not None or reader.is_score:
            try:
                return reader.read(targets, dtype), None
            except InputError:
                # The user may have given the model another head since: look again before refusing.
                shape, dtype = self._output(engine, inputs, again=True)
                reader = TargetReader(engine.backend, like, inputs.n, shape)
                return reader.read(targets, dtype), None
        reader.check_predictable()
        outputs = engine.forward.outputs(inputs, batch_size)
        found = reader.predicted(outputs)
        return found, outputs[np.arange(inputs.n), found.record]

    def _output(
        self, engine: Engine, inputs: Inputs, again: bool = False
    ) -> tuple[tuple[int, ...], str]:
        key = inputs.signature(engine.backend)
        if again or key not in self._shapes:
            state = engine.scorer.bound.state()
            with _noted(inputs):
                self._shapes[key] = engine.scorer.output_shape(inputs, state)
        return self._shapes[key]

    def connections(self, engine: Engine, inputs: Inputs, targets: Targets) -> None:
        """Checks that the score depends on the inputs.

        Raises:
            ModelOutputError: It depends on none of them.

        Warns:
            UnusedInputWarning: It depends on some only.
        """
        key = (inputs.signature(engine.backend), targets.kind, targets.select)
        if key not in self._connected:
            if len(self._connected) >= _MOST_REMEMBERED:
                self._connected.clear()
            self._connected[key] = self._ask(engine, inputs, targets)
        connected = self._connected[key]
        unused = [n for n, used in zip(inputs.structure.names, connected, strict=True) if not used]
        if not any(connected):
            raise ModelOutputError(
                f"the score does not depend on {' or '.join(unused)}: there is no gradient to "
                f"attribute. Is the path cut by detach, stop_gradient, a NumPy call, a cast to "
                f"integers or no_grad?"
            )
        if unused:
            warn(
                f"the score does not depend on {', '.join(unused)}: zero attribution",
                UnusedInputWarning,
            )

    def _ask(self, engine: Engine, inputs: Inputs, targets: Targets) -> list[bool]:
        columns, scorer = first_rows(targets.columns), engine.scorer
        state = scorer.bound.state()
        with _noted(inputs):
            return engine.backend.connected(
                lambda rows: scorer.score(inputs.structure, targets, state, rows, columns),
                first_rows(inputs.leaves),
            )


@contextmanager
def _noted(inputs: Inputs) -> Iterator[None]:
    """Adds to an error of the user's own code what it was called with."""
    try:
        yield
    except PolyattrError:
        raise
    except Exception as error:
        shapes = ", ".join(
            f"{name} of shape {tuple(row.shape)}"
            for name, row in zip(inputs.structure.names, first_rows(inputs.leaves), strict=True)
        )
        error.add_note(
            f"polyattr was trying the model on {shapes}: at most the first two of the "
            f"{inputs.n} samples given, along the first axis"
        )
        raise


def _operator_targets(engine: Engine, inputs: Inputs, targets: Any) -> Targets:
    """Passes targets on to the user's operator: any array with one entry per sample, or None."""
    if targets is None:
        return Targets("operator", [])
    native = targets
    if not engine.backend.is_tensor(targets):
        array = np.asarray(targets)
        if array.dtype.kind not in "biuf":
            raise InputTypeError(
                f"targets are a {type(targets).__name__}; with an operator, expected an array or "
                f"tensor with one entry per sample, or None"
            )
        array = np.broadcast_to(array, (inputs.n,)) if array.ndim == 0 else array
        native = engine.backend.to_native(array, inputs.leaves[0])
    if len(native.shape) == 0 or int(native.shape[0]) != inputs.n:
        raise ModelOutputError(
            f"targets have shape {tuple(native.shape)}; with an operator, expected one entry per "
            f"sample on the first axis, ({inputs.n}, ...)"
        )
    return Targets("operator", [native], record=engine.backend.to_numpy(native))
