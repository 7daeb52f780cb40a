"""Keras models seen through their attributes: the same for Keras 3 on any framework and tf_keras.

Nothing here imports Keras. Backends whose framework can run Keras use it to tell a model, to call
it, and to name and tap its layers.
"""

from polyattr_keras.bound_keras import KerasLayers
from polyattr_keras.conventions import (
    check_inputs,
    input_entry,
    keras_dtype,
    keras_entry,
    not_training,
)
from polyattr_keras.detection import keras_backend
from polyattr_keras.keeping import (
    LIBRARIES,
    is_built_layer,
    is_generator,
    is_variable,
    keras_keepers,
)
from polyattr_keras.layer_finding import all_layers
from polyattr_keras.tapping import Methods, replaced, tapped

__all__ = [
    "LIBRARIES",
    "KerasLayers",
    "Methods",
    "all_layers",
    "check_inputs",
    "input_entry",
    "is_built_layer",
    "is_generator",
    "is_variable",
    "keras_backend",
    "keras_dtype",
    "keras_entry",
    "keras_keepers",
    "not_training",
    "replaced",
    "tapped",
]
