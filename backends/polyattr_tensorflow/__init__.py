"""The TensorFlow backend of polyattr."""

from polyattr_tensorflow.backend import TensorFlowBackend

backend = TensorFlowBackend()

__all__ = ["TensorFlowBackend", "backend"]
