"""polyattr inside other tools: Quantus, TensorBoard, the training loops of Keras and Lightning."""

from polyattr.integrations.callbacks import keras_callback, lightning_callback
from polyattr.integrations.map_logger import MapLogger

__all__ = ["MapLogger", "keras_callback", "lightning_callback"]
