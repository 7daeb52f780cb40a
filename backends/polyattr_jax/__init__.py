"""The JAX backend of polyattr."""

from polyattr_jax.backend import JaxBackend

backend = JaxBackend()

__all__ = ["JaxBackend", "backend"]
