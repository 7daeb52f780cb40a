"""A callback of Keras that hands the model on at the end of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any


def callback(logger: Any, libraries: Sequence[str]) -> Any:
    """Makes the callback.

    Args:
        logger: Its ``log(model, step)`` is called.
        libraries: The one that has the base class: "keras" or "tf_keras".

    Raises:
        ImportError: It is not installed.
    """
    base: Any = import_module(libraries[0]).callbacks.Callback

    class MapsCallback(base):  # type: ignore[misc]  # of a library found when it is called
        """Logs maps when an epoch ends: Keras on JAX has the weights in the model only then."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            """Hands the model on."""
            logger.log(self.model, epoch)

    return MapsCallback()
