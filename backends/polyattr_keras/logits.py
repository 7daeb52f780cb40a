"""The logits of a Keras model that ends in a softmax or sigmoid, in a layer of its own or fused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NAME = "logits"
"""What `output_layer` says for them, where no layer has that name."""

_SQUASHING = frozenset(
    {
        *("softmax", "log_softmax", "sigmoid", "log_sigmoid", "linear"),
        *("softmax_v2", "log_softmax_v2"),  # `tf.nn.softmax` and the like, by the names they have
    }
)
_LAYERS = frozenset({"Softmax", "Activation"})


@dataclass(frozen=True)
class BeforeActivation:
    """The place in front of the activation a model ends in.

    Attributes:
        layer: The last layer that computes something.
        fused: Whether the activation is an attribute of it; else the layer is the activation.
    """

    layer: Any
    fused: bool

    @property
    def method(self) -> str:
        """What of the layer takes them."""
        return "activation" if self.fused else "call"


def find_logits(model: Any) -> BeforeActivation | None:
    """Finds the scores that the activation at the end of a model takes, or None."""
    layer = _last(model)
    if layer is None:
        return None
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", None)
    if type(layer).__name__ == "Softmax":
        return BeforeActivation(layer, fused=False)
    if callable(activation) and name not in _SQUASHING:
        return None
    if type(layer).__name__ in _LAYERS:
        return BeforeActivation(layer, fused=False)
    return BeforeActivation(layer, fused=True) if callable(activation) else None


def squashes(model: Any) -> bool:
    """Says whether what a model returns is known to be probabilities, of logits that are found."""
    found = find_logits(model)
    if found is None:
        return False
    name = getattr(getattr(found.layer, "activation", None), "__name__", None)
    return type(found.layer).__name__ == "Softmax" or name != "linear"


def _last(model: Any) -> Any:
    """Returns the layer a model ends in, inside nested models and wrappers; None if unknown."""
    layers = getattr(model, "layers", None)
    if layers:
        ending = _ending(model, layers)
        return None if ending is None else _last(ending)
    inner = getattr(model, "layer", None)
    return model if inner is None or not hasattr(inner, "call") else _last(inner)


def _ending(model: Any, layers: list[Any]) -> Any:
    kinds = {kind.__name__ for kind in type(model).__mro__}
    if "Sequential" in kinds:
        return layers[-1]
    outputs = getattr(model, "outputs", None) if "Functional" in kinds else None
    if not outputs or len(outputs) > 1:
        return None
    history = getattr(outputs[0], "_keras_history", None)
    # Keras 3 and its predecessor.
    made_by = getattr(history, "operation", getattr(history, "layer", None))
    return made_by if hasattr(made_by, "call") and hasattr(made_by, "weights") else None
