"""The verbs a backend may leave out: each has a default that is right, and may be slow."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any, ClassVar, Protocol, runtime_checkable

from polyattr.backend.keeping import FrameworkObjects
from polyattr.backend.tensor import NativeTensor, Tensor
from polyattr.errors import InputError


@runtime_checkable
class Renewable(Protocol):
    """What `compile` may return: a kernel that can be traced again without being compiled."""

    def renew(self) -> None:
        """Traces again before the next run; compiles only if the program is another one."""

    def __call__(self, *args: Any) -> Any:
        """Runs."""


class _Verbs(Protocol):
    """What a default is made of."""

    def cast(self, tensor: NativeTensor, dtype: str) -> Tensor: ...

    def grad(
        self, score: Callable[..., Any], rows: list[NativeTensor]
    ) -> tuple[Tensor, Sequence[Tensor | None]]: ...

    def reshape(self, tensor: NativeTensor, shape: tuple[int, ...]) -> Tensor: ...


class OptionalVerbs:
    """What a framework may do natively: compiling, random numbers, devices, global state.

    Attributes:
        objects: Knows which of the framework's objects can change in a call.
        tile_elements: How many numbers the rows of one gradient call should hold on a CPU, inputs
            alone: fewer leave time on calls, more fall out of the cache.
    """

    name: ClassVar[str]
    objects: ClassVar[FrameworkObjects] = FrameworkObjects()
    tile_elements: ClassVar[int] = 50_000

    def compile(
        self, function: Callable[..., Any], donate: int | None = None
    ) -> Callable[..., Any]:
        """Compiles a `function` for fixed shapes; `donate` numbers an argument it may overwrite.

        The function is pure. Its arguments, and what it returns, are tensors in nested tuples
        (also named ones), lists and dicts, of which any may be empty; `state` comes among them as
        `BoundModel.state` returned it. What is returned is called many times with the same
        shapes, sometimes with others, and must use the values it is given each time: those of
        its arguments are never kept. What the function refers to may be kept, such as arrays the
        user's model closes over: core follows what `BoundModel.watched` names, and compiles anew
        when any of it is another one, or has what is `Renewable` trace again.
        """
        return function

    def fuse(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Makes one of the few operations that a `function` consists of, if that saves time.

        For what surrounds the tiles. A framework whose single operations are cheap has nothing to
        gain, and the default is the function itself; `compile` says what the result must do.
        """
        return function

    def add_product(self, total: NativeTensor, a: NativeTensor, b: NativeTensor) -> Tensor:
        """Returns `total` (R, ...) plus `a` times `b`, which broadcast; may update it in place."""
        added: Tensor = total + a * b
        return added

    def ranks(self: _Verbs, rows: Sequence[NativeTensor]) -> Sequence[Tensor]:
        """Counts the smaller entries of its row, over all `rows` (R, ...), for each entry: int32.

        The tensors have one dtype. Equal entries have equal ranks; a row with NaN may have any. No
        gradient flows through.
        """
        flat = [self.reshape(row, (int(row.shape[0]), -1)) for row in rows]
        pivots = [one[:, k : k + 1] for one in flat for k in range(one.shape[1])]
        larger = [[self.cast(one > pivot, "int32") for pivot in pivots] for one in flat]
        counts = [reduce(operator.add, each) for each in larger]
        return [
            self.reshape(count, tuple(row.shape)) for count, row in zip(counts, rows, strict=True)
        ]

    def grad_each(
        self: _Verbs,
        scores: Callable[[list[NativeTensor]], Sequence[NativeTensor]],
        rows: list[NativeTensor],
        count: int,
    ) -> tuple[Sequence[Tensor], Sequence[Sequence[Tensor | None]]]:
        """Differentiates several scores of the same rows, each as `grad` does.

        Args:
            scores: Maps `rows` to a list of `count` scores (R,).
            rows: One tensor (R, ...) per input.
            count: How many scores there are, T.

        Returns:
            T scores (R,), and for each of them one gradient (R, ...) per input, as of `grad`. By
            default the scores are evaluated again for each gradient.
        """
        each = [self.grad(lambda leaves, t=t: scores(leaves)[t], rows) for t in range(count)]
        return [found[0] for found in each], [found[1] for found in each]

    def settle(self, tensors: Sequence[NativeTensor]) -> None:
        """Evaluates what is still queued for `tensors` (...), where the framework is lazy.

        Core calls it after every tile on what the tile was added to, outside `grad` and compiled
        functions. The queue would otherwise grow with the number of steps.
        """

    def noise(self, seed: int, draws: Sequence[int], leaf: int, like: NativeTensor) -> Tensor:
        """Draws standard normal noise (K, *like.shape[1:]) on the device of `like`, K `draws`.

        Each draw depends on (`seed`, `leaf`, draw) alone, never on which are asked for together.

        Raises:
            InputError: The framework has no random numbers.
        """
        raise InputError(
            f"the {self.name} backend has no random numbers of its own; use noise_source='portable'"
        )

    def reshape(self, tensor: NativeTensor, shape: tuple[int, ...]) -> Tensor:
        """Returns the numbers of a `tensor` (...) in their order, as another `shape`.

        One size of it may be -1. Differentiable.
        """
        reshaped: Tensor = tensor.reshape(shape)
        return reshaped

    def value(self, function: Callable[[list[NativeTensor]], Any], rows: list[NativeTensor]) -> Any:
        """Evaluates a `function` of `rows`, tensors (R, ...), as `grad` does, free of recording.

        What is read must be what is differentiated: a framework that chooses other code where no
        gradient is asked for has to be kept from it.
        """
        return function(rows)

    def outline(self, function: Callable[..., Any], *args: Any) -> Any:
        """Returns what `function` returns for `args`, or stand-ins that have its shapes."""
        return function(*args)

    def session(self, like: NativeTensor | None = None) -> AbstractContextManager[None]:
        """Surrounds a call on the device of `like`; restores global state on exit."""
        return nullcontext()

    def refusal(self, value: object) -> str | None:
        """Says of a `value` of the framework's what it is and what to pass instead; else None.

        For tensors, and what holds some, that no row per sample can be taken of: sparse ones,
        nested or packed ones. Said after "inputs is".
        """
        return None

    def recorded(self, tensor: NativeTensor) -> bool:
        """Says whether the caller differentiates through a `tensor` of any shape, and `own` cuts.

        Not where attributions are differentiated as they are, or where that is refused.
        """
        return False

    def is_out_of_memory(self, error: Exception) -> bool:
        """Says whether an `error` means that a tile was too large for the device's memory."""
        return isinstance(error, MemoryError)

    def readable(self, tensor: NativeTensor) -> bool:
        """Says whether a `tensor` of any shape has values now, rather than stand for a trace's."""
        return True

    def untransformed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Marks a `function` that the framework must not rewrite from its source, if any does."""
        return function

    def device(self, tensor: NativeTensor) -> object:
        """Names the place of a `tensor` of any shape, hashable; None keeps nothing on devices."""
        return None

    def accelerated(self, tensor: NativeTensor) -> bool:
        """Says whether a `tensor` of any shape lives on an accelerator."""
        return False

    def devices(self) -> list[str]:
        """Names the devices the framework sees."""
        return ["cpu"]
