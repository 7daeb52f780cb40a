"""Keras layers that keep float64, under the names of those that do not.

Keras 3 promotes float64 to float32 on every backend but TensorFlow (`keras.backend.result_type`,
in 3.15 whatever the dtype policy or `floatx` say), so these three layers round to float32 inside
although they take and return float64. Weights and formulas are Keras' own; the casts are left out.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class BatchNormalization(keras.layers.BatchNormalization):
    """Inference only."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return ops.batch_normalization(
            inputs,
            self.moving_mean,
            self.moving_variance,
            self.axis,
            offset=self.beta,
            scale=self.gamma,
            epsilon=self.epsilon,
        )


class GlobalAveragePooling2D(keras.layers.GlobalAveragePooling2D):
    """A sum, since `ops.mean` rounds."""

    def call(self, inputs: Any) -> Any:
        return ops.sum(inputs, axis=(1, 2)) / (inputs.shape[1] * inputs.shape[2])


class Dense(keras.layers.Dense):
    """The framework's own product, since `ops.matmul` rounds."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        kernel, bias = (ops.convert_to_tensor(part) for part in (self.kernel, self.bias))
        return inputs @ kernel + bias
