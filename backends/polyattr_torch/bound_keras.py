"""Keras 3 models on torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polyattr_keras import KerasLayers, keras_dtype, keras_entry, not_training
from polyattr_torch.evaluation import own


class BoundKeras(KerasLayers):
    """A Keras 3 model on torch; its mode is an argument, not a flag."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))
        self.dtype = keras_dtype(model)
        floats = [v.value for v in model.variables]
        self.like = floats[0] if floats else None

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False``."""
        return self._function(*own(args), **own(not_training(kwargs)))
