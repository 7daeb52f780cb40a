"""Keras 3 models on JAX."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from polyattr.backend import Tap, UnrecognisedModelError, Visits
from polyattr_jax.parametrised import ParametrisedModel
from polyattr_jax.tapping import run_marked
from polyattr_keras import (
    KerasLayers,
    all_layers,
    check_inputs,
    is_generator,
    keras_dtype,
    keras_entry,
    not_training,
    tapped,
)


class BoundKeras(KerasLayers, ParametrisedModel):
    """A Keras 3 model on JAX, called without side effects."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # read anew each time
        """The dtype the model takes."""
        return keras_dtype(self._function)

    def state(self) -> Any:
        """The values of all variables, as they are now."""
        model = self._function
        return (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False`` and the given variables.

        Raises:
            UnrecognisedModelError: It has no variables yet.
        """
        model = self._function
        if not model.built:
            raise UnrecognisedModelError(
                f"the Keras model {type(model).__name__} is not built: its variables are made by "
                f"its first call; call it on some data first"
            )
        check_inputs(model, args)
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        # Not `stateless_call`, which skips what Keras does around `call`: casts, masks, the mode.
        mapping = zip(variables, [*state[0], *state[1]], strict=True)
        with sys.modules["keras"].StatelessScope(state_mapping=list(mapping)) as scope:
            before = {id(v): scope.get_current_value(v) for v in variables}
            outputs = model(*args, **not_training(kwargs))
            self.draws = self.draws or any(
                scope.get_current_value(v) is not before[id(v)] for v in self._seeds()
            )
            return outputs

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Runs the model with the `call` of the layers replaced, also inside `jax.checkpoint`."""

        def call(visits: Visits) -> Any:
            with tapped(visits, self.plain_methods()):
                return self.run(state, args, kwargs)

        return run_marked(call, taps)

    def _seeds(self) -> list[Any]:
        """The states of the generators that layers draw with."""
        layers = [self._function, *all_layers(self._function)]
        held = (value for layer in layers for value in vars(layer).values())
        return [value.state for value in held if is_generator(value)]
