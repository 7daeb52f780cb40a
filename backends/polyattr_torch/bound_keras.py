"""Keras 3 models on torch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from polyattr_keras import (
    KerasLayers,
    all_layers,
    check_inputs,
    keras_dtype,
    keras_entry,
    not_training,
)
from polyattr_torch.running.evaluation import own, used
from polyattr_torch.running.needs import Needs


class BoundKeras(KerasLayers):
    """A Keras 3 model on torch; its mode is an argument, not a flag."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))
        self.dtype = keras_dtype(model)
        self._needs = Needs()
        floats = [v.value for v in model.variables]
        self.like = floats[0] if floats else None

    def inference(self) -> AbstractContextManager[None]:
        """Keeps other threads from the model: layers are tapped by replacing their methods."""
        return used([self._function, *all_layers(self._function)], self._needs)

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False``; a state it keeps is not written to.

        Written in place, it would not be what the gradient was recorded with.
        """
        check_inputs(self._function, args)
        stateful = any(getattr(layer, "stateful", False) for layer in all_layers(self._function))
        with sys.modules["keras"].StatelessScope() if stateful else nullcontext():
            return self._function(*own(args), **own(not_training(kwargs)))
