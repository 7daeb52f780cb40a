"""Taking gradients, in the way that the operations of the model allow; reading without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch.utils._pytree import tree_leaves, tree_map_only

from polyattr.backend import ModelOutputError, Score, SharedSetting
from polyattr_torch.running.accumulation import accumulated
from polyattr_torch.running.transforms import is_transformed, pulled_back

Rows = list[torch.Tensor]
Result = TypeVar("Result")
Found = tuple[torch.Tensor, list[torch.Tensor | None]]
Scores = Callable[[Rows], Sequence[torch.Tensor]]

# The public property refuses where a user has frozen the flags, the public context sets them all.
_cudnn_off = SharedSetting(torch._C._get_cudnn_enabled, torch._C._set_cudnn_enabled, False)


# How a gradient has to be taken, by what torch says where it is taken otherwise.
WITH_ARGUMENTS = "not require grad"
"""Also the arguments beside the inputs are recorded: the model differentiates by them."""
WITHOUT_CUDNN = "RNN backward can only be called in training mode"
WITHOUT_INPUTS = "incompatible with .grad() or passing an `inputs` parameter"
"""Accumulated on leaves, as in a training step."""
_WAYS = (WITH_ARGUMENTS, WITHOUT_CUDNN, WITHOUT_INPUTS)


@dataclass
class Needs:
    """What is known of a model's needs.

    Attributes:
        ways: How its gradients have to be taken.
        recorded: It asks whether gradients are on, as by taking one itself: they are, also where
            values are read.
        compared: Whether the last call's values were read with gradients on and off.
    """

    ways: set[str] = field(default_factory=set)
    recorded: bool = False
    compared: bool = False


class Differentiation(AbstractContextManager[None]):
    """A model's call and the gradient of it, with recording on.

    Attributes:
        ends: Called when the gradient has been taken.
        runs: Runs with layers tapped so far.
        inside: How many of them go on now.
    """

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []
        self.runs = self.inside = 0

    def __enter__(self) -> None:
        self._token = _running.set(self)

    def __exit__(self, *error: object) -> None:
        _running.reset(self._token)
        for end in self.ends:
            end()

    @contextmanager
    def run(self) -> Iterator[None]:
        """Surrounds a run with layers tapped."""
        self.runs += 1
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


_needs: ContextVar[Needs | None] = ContextVar("needs", default=None)
_running: ContextVar[Differentiation | None] = ContextVar("running", default=None)
_nothing = nullcontext()
_comparing: ContextVar[bool] = ContextVar("comparing", default=False)


def learning(needs: Needs) -> AbstractContextManager[None]:
    """Adds to the `needs` of a model what turns out while the block runs."""
    return _Set(_needs, needs)


def with_arguments() -> bool:
    """Says whether all arguments of the model have to be recorded now."""
    return WITH_ARGUMENTS in _known().ways and torch.is_grad_enabled()


def running() -> Differentiation | None:
    """Returns the differentiation that goes on in this thread; None where a value is read."""
    return _running.get()


class _Set(AbstractContextManager[None]):
    """Sets a variable of the thread while the block runs."""

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self._variable, self._value = variable, value

    def __enter__(self) -> None:
        self._token = self._variable.set(self._value)

    def __exit__(self, *error: object) -> None:
        self._variable.reset(self._token)


def outline(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Evaluates a function; what `value` reads within is read with gradients on and off."""
    _known().compared = True
    with _Set(_comparing, True):
        return function(*args)


def connected(score: Score, rows: Rows) -> list[bool]:
    """Says which rows the score has a gradient of."""
    scores, found = gradients(score, rows)
    needs = _known()
    if not (needs.compared or needs.recorded):
        needs.recorded = not _alike(_unrecorded(score, rows), scores)
    needs.compared = False
    return [gradient is not None for gradient in found]


def value(function: Callable[[Rows], Any], rows: Rows) -> Any:
    """Evaluates a function of rows as its gradient is taken, without keeping what that needs.

    Where the model gives something else without gradients, or nothing since it differentiates
    itself, they are on.
    """
    needs = _known()
    with _entered(needs):
        found = None if needs.recorded else _unrecorded(function, rows)
        if found is not None and not _comparing.get():
            return found
        recorded = _in_some_way(lambda _: _recorded(function, rows))
    needs.recorded = found is None or not _alike(found, recorded)
    return recorded


def _unrecorded(function: Callable[[Rows], Any], rows: Rows) -> Any:
    """Evaluates without gradients; None where the model wants them."""
    try:
        with torch.no_grad():
            return function(rows)
    except Exception as error:  # a model may check by itself whether a gradient is asked for
        if isinstance(error, AssertionError) or "grad" in str(error):
            return None
        raise


def _recorded(function: Callable[[Rows], Any], rows: Rows) -> Any:
    with torch.enable_grad():
        found = function([leaf.clone() for leaf in _leaves(rows)])
    return tree_map_only(torch.Tensor, torch.Tensor.detach, found)


def _alike(found: Any, other: Any) -> bool:
    """Says whether tensors are equal but for the rounding of other kernels."""
    leaves = tree_leaves(found), tree_leaves(other)
    return len(leaves[0]) == len(leaves[1]) and all(
        _close(a, b) for a, b in zip(*leaves, strict=True) if isinstance(a, torch.Tensor)
    )


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.is_meta or a.shape != b.shape or not a.is_floating_point():
        return a.is_meta or torch.equal(a, b)
    most = 64 * torch.finfo(a.dtype).eps
    largest = b.nan_to_num().abs().amax() if b.numel() else b.new_zeros(())
    return torch.allclose(a, b, rtol=most, atol=most * float(largest), equal_nan=True)


def gradients(score: Score, rows: Rows) -> Found:
    """Differentiates on the inputs alone: parameters keep their .grad."""
    return _in_some_way(lambda ways: _gradients(lambda leaves: [score(leaves)], rows, 1, ways))[0]


def gradients_each(scores: Scores, rows: Rows, count: int) -> list[Found]:
    """Differentiates several scores of one evaluation, one after the other."""
    return _in_some_way(lambda ways: _gradients(scores, rows, count, ways))


def differentiable_gradients(score: Score, rows: Rows) -> Found:
    """Differentiates with a graph of the gradient itself.

    Raises:
        ModelOutputError: A checkpoint in the model has none.
    """
    return _in_some_way(lambda ways: _differentiable(score, rows, ways))


def _in_some_way(differentiate: Callable[[set[str]], Result]) -> Result:
    """Tries again in another way where an operation asks for it, and remembers that."""
    needs = _known()
    ways = needs.ways
    while True:
        try:
            with _entered(needs):
                return differentiate(ways)
        except RuntimeError as error:
            wanted = next((way for way in _WAYS if way in str(error)), None)
            if wanted is None or wanted in ways:
                _check_graph(error)
                raise
        # Outside the handler, whose traceback would keep the tile's tensors alive.
        ways.add(wanted)


def _check_graph(error: RuntimeError) -> None:
    """Says what to do about a graph that somebody else has used up."""
    if "backward through the graph a second time" in str(error):
        raise ModelOutputError(
            "the gradient of the score needs a graph that is gone: the model takes a gradient of "
            "its own, or keeps a tensor of an earlier call; expected create_graph=True in its "
            "torch.autograd.grad, and detach() on what it keeps"
        ) from error


def _known() -> Needs:
    needs = _needs.get()
    return Needs() if needs is None else needs


def _entered(needs: Needs) -> AbstractContextManager[None]:
    return _cudnn_off.held() if WITHOUT_CUDNN in needs.ways else _nothing


def _leaves(rows: Rows) -> Rows:
    return [row.detach().requires_grad_() for row in rows]


def _gradients(scores: Scores, rows: Rows, count: int, ways: set[str]) -> list[Found]:
    if count > 1 and WITHOUT_INPUTS in ways:  # what accumulates on leaves is one score's
        parts = (lambda leaves, t=t: scores(leaves)[t : t + 1] for t in range(count))
        return [_gradients(part, rows, 1, ways)[0] for part in parts]
    with Differentiation(), torch.enable_grad():
        leaves = _leaves(rows)
        # A copy, since a model may begin with an in-place operation.
        every = enumerate(scores([leaf.clone() for leaf in leaves]), start=1)
        return [(one.detach(), _back(one, leaves, ways, keep=t < count)) for t, one in every]


def _back(scores: torch.Tensor, leaves: Rows, ways: set[str], keep: bool) -> list[Any]:
    """Goes back through a graph, which is kept for another score or used up."""
    if not scores.requires_grad:
        return [None] * len(leaves)
    total = scores.sum()
    if WITHOUT_INPUTS in ways:
        return accumulated(total, leaves)
    return list(torch.autograd.grad(total, leaves, allow_unused=True, retain_graph=keep))


def _differentiable(score: Score, rows: Rows, ways: set[str]) -> Found:
    if WITHOUT_INPUTS in ways:
        raise ModelOutputError(
            "the model has a checkpoint with use_reentrant=True, whose gradient cannot be "
            "differentiated once more; expected torch.utils.checkpoint(..., use_reentrant=False)"
        )
    with Differentiation(), torch.enable_grad():
        if any(map(is_transformed, rows)):
            return pulled_back(score, rows)
        leaves = [r if r.requires_grad else r.detach().requires_grad_() for r in rows]
        scores = score([leaf.clone() for leaf in leaves])
        if not scores.requires_grad:
            return scores, [None] * len(rows)
        total = scores.sum()
        found = torch.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    return scores, list(found)
