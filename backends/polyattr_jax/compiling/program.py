"""A compiled program, and those that all explainers of a process share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from polyattr_jax.compiling.programs import same_program

_MOST_SHARED = 64

Leaves = Sequence[Sequence[Any]]
"""The arrays of each argument."""


class AnotherTrace(Exception):  # noqa: N818  # ends a trace; nobody sees it
    """A program is asked for arguments, or under settings, that it was not traced for."""


class Program:
    """A traced program, compiled once, for arguments of one kind under the settings of that time.

    It holds no arrays: its constants are an argument.

    Args:
        outline: The traced program.
        donate: Number of an argument whose memory may be reused.
    """

    def __init__(self, outline: Any, donate: int | None) -> None:
        self._outline, self._donate = outline, donate
        self._open = opened = [False]

        # Not a method, which would keep the program alive in a circle.
        def evaluate(constants: Sequence[Any], *leaves: Sequence[Any]) -> Any:
            flat = [leaf for part in leaves for leaf in part]
            if not opened[0] and any(isinstance(leaf, jax.core.Tracer) for leaf in flat):
                raise AnotherTrace
            return jaxpr_as_fun(ClosedJaxpr(outline, constants))(*flat)

        donated = () if donate is None else donate + 1
        self._run: Any = jax.jit(evaluate, donate_argnums=donated)

    def is_for(self, outline: Any, donate: int | None) -> bool:
        """Says whether this is another program that was traced."""
        return donate == self._donate and same_program(outline, self._outline)

    def start(self, constants: Sequence[Any], leaves: Leaves) -> list[Any]:
        """Compiles and runs: once, before any other thread knows of the program."""
        self._open[0] = True
        try:
            return self.run(constants, leaves)
        finally:
            self._open[0] = False

    def run(self, constants: Sequence[Any], leaves: Leaves) -> list[Any]:
        """Runs.

        Raises:
            AnotherTrace: It was not compiled for these.
        """
        found: list[Any] = self._run(constants, *leaves)
        return found


class Shared:
    """The programs used last that hold nothing of the user's, by any explainer.

    Explainers made anew, of one model or of equal ones, compile nothing. Compiling leaves memory
    of the process in pieces, which a service that makes an explainer for each request would feel.
    """

    def __init__(self) -> None:
        self._programs: tuple[Program, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return Shared, ()

    def alike(self, outline: Any, donate: int | None) -> list[Program]:
        """Returns the programs that compute what was traced."""
        return [program for program in self._programs if program.is_for(outline, donate)]

    def used(self, program: Program) -> None:
        """Keeps a program, as the one used last; what another thread adds meanwhile may be lost."""
        others = [p for p in self._programs if p is not program]
        self._programs = (program, *others[: _MOST_SHARED - 1])
