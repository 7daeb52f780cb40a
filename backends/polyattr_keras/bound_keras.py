"""What a Keras model is on every framework; each backend adds how it is run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from polyattr.backend import BoundModel, Layer, Tap
from polyattr_keras.layer_finding import find_layer
from polyattr_keras.tapping import tapped


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
        with tapped(taps, self.plain_methods()) as visits:
            outputs = self.run(state, args, kwargs)
        return outputs, visits.seen

    def plain_methods(self) -> Sequence[tuple[Any, str, Callable[..., Any]]]:
        """Methods of layers to replace in a tapped run: (layer, name, replacement)."""
        return ()
