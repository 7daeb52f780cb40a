"""Callbacks of training loops that log maps; their classes are those of the loops' libraries.

Both are made by the plugins that know these libraries, which are looked up when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from polyattr.errors import InputTypeError, MissingFrameworkError, brief
from polyattr.integrations.map_logger import MapLogger


def keras_callback(logger: MapLogger, *, library: str = "keras") -> Any:
    """Makes a callback of Keras, on any of its backends, that logs maps at the end of epochs.

    Args:
        logger: What is explained, how, and where pictures go; its steps are epochs, from 0.
        library: "keras", or "tf_keras" for models of Keras 2.

    Returns:
        A `keras.callbacks.Callback`, for ``model.fit(..., callbacks=[...])``.

    Raises:
        InputTypeError: `logger` is no `MapLogger`.
        MissingFrameworkError: The library is not installed.

    Example:
        ```python
        logger = MapLogger(polyattr.IntegratedGradients, x[:8], y[:8], writer=writer, every=5)
        model.fit(x, y, callbacks=[keras_callback(logger)])
        ```
    """
    return _made("polyattr_keras.callback", logger, (library,))


def lightning_callback(logger: MapLogger) -> Any:
    """Makes a callback of Lightning that logs maps at the end of training epochs.

    Args:
        logger: What is explained, how, and where pictures go; its steps are epochs, from 0. Without
            a `writer` they go to that of the trainer's own TensorBoardLogger.

    Returns:
        A `Callback` of pytorch_lightning, or of lightning where the process has imported that, for
        ``Trainer(callbacks=[...])``. One process of several logs.

    Raises:
        InputTypeError: `logger` is no `MapLogger`.
        MissingFrameworkError: Neither is installed.

    Example:
        ```python
        logger = MapLogger(polyattr.SmoothGrad, x[:8], y[:8], every=5)
        Trainer(max_epochs=50, callbacks=[lightning_callback(logger)]).fit(module, loader)
        ```
    """
    libraries = ("lightning.pytorch", "pytorch_lightning")
    return _made("polyattr_torch.running.callback", logger, libraries)


def _made(module: str, logger: Any, libraries: tuple[str, ...]) -> Any:
    if not isinstance(logger, MapLogger):
        raise InputTypeError(
            f"logger is {brief(logger)}; expected polyattr.integrations.MapLogger(method, inputs, "
            f"targets, writer=...)"
        )
    try:
        return import_module(module).callback(logger, libraries)
    except ImportError as error:
        raise MissingFrameworkError(
            f"this callback is one of {' or '.join(libraries)}, which cannot be imported: {error}"
        ) from error
