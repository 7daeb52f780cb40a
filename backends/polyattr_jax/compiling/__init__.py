"""What is read off traced programs: whether a new one is needed, and what a score depends on."""

from polyattr_jax.compiling.dependence import depends_on
from polyattr_jax.compiling.kernel import Kernel
from polyattr_jax.compiling.on_host import on_host
from polyattr_jax.compiling.program import Shared

__all__ = ["Kernel", "Shared", "depends_on", "on_host"]
