"""Files that are loaded on JAX: those of Keras. JAX itself has no file of a model."""

from __future__ import annotations

from polyattr_model_files.keras_file import keras_file, keras_h5

FILES = (keras_file("jax"), keras_h5())
