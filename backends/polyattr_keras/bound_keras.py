"""What a Keras model is on every framework; each backend adds how it is run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from polyattr.backend import BoundModel, Layer, Tap, Visits
from polyattr_keras.layer_finding import all_layers, find_layer
from polyattr_keras.tapping import Methods, tapped


class KerasLayers(BoundModel):
    """The layers of a bound Keras model, whatever framework it runs on."""

    kind = "Keras model"

    def fingerprint(self) -> tuple[object, ...]:
        """Nothing: variables are read by reference, or are the state."""
        return ()

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a layer, also inside nested models."""
        return find_layer(self._function, selector, argument)

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Runs the model with the `call` of the layers replaced."""
        visits = Visits(taps)
        with tapped(visits, self.plain_methods()):
            outputs = self.run(state, args, kwargs)
        return outputs, visits.seen

    def plain_methods(self) -> Methods:
        """Methods of layers to replace in a tapped run.

        One of them makes a layer forget its activations and compute them again, within a
        derivative of its own (``keras.RematScope``): this saves memory, and hides what is inside.
        """
        layers = (self._function, *all_layers(self._function))
        name = "rematerialized_call"
        return [(layer, name, _as_it_is) for layer in layers if hasattr(layer, name)]


def _as_it_is(call: Callable[..., Any], *_args: Any, **_kwargs: Any) -> Callable[..., Any]:
    return call
