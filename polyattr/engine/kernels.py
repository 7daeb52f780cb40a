"""The compiled kernels an explainer owns, kept for as long as they answer the same question."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from polyattr.backend import GradBackend, Guard, Renewable
from polyattr.sampling.noise import Stock
from polyattr.scores.scorer import Scorer

# A callable target is part of the kernel; a fresh lambda in every call must not pile kernels up.
_MOST_KERNELS = 24


class Key:
    """A key that is hashed once, and compared in full only with another object.

    Args:
        parts: What must be equal.
    """

    __slots__ = ("_hash", "parts")

    def __init__(self, parts: tuple[object, ...]) -> None:
        self.parts, self._hash = parts, hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Key) and self.parts == other.parts)


class Kernels:
    """Kernels by key; once the model may have changed, each is looked at again before its use.

    A kernel may hold what its key holds and the model, never the tensors of the call that built it.

    Args:
        backend: Compiles.
        guard: Has every run of a kernel start from the same state.
        auto: Whether polyattr chooses how many rows a call has.

    Attributes:
        guard: The same; that of the model as it is bound now.
        doubt: Whether kernels may be out of date at any time, since something they may have read
            cannot be followed: what cannot be traced again without compiling is then not compiled.
        seconds: How long the first runs of all kernels took, in which they are compiled.
        made: How many kernels there were.
    """

    def __init__(self, backend: GradBackend, guard: Guard, *, auto: bool = False) -> None:
        self._backend, self.guard, self._auto = backend, guard, auto
        self._kernels: dict[object, _Kernel] = {}
        self.doubt = False
        self.seconds, self.made = 0.0, 0

    @property
    def compiling(self) -> bool:
        """Whether the framework freezes what it has traced."""
        return type(self._backend).compile is not GradBackend.compile

    @property
    def few(self) -> bool:
        """Whether shapes have to be few, since each is compiled; by number, they are balanced."""
        return self.compiling and self._auto

    def renew(self) -> None:
        """Trusts no kernel until it was traced again."""
        for kernel in self._kernels.values():
            kernel.old = True

    def get(
        self,
        key: object,
        function: Callable[..., Any],
        donate: int | None = None,
        few: bool = False,
    ) -> Callable[..., Any]:
        """Returns the kernel for `key`, which computes what `function` does.

        Functions with the same key must be equal in all but the objects they were made from:
        those of this call are the ones a new trace reads.

        Args:
            key: What must be equal, beside the model.
            function: What is compiled.
            donate: Number of an argument the kernel may overwrite.
            few: Whether it is a few operations on what is there, no gradient among them.
        """
        self.guard.begin()
        kernel = self._kernels.get(key)
        new = kernel is None
        if kernel is None:
            make_room(self._kernels, _MOST_KERNELS)
            kernel = self._kernels[key] = _Kernel(self._backend, donate, few)
        elif kernel.old:
            kernel.renew()
        kernel.current.function = function
        if self.doubt and not isinstance(kernel.compiled, Renewable):
            return self.guard.starting(function)
        run = self.guard.starting(kernel.compiled)
        return self._timed(run) if new else run

    def _timed(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Has the first run of a new kernel counted in `made` and `seconds`."""
        self.made += 1
        waiting = True

        def timed(*args: Any) -> Any:
            nonlocal waiting
            if not waiting:
                return run(*args)
            waiting, started = False, time.perf_counter()
            try:
                return run(*args)
            finally:
                self.seconds += time.perf_counter() - started

        return timed

    def clear(self) -> None:
        """Forgets all kernels: what they were traced with was not what the call began with."""
        self._kernels = {}


class _Current:
    """What is traced: the function of the last call, so that no earlier call's is kept."""

    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class _Kernel:
    def __init__(self, backend: GradBackend, donate: int | None, few: bool) -> None:
        self._backend, self._donate, self._few = backend, donate, few
        self.current = _Current()
        self.renew_by_compiling()

    def renew_by_compiling(self) -> None:
        backend, donate = self._backend, self._donate
        fuse = backend.fuse if self._few else partial(backend.compile, donate=donate)
        self.compiled = fuse(self.current)
        self.old = False

    def renew(self) -> None:
        """Traces again at the next run, and compiles if the program is another one."""
        if isinstance(self.compiled, Renewable):
            self.compiled.renew()
            self.old = False
        else:
            self.renew_by_compiling()


Remember = Callable[[object, Callable[[], Any]], Any]


@dataclass(frozen=True)
class Workshop:
    """What all blocks of a run work with, those of inner recipes too.

    Attributes:
        scorer: Model and operator.
        kernels: The compiled kernels.
        remember: Keeps plans from call to call.
        graph: Whether values stay differentiable.
        stock: Noise that was drawn already.
    """

    scorer: Scorer
    kernels: Kernels
    remember: Remember
    graph: bool
    stock: Stock

    def kernel(
        self, key: object, function: Callable[..., Any], donate: int | None = None
    ) -> Callable[..., Any]:
        """Returns a function, compiled unless its values have to stay differentiable."""
        if self.graph:
            return function
        return self.kernels.get(key, function, donate)

    def fused(self, key: object, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function of a few operations, as one where that costs the framework less."""
        return function if self.graph else self.kernels.get(key, function, few=True)


def make_room(table: dict[Any, Any], most: int) -> None:
    """Drops the oldest entries of a `table`, so that one more makes at most `most`."""
    while len(table) >= most:
        table.pop(next(iter(table)))
