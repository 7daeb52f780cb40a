"""Better answers for some samples, put into a result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend
from polyattr.question.structure import flatten, map_leaves
from polyattr.results.attribution import Attribution
from polyattr.results.fields import PER_SAMPLE
from polyattr.results.parts.cutting import cut

Array = np.ndarray[Any, Any]


def merged(
    whole: Attribution, part: Attribution, where: Array, backend: GradBackend
) -> Attribution:
    """Returns `whole` with the samples of `part` in the place of those it had.

    Args:
        whole: Of N samples; of NumPy arrays where it was read from a file.
        part: Of M samples.
        where: Their positions (M,) in `whole`.
        backend: What the tensors of `part` belong to.
    """
    if whole._native is None:
        part = part.to_numpy()
    axis = whole.scores.ndim - 1
    maps = {"values": _maps(whole.values, part.values, where, axis, backend)}
    if part.standard_error is not None:
        spread = whole.standard_error
        if spread is None:  # so few draws that nothing was known
            spread = map_leaves(lambda leaf: None if leaf is None else leaf * np.nan, whole.values)
        maps["standard_error"] = _maps(spread, part.standard_error, where, axis, backend)
    methods = whole.methods
    if part.method not in methods:
        methods = (*methods, part.method)
    known: dict[str, Any] = {
        name: _array(getattr(whole, name), getattr(part, name), where)
        for name in PER_SAMPLE
        if name != "targets"  # which are those that were asked for again
    }
    settings = whole.settings.copy()
    settings[..., where] = methods.index(part.method)
    known |= {"settings": settings}
    return replace(whole, **maps, **known, methods=methods)._with_used_methods()


def _array(whole: Array | None, part: Array | None, where: Array) -> Array | None:
    if not isinstance(whole, np.ndarray) or not isinstance(part, np.ndarray):
        return whole
    array = whole.copy()
    array[..., where] = part
    return array


def _maps(whole: Any, part: Any, where: Array, axis: int, backend: GradBackend) -> Any:
    structure, old = flatten(whole, "values")
    pairs = zip(old, flatten(part, "values")[1], strict=True)
    return structure.build(
        [
            None if here is None else _leaf(here, there, where, axis, backend)
            for here, there in pairs
        ]
    )


def _leaf(whole: Any, part: Any, where: Array, axis: int, backend: GradBackend) -> Any:
    if isinstance(whole, np.ndarray):
        array = whole.copy()
        array[(slice(None),) * axis + (where,)] = part
        return array
    if axis == 1:  # behind the targets, one target after the other
        pairs = zip(backend.unstack(whole), backend.unstack(part), strict=True)
        return backend.concat([_leaf(*pair, where, 0, backend)[None] for pair in pairs])
    order = np.arange(len(whole))
    order[where] = len(whole) + np.arange(len(where))
    return cut(backend.concat([whole, part]), order, 0, backend)
