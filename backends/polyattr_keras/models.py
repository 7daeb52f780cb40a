"""Keras models seen through their attributes: the same for Keras 3 on any backend and tf_keras.

Nothing here imports Keras. Backends whose framework can run Keras use it to name layers and to
read a layer's output while the model runs.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from polyattr.backend import BoundModel, Layer, Tap, Visits
from polyattr.errors import InputError, InputTypeError, LayerNotFoundError, nearest

# Replacing a layer's `call` is seen by every thread that runs the model.
_capturing = threading.Lock()


def keras_backend(candidate: object) -> str | None:
    """Names the framework a Keras 3 model or layer runs on; None if `candidate` is neither."""
    keras = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "config"):
        return None
    return str(keras.config.backend()) if isinstance(candidate, keras.layers.Layer) else None


def keras_entry(model: Any) -> Callable[..., Any] | None:
    """Returns what takes several inputs one by one: a subclass's own `call`, None for graphs."""
    return None if _is_graph(model) else input_entry(inspect.signature(model.call))


def input_entry(signature: inspect.Signature) -> Callable[..., Any]:
    """Returns a stand-in for a Keras `call` that takes inputs only: no mode, a mask by name."""
    kinds = inspect.Parameter
    kept = [
        kinds(p.name, kinds.KEYWORD_ONLY, default=None) if p.name == "mask" else p
        for p in signature.parameters.values()
        if p.name != "training" and p.kind is not kinds.VAR_KEYWORD
    ]

    def entry(*args: Any, **kwargs: Any) -> None:
        """Stands for `call` without its reserved arguments."""

    entry.__signature__ = inspect.Signature(sorted(kept, key=lambda p: p.kind))  # type: ignore[attr-defined]  # `inspect` honours it
    return entry


def not_training(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Adds ``training=False`` to the keyword arguments of a call.

    Raises:
        InputError: They say something about the mode themselves.
    """
    if "training" in kwargs:
        raise InputError(
            f"forward_kwargs has training={kwargs['training']!r}, but the model is always "
            f"explained in inference mode; leave it out"
        )
    return {**kwargs, "training": False}


def keras_dtype(model: Any) -> str | None:
    """Names the dtype a model takes: that of its symbolic inputs, else of its variables.

    The model's own policy says little: it stays float32 around layers that compute in float64.
    """
    known = [*(getattr(model, "inputs", None) or []), *model.variables]
    names = [str(getattr(entry.dtype, "name", entry.dtype)) for entry in known]
    return next((name for name in names if "float" in name), None)


def _is_graph(model: Any) -> bool:
    return any(kind.__name__ in {"Functional", "Sequential"} for kind in type(model).__mro__)


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
    names = [layer.name for layer in every]
    shown = selector if isinstance(selector, str) else getattr(selector, "name", selector)
    raise LayerNotFoundError(
        f"{argument} {_shown(selector)} is not a layer of this model.{nearest(shown, names)} "
        f"Its layers: {', '.join(names)}"
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


@contextmanager
def tapped(
    taps: Sequence[Tap], plain: Sequence[tuple[Any, str, Callable[..., Any]]] = ()
) -> Iterator[Visits]:
    """Taps layers while the block runs; they are as before afterwards.

    Args:
        taps: Where.
        plain: Further methods to replace: (layer, name of the method, replacement).
    """
    visits = Visits(taps)
    with _capturing, ExitStack() as stack:
        for layer, name, function in plain:
            stack.enter_context(_attribute(layer, name, function))
        for number, tap in enumerate(taps):
            stack.enter_context(_replaced(tap.layer.place, visits, number))
        yield visits


@contextmanager
def _replaced(layer: Any, visits: Visits, number: int) -> Iterator[None]:
    original = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        return visits.call(number, original, args, kwargs)

    call.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]  # `inspect` honours it
    with _attribute(layer, "call", call):
        yield


@contextmanager
def _attribute(layer: Any, name: str, value: Any) -> Iterator[None]:
    """Sets an attribute of the object itself, past what Keras does on setting one."""
    has, own = name in layer.__dict__, layer.__dict__.get(name)
    layer.__dict__[name] = value
    try:
        yield
    finally:
        del layer.__dict__[name]
        if has:
            layer.__dict__[name] = own


class KerasLayers(BoundModel):
    """The layers of a bound Keras model, whatever framework it runs on."""

    kind = "Keras model"

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a layer, also inside nested models."""
        return find_layer(self._function, selector, argument)

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Runs the model with the `call` of the layers replaced."""
        with tapped(taps, self.plain_methods()) as visits:
            outputs = self.run(state, args, kwargs)
        return outputs, visits.seen

    def plain_methods(self) -> Sequence[tuple[Any, str, Callable[..., Any]]]:
        """Methods of layers to replace in a tapped run: (layer, name, replacement)."""
        return ()
