"""Finding a layer of a Keras model, also inside nested ones, as a user names it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polyattr.backend import InputTypeError, Layer, LayerNotFoundError, nearest
from polyattr_keras.logits import NAME, find_logits

_BY_HAND = (
    ". The logits are found where a model ends in one known softmax or sigmoid; else give its last "
    "layer activation=None, as in model.layers[-1].activation = None, and explain its outputs"
)


def find_layer(model: Any, selector: Any, argument: str) -> Layer:
    """Finds a layer, also inside nested models, by index, name or object.

    Raises:
        LayerNotFoundError: No such layer.
        InputTypeError: `selector` is none of the three.
    """
    top, every = list(getattr(model, "layers", [])), list(all_layers(model))
    if isinstance(selector, bool) or not (
        isinstance(selector, int | str) or hasattr(selector, "call")
    ):
        raise InputTypeError(
            f"{argument} is {selector!r}; expected an index, a layer's name or the layer itself"
        )
    if not every:
        raise LayerNotFoundError(
            f"{argument} is {_shown(selector)}, but a {type(model).__name__} has no layers inside; "
            f"leave {argument} out, or pass a model that is made of layers"
        )
    if isinstance(selector, int):
        if -len(top) <= selector < len(top):
            return _computing(top[selector], argument)
        raise LayerNotFoundError(
            f"{argument} is {selector}; the model has {len(top)} layers, expected "
            f"{-len(top)} to {len(top) - 1}"
        )
    for layer in every:
        if layer is selector or (isinstance(selector, str) and layer.name == selector):
            return _computing(layer, argument)
    logits = find_logits(model) if selector == NAME and argument == "output_layer" else None
    if logits is not None:
        return Layer(NAME, logits)
    names = [layer.name for layer in every]
    shown = selector if isinstance(selector, str) else getattr(selector, "name", selector)
    recipe = _BY_HAND if selector == NAME and argument == "output_layer" else ""
    raise LayerNotFoundError(
        f"{argument} {_shown(selector)} is not a layer of this model.{nearest(shown, names)} "
        f"Its layers: {', '.join(names)}{recipe}"
    )


def _computing(layer: Any, argument: str) -> Layer:
    """Returns a layer as found; the places where inputs enter are never called."""
    if type(layer).__name__ == "InputLayer":
        instead = "to attribute to the inputs" if argument == "input_layer" else "or name another"
        raise LayerNotFoundError(
            f"{argument} {layer.name!r} is an InputLayer, which only stands for an input; leave "
            f"{argument} out {instead}"
        )
    return Layer(layer.name, layer)


def _shown(selector: Any) -> str:
    return repr(
        selector if isinstance(selector, int | str) else getattr(selector, "name", selector)
    )


def all_layers(model: Any) -> Iterator[Any]:
    """Yields the layers inside a model or layer, also those inside nested ones."""
    yield from model._flatten_layers(include_self=False, recursive=True)
