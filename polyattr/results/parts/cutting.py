"""Some of the samples of whatever has an axis of samples, in any containers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.errors import InputError, InputTypeError
from polyattr.question.structure import map_leaves

Array = np.ndarray[Any, Any]


def positions(index: Any, n: int) -> Array:
    """Returns the positions (M,) of the samples that an `index` names, in its order.

    Args:
        index: A whole number, a slice, whole numbers (M,), or truth values (N,).
        n: Number of samples, N.

    Raises:
        InputTypeError: Something else.
        InputError: There is no such sample, or there are more or fewer truth values than samples.
    """
    if isinstance(index, slice):
        return np.arange(n)[_checked(index)]
    given = np.asarray(None if isinstance(index, tuple) else index)
    if given.size == 0 and given.ndim == 1:  # an empty list is one of floats to NumPy
        given = given.astype(np.int64) if given.dtype.kind != "b" else given
    if given.dtype.kind not in "biu" or isinstance(index, bool):
        raise InputTypeError(
            f"a result is indexed with {_words(index)}; expected a number, a slice, an array of "
            f"whole numbers, or a mask of {n} truth values{_by_name(index)}"
        )
    if given.ndim > 1:
        raise InputError(
            f"a result is indexed with an array of shape {given.shape}; expected one axis, of "
            f"samples: of several targets choose one, as in result.target(0), or "
            f"mask.any(axis=0)"
        )
    if given.dtype.kind == "b":
        if given.shape != (n,):
            raise InputError(f"a mask has {given.size} truth values for {n} samples")
        return np.flatnonzero(given)
    found = np.atleast_1d(given)
    wrong = found[_outside(found, n)]
    if wrong.size:
        raise InputError(
            f"there is no sample {wrong[0]} among {n}; expected positions from {-n} to {n - 1}"
            if n
            else f"there is no sample {wrong[0]}: the result is empty"
        )
    return found.astype(np.int64) % max(n, 1)


def _outside(where: Array, n: int) -> Array:
    """Which positions (M,) are none, as they came: the largest unsigned ones are no int64."""
    outside: Array = where >= n
    return outside | (where < -n) if where.dtype.kind == "i" else outside


def _by_name(index: Any) -> str:
    """How the sample of a name is found, for who gives a name."""
    found = ": a row by its name is result[result.names.rows.index(name)]"
    return found if isinstance(index, str) else ""


def _checked(index: slice) -> slice:
    for part in (index.start, index.stop, index.step):
        if part is not None:
            try:
                operator.index(part)
            except TypeError:
                raise InputTypeError(
                    f"a result is sliced with {part!r}; expected whole numbers"
                ) from None
    if index.step == 0:
        raise InputError("a result is sliced with a step of 0; expected another step")
    return index


def _words(index: Any) -> str:
    if isinstance(index, tuple):
        return f"the tuple {index!r}, which names several axes"
    return repr(index)


def cut(value: Any, where: Array, axis: int, backend: GradBackend | None) -> Any:
    """Returns `value`, arrays or tensors in containers, at some positions of an `axis`.

    Args:
        value: In any containers; what has no shape stays.
        where: Positions (M,).
        axis: 0, or 1 behind an axis of targets.
        backend: What tensors belong to; None where all are NumPy's.
    """

    def taken(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            return leaf.take(where, axis)
        if backend is None or not backend.is_tensor(leaf):
            return leaf
        return _native(leaf, where, axis, backend)

    return map_leaves(taken, value)


def _native(leaf: Tensor, where: Array, axis: int, backend: GradBackend) -> Tensor:
    index = backend.to_native(where.astype(np.int32), leaf)
    if axis == 0:
        return backend.batch(leaf, index)
    # The verb takes rows of the first axis: those behind the targets, one target after the other.
    return backend.concat([backend.batch(each, index)[None] for each in backend.unstack(leaf)])


def picked(value: Any, target: int) -> Any:
    """Returns `value` (T, N, ...), in any containers, of one target: (N, ...)."""
    return map_leaves(lambda leaf: leaf[target] if hasattr(leaf, "shape") else leaf, value)
