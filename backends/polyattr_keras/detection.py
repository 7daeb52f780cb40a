"""Whether an object is a Keras 3 model, and which framework it runs on; nothing imports Keras."""

from __future__ import annotations

import sys


def keras_backend(candidate: object) -> str | None:
    """Names the framework a Keras 3 model or layer runs on; None if `candidate` is neither."""
    keras = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "config"):
        return None
    return str(keras.config.backend()) if isinstance(candidate, keras.layers.Layer) else None
