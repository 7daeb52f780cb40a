"""The weights of Keras models, layer by layer, and others in their place for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from polyattr_keras.keeping import is_variable, keep_variable
from polyattr_keras.layer_finding import all_layers

# Of Keras 3 and of tf_keras: what a layer has itself to be trained, whether it is frozen or not.
_OWN = ("_trainable_variables", "_trainable_weights")


def layer_variables(model: Any) -> dict[str, list[Any]]:
    """Returns the variables each layer has itself to be trained, by its name.

    A name that layers share, as those of nested models may, is followed by a number.
    """
    found: dict[str, list[Any]] = {}
    seen: set[int] = set()
    for layer in [*all_layers(model), model]:
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        held = next((vars(layer)[name] for name in _OWN if name in vars(layer)), ())
        own = [v for v in held if "float" in str(getattr(v, "dtype", ""))]
        if own:
            name, number = layer.name, 2
            while name in found:
                name, number = f"{layer.name} ({number})", number + 1
            found[name] = own
    return found


def value_of(variable: Any) -> Any:
    """Returns the tensor a variable of Keras 3 holds; one of tf_keras is a tensor itself."""
    return variable.value if is_variable(variable) else variable


@contextmanager
def with_variables(model: Any, given: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    """Gives layers other weights while the block runs, and yields the model.

    Args:
        model: The model.
        given: Tensors by the names of `layer_variables`.
    """
    known = layer_variables(model)
    pairs = [pair for name, new in given.items() for pair in zip(known[name], new, strict=True)]
    before = [_kept(variable) for variable, _ in pairs]
    try:
        for variable, value in pairs:
            variable.assign(value)
        yield model
    finally:
        for put_back in reversed(before):
            put_back()


def _kept(variable: Any) -> Any:
    """Returns what puts a variable back."""
    if is_variable(variable):
        return keep_variable(variable, lambda: True).put_back
    saved = variable.numpy().copy()
    return lambda: variable.assign(saved)
