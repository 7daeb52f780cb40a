"""The TensorFlow backend through the door every backend goes through."""

import keras
import pytest
import tensorflow as tf

from polyattr.testing import BackendConformance
from polyattr_tensorflow import backend, kernel


class TestTensorFlow(BackendConformance):
    backend = backend

    def compiled(self, function):
        return tf.function(function)

    def settings(self):
        return {
            "eager": tf.executing_eagerly(),
            "functions run eagerly": tf.config.functions_run_eagerly(),
            "jit": tf.config.optimizer.get_jit(),
            "placement": tf.config.get_soft_device_placement(),
            "random": tf.random.get_global_generator().state.numpy().tolist(),
        }

    def layered(self):
        layers = [
            keras.layers.Dense(6, use_bias=False, name="first"),
            keras.layers.ReLU(),
            keras.layers.Dense(3, use_bias=False),
        ]
        model = keras.Sequential([keras.Input((4,)), *layers])
        return model, "first", lambda *weights: model.set_weights(weights)


class TestTensorFlowCompiled(TestTensorFlow):
    """By XLA from the first call, as on accelerators."""

    @pytest.fixture(autouse=True)
    def _xla(self, monkeypatch):
        monkeypatch.setattr(kernel, "_Race", lambda: None)
