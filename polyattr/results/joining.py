"""The results of a dataset's batches, joined along the first axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from polyattr.backend import GradBackend
from polyattr.errors import InputError
from polyattr.question.structure import flatten
from polyattr.results.attribution import Attribution
from polyattr.results.fields import PER_SAMPLE
from polyattr.results.parts import naming

Part = TypeVar("Part")


def join_values(parts: Iterable[tuple[GradBackend, Any]], axis: int = 0) -> Any:
    """Joins the attributions of all batches along the `axis` of samples.

    Raises:
        InputError: There is no batch, or one unlike the first.
    """
    pairs = _alike(parts, lambda part: _value_kinds(*part, "inputs", axis))
    return _concat([values for _, values in pairs], pairs[0][0], axis)


def join(parts: Iterable[tuple[GradBackend, Attribution]]) -> Attribution:
    """Joins the results of all batches.

    Raises:
        InputError: There is no batch, or one unlike the first.
    """
    pairs = _alike(parts, lambda part: _kinds(*part))
    backend, first = pairs[0]
    if len(pairs) == 1:
        return first
    results, axis = [result for _, result in pairs], first.scores.ndim - 1

    def every(name: str) -> list[Any]:
        return [getattr(result, name) for result in results]

    joined = {name: _concat(every(name), backend, axis) for name in ("values", "standard_error")}
    merged = {name: _merge(every(name), axis) for name in PER_SAMPLE}
    kept = _concat_kept([result.inputs for result in results], backend)
    names = naming.joined([result.names for result in results])
    return replace(first, **joined, **merged, inputs=kept, names=names)


def _alike(parts: Iterable[Part], kinds: Callable[[Part], dict[str, str]]) -> list[Part]:
    """Collects the parts; each is compared when it comes, not after the last has been computed."""
    alike: list[Part] = []
    expected: dict[str, str] = {}
    for part in parts:
        if not alike:  # most calls have no other
            alike.append(part)
            continue
        expected = expected or kinds(alike[0])
        here = kinds(part)
        for name in [name for name in expected | here if expected.get(name) != here.get(name)]:
            raise InputError(
                f"{name}: {here.get(name, 'nothing')} in batch {len(alike) + 1} of the dataset, "
                f"{expected.get(name, 'nothing')} in the first; expected batches whose results can "
                f"be joined. explain_batches and attribute_batches hand each one over by itself"
            )
        alike.append(part)
    if not alike:
        raise InputError("the dataset yielded no batches; expected at least one")
    return alike


def _kinds(backend: GradBackend, result: Attribution) -> dict[str, str]:
    axis = result.scores.ndim - 1
    values = _value_kinds(backend, result.values, "inputs", axis)
    errors = _value_kinds(backend, result.standard_error, "standard_error", axis)
    return values | errors | _target_kind(result)


def _value_kinds(backend: GradBackend, values: Any, what: str, axis: int) -> dict[str, str]:
    structure, leaves = flatten(values, what)
    kinds = {what: structure.outline()} if structure.kind else {}
    for name, leaf in zip(structure.names, leaves, strict=True):
        shape = "" if leaf is None else f"{backend.dtype(leaf)} {_rows(leaf.shape[axis:])}"
        kinds[name] = shape or "nothing"
    return kinds


def _target_kind(result: Attribution) -> dict[str, str]:
    targets = result.targets
    if not isinstance(targets, np.ndarray):
        return {"targets": repr(targets)}
    what = "indices" if targets.dtype.kind == "i" else "weights"
    return {"targets": f"{what} {_rows(targets.shape[result.scores.ndim - 1 :])}"}


def _rows(shape: Any) -> str:
    return f"(N,{','.join(f' {size}' for size in shape[1:])})"


def _merge(values: list[Any], axis: int) -> Any:
    return np.concatenate(values, axis) if isinstance(values[0], np.ndarray) else values[0]


def _concat_kept(parts: list[Any], backend: GradBackend) -> Any:
    """Joins kept inputs: tensors, arrays of NumPy, and what all samples share."""
    structure = flatten(parts[0], "inputs")[0]
    columns = zip(*(flatten(part, "inputs")[1] for part in parts), strict=True)

    def joined(column: list[Any]) -> Any:
        if isinstance(column[0], np.ndarray):
            return np.concatenate(column)
        return backend.concat(column) if backend.is_tensor(column[0]) else column[0]

    return structure.build([joined(list(column)) for column in columns])


def _concat(parts: list[Any], backend: GradBackend, axis: int) -> Any:
    if len(parts) == 1:
        return parts[0]
    structure = flatten(parts[0], "values")[0]
    columns = zip(*(flatten(part, "values")[1] for part in parts), strict=True)

    def joined(column: list[Any]) -> Any:
        if axis == 0:
            return backend.concat(column)
        # The verb joins first axes: those behind the targets, one target after the other.
        of_each = zip(*(backend.unstack(leaf) for leaf in column), strict=True)
        return backend.concat([backend.concat(list(each))[None] for each in of_each])

    return structure.build([None if c[0] is None else joined(list(c)) for c in columns])
