"""A callback of Lightning that hands the module on at the end of each training epoch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any


def callback(logger: Any, libraries: Sequence[str]) -> Any:
    """Makes the callback.

    Args:
        logger: Its ``log(model, step, writer)`` is called.
        libraries: Those that have the base class; one that is imported comes first.

    Raises:
        ImportError: None is installed.
    """
    imported = [name for name in libraries if name in sys.modules]
    base: Any = import_module((imported or list(libraries)[-1:])[0]).Callback

    class MapsCallback(base):  # type: ignore[misc]  # of a library found when it is called
        """Logs maps when a training epoch ends."""

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            """Hands the module on, in the one process that logs."""
            if trainer.is_global_zero:
                own = getattr(getattr(trainer, "logger", None), "experiment", None)
                usable = logger.writer is None and hasattr(own, "add_image")
                logger.log(pl_module, trainer.current_epoch, own if usable else None)

    return MapsCallback()
