"""Keras models, the same on every framework Keras runs on; shared by the backends."""
