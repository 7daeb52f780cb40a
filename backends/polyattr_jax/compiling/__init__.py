"""Compiled kernels, and when a program that was traced again needs no new one."""

from polyattr_jax.compiling.kernel import Kernel

__all__ = ["Kernel"]
