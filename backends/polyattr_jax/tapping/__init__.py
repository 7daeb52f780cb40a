"""Reading or replacing what layers take and return, while a model is traced."""

from polyattr_jax.tapping.interception import interceptor
from polyattr_jax.tapping.marks import run_marked

__all__ = ["interceptor", "run_marked"]
