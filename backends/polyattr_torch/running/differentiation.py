"""Taking gradients, in the way that the operations of the model allow; reading without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch.utils._pytree import tree_leaves, tree_map_only

from polyattr.backend import ModelOutputError, Score
from polyattr_torch.running.accumulation import accumulated
from polyattr_torch.running.memory_format import are_pictures, copied, laid_like, same_map
from polyattr_torch.running.needs import (
    WAYS,
    WITH_PLAIN_ROWS,
    WITHOUT_INPUTS,
    Needs,
    SetWithin,
    entered,
    known,
)
from polyattr_torch.running.transforms import is_transformed, pulled_back

Rows = list[torch.Tensor]
Result = TypeVar("Result")
Found = tuple[torch.Tensor, list[torch.Tensor | None]]
Scores = Callable[[Rows], Sequence[torch.Tensor]]


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


_running: ContextVar[Differentiation | None] = ContextVar("running", default=None)
_comparing: ContextVar[bool] = ContextVar("comparing", default=False)


def running() -> Differentiation | None:
    """Returns the differentiation that goes on in this thread; None where a value is read."""
    return _running.get()


def outline(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Evaluates a function; what `value` reads within is read with gradients on and off."""
    known().compared = True
    with SetWithin(_comparing, True):
        return function(*args)


def connected(score: Score, rows: Rows) -> list[bool]:
    """Says which rows the score has a gradient of."""
    scores, found = gradients(score, rows)
    needs = known()
    if not (needs.compared or needs.recorded):
        needs.recorded = not _alike(_unrecorded(score, rows), scores)
    needs.compared = False
    if needs.convolves:
        _try_channels_last(needs, score, rows, found)
    return [gradient is not None for gradient in found]


def _try_channels_last(
    needs: Needs, score: Score, rows: Rows, found: Sequence[torch.Tensor | None]
) -> None:
    """Finds out whether gradients are the same where channels lie side by side.

    A model's own kernel may take for granted how its input lies in memory.
    """
    needs.convolves = False
    if not any(map(are_pictures, rows)):
        return
    needs.channels_last = True
    try:
        other = gradients(score, rows)[1]
    except Exception:  # of plain rows it has just been taken
        needs.channels_last = False
    else:
        needs.channels_last = all(map(same_map, found, other))


def value(function: Callable[[Rows], Any], rows: Rows) -> Any:
    """Evaluates a function of rows as its gradient is taken, without keeping what that needs.

    Where the model gives something else without gradients, or nothing since it differentiates
    itself, they are on.
    """
    needs = known()
    with entered(needs):
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
    needs = known()
    ways = needs.ways
    while True:
        try:
            with entered(needs):
                return differentiate(ways)
        except RuntimeError as error:
            wanted = next((way for way in WAYS if way in str(error)), None)
            plain = (
                wanted == WITH_PLAIN_ROWS and not needs.channels_last
            )  # as the user would call it
            if wanted is None or wanted in ways or plain:
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


def _leaves(rows: Rows) -> Rows:
    return [row.detach().requires_grad_() for row in rows]


def _gradients(scores: Scores, rows: Rows, count: int, ways: set[str]) -> list[Found]:
    if count > 1 and WITHOUT_INPUTS in ways:  # what accumulates on leaves is one score's
        parts = (lambda leaves, t=t: scores(leaves)[t : t + 1] for t in range(count))
        return [_gradients(part, rows, 1, ways)[0] for part in parts]
    with Differentiation(), torch.enable_grad():
        leaves = _leaves(rows)
        last = known().channels_last and WITH_PLAIN_ROWS not in ways
        # A copy, since a model may begin with an in-place operation.
        copies = [copied(leaf, last) for leaf in leaves]
        every = enumerate(scores(copies), start=1)
        return [(one.detach(), _back(one, leaves, ways, keep=t < count)) for t, one in every]


def _back(scores: torch.Tensor, leaves: Rows, ways: set[str], keep: bool) -> list[Any]:
    """Goes back through a graph, which is kept for another score or used up."""
    if not scores.requires_grad:
        return [None] * len(leaves)
    total = scores.sum()
    if WITHOUT_INPUTS in ways:
        return accumulated(total, leaves)
    found = torch.autograd.grad(total, leaves, allow_unused=True, retain_graph=keep)
    return [laid_like(gradient, leaf) for gradient, leaf in zip(found, leaves, strict=True)]


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
