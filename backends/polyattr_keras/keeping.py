"""What of a Keras model a call can change, on any framework: variables and attributes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from polyattr.backend import Keeper

LIBRARIES = frozenset({"keras", "tf_keras"})


def is_built_layer(value: object) -> bool:
    """A layer or model with all its variables, of Keras 3 or tf_keras."""
    kinds = [
        layers.Layer
        for name in LIBRARIES
        if (layers := getattr(sys.modules.get(name), "layers", None)) is not None
    ]
    return isinstance(value, tuple(kinds)) and bool(getattr(value, "built", False))


def is_variable(value: object) -> bool:
    """A variable of Keras 3."""
    kind = getattr(sys.modules.get("keras"), "Variable", None)
    return kind is not None and isinstance(value, kind)


def is_generator(value: object) -> bool:
    """A generator of seeds, which layers such as dropout draw with."""
    random = getattr(sys.modules.get("keras"), "random", None)
    return random is not None and isinstance(value, random.SeedGenerator)


def keep_variable(variable: Any, writable: Callable[[], bool], chance: bool = False) -> Keeper:
    """Keeps a variable by its value, which is written to where that is no part of a trace."""
    saved = _content(variable).copy()

    def changed() -> bool:
        return writable() and _content(variable).tobytes() != saved.tobytes()

    return Keeper(changed, lambda: variable.assign(saved), chance=chance)


def _content(variable: Any) -> Any:
    """Returns a variable as a NumPy array, which may be its memory."""
    keras = sys.modules["keras"]
    if keras.config.backend() == "torch":
        return keras.ops.convert_to_numpy(variable)
    # Keras asks TensorFlow for a copy in a way NumPy warns of.
    return variable.value.__array__()


def keras_keepers(value: Any, writable: Callable[[], bool]) -> list[Keeper] | None:
    """Keeps what Keras has that changes; None for anything else.

    Args:
        value: Anything a model holds.
        writable: Whether variables may be read and written now.
    """
    if is_generator(value):
        return [keep_variable(value.state, writable, chance=True)]
    if not is_variable(value):
        return None
    return [keep_variable(value, writable, chance="seed_generator" in value.path)]
