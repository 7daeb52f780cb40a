"""Calls of models that change: what changed is put back, and found out whether it matters."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from polyattr.backend import KeptState
from polyattr.engine.forward import Forward
from polyattr.errors import ModelOutputError, PolyattrError
from polyattr.probing.trial import Trial

Found = TypeVar("Found")


def as_it_was(
    forward: Forward,
    trial: Trial,
    kind: Hashable | None,
    roots: Iterable[object],
    answer: Callable[[], Found],
) -> Found:
    """Answers a call, and puts back what it changed of the user's objects, also if it fails.

    The arrays of a model are put back in any case; what it counts, or a function keeps for itself,
    only where scores depend on it: scores that should be equal are not, or the model refuses its
    own state. Then the call is answered once more, every evaluation from the state at its start.

    Args:
        forward: Evaluates the model.
        trial: Remembers whether calls like this one leave all as it is by themselves.
        kind: Of the call, None for none: compiled models run code of their own for new ones only.
        roots: The model and what else of the user's is called.
        answer: Answers the call.
    """
    if trial.leaves_all(kind):
        return answer()
    guard = forward.scorer.guard
    guard.kept = kept = KeptState(roots, forward.backend.objects)
    everything = guard.on
    try:
        try:
            found = answer()
        except Exception as error:
            if guard.on or not _may_be_state(error, kept):
                raise
            everything = True
            found = _again(forward, answer)
        left = kept.changed_arrays() or kept.left_traces() or kept.drew()
        if not left and not guard.on:
            trial.note_leaves_all(kind)
        return found
    finally:
        _put_back(kept, everything)
        guard.kept = None


def _put_back(kept: KeptState, everything: bool) -> None:
    (kept.put_back if everything else kept.put_arrays_back)()
    kept.put_traces_back()
    kept.put_generators_back()


def _again(forward: Forward, answer: Callable[[], Found]) -> Found:
    guard = forward.scorer.guard
    guard.on = True
    forward.kernels.clear()
    try:
        return answer()
    except Exception:
        guard.on = False
        raise


def _may_be_state(error: Exception, kept: KeptState) -> bool:
    """Says whether another state may be why a call failed.

    A hidden state of other rows has shapes that do not fit, or belongs to another trace. A model's
    own error is its own, whatever it counts.
    """
    if isinstance(error, ModelOutputError):
        return kept.changed()
    # What was made of a model's own error has it as its cause.
    own = not isinstance(error.__cause__ or error, PolyattrError)
    return own and kept.changed_arrays()
