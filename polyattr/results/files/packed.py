"""An attribution as arrays by name and settings in JSON, which is what files hold.

Arrays stand under the names of the fields of `Attribution`; the leaves of nested values are
numbered, and their containers described in JSON beside the settings. Nothing in it is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.errors import InputError, brief
from polyattr.question.structure import flatten
from polyattr.results.fields import ALWAYS, PER_SAMPLE, SOMETIMES
from polyattr.results.parts import naming
from polyattr.results.record import Record

Array = np.ndarray[Any, Any]

# A reader passes over what it does not know, so further fields are no other format.
FORMAT = 1
NESTED = ("values", "standard_error", "inputs")
"""The fields with leaves in containers."""
PLAIN = (bool, int, float, str)
"""What a leaf that is no array may be: JSON knows it."""


@dataclass(frozen=True)
class Packed:
    """What a file holds.

    Attributes:
        meta: Settings, names and containers, as JSON knows them.
        arrays: By name.
        narrow: Which of them are bfloat16, and come here as float32.
    """

    meta: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)
    narrow: set[str] = field(default_factory=set)

    def add(self, value: Any, name: str, record: Record) -> Any:
        """Moves the leaves of a field to `arrays` and returns its containers as JSON.

        Raises:
            InputError: A dict whose keys are neither str nor int, or a leaf no file can keep.
        """
        if isinstance(value, dict):
            wrong = [key for key in value if type(key) not in {str, int}]
            if wrong:
                raise InputError(
                    f"{name} is a dict with the key {wrong[0]!r} of type {type(wrong[0]).__name__};"
                    f" a file can keep keys of type str and int"
                )
            pairs = [[key, self.add(child, name, record)] for key, child in value.items()]
            return {"dict": pairs}
        if isinstance(value, tuple | list):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.add(child, name, record) for child in value]}
        if value is None:
            return None
        if isinstance(value, PLAIN):
            return {"plain": value}
        return self._leaf(value, name, record)

    def _leaf(self, leaf: Any, name: str, record: Record) -> str:
        native = record._native
        numbered = f"{name}_{sum(n.startswith(f'{name}_') for n in self.arrays)}"
        if isinstance(leaf, np.ndarray) and (leaf.dtype.kind in "biuf" or _is_narrow(leaf)):
            host, kind = leaf, leaf.dtype.name
        elif native is not None and native.is_tensor(leaf):
            host, kind = native.to_numpy(leaf), native.dtype(leaf)
        else:
            raise InputError(
                f"{name} holds {brief(leaf)}, which a file cannot keep; expected arrays of "
                f"numbers. dataclasses.replace(result, {name}=None) leaves them out"
            )
        if kind == "bfloat16":
            self.narrow.add(numbered)
        # NumPy files know no bfloat16; widening it is exact.
        self.arrays[numbered] = host.astype(np.float32) if _is_narrow(host) else host
        return numbered


def _is_narrow(array: Array) -> bool:
    return bool(array.dtype.name == "bfloat16")


def pack(record: Record) -> Packed:
    """Takes an attribution apart.

    Raises:
        InputError: It holds what a file cannot keep.
    """
    packed = Packed({"format": FORMAT})
    packed.meta["layout"] = packed.add(record.values, "values", record)
    for name in NESTED[1:]:
        packed.meta[name] = packed.add(getattr(record, name), name, record)
    targets = record.targets
    packed.meta.update(
        {
            "method": record.method,
            "methods": list(record.methods),
            "seed": record.seed,
            "backend": record.backend,
            "signed": record.signed,
            "targets": targets if isinstance(targets, str) else None,
            "names": naming.to_json(record.names) if record.names else None,
        }
    )
    known = {name: getattr(record, name) for name in PER_SAMPLE}
    packed.arrays.update({n: array for n, array in known.items() if isinstance(array, np.ndarray)})
    return packed


def unpack(meta: dict[str, Any], arrays: Mapping[str, Array], path: object) -> dict[str, Any]:
    """Puts the fields of an attribution together, and checks them against each other.

    Raises:
        InputError: A later format.
        ValueError: Something is missing, has another shape or is of another kind.
    """
    if meta["format"] > FORMAT:
        raise InputError(f"{path} has format {meta['format']}; this polyattr reads {FORMAT}")
    fields: dict[str, Any] = {name: arrays.get(name) for name in PER_SAMPLE}
    if fields["targets"] is None:
        fields["targets"] = meta["targets"]
    fields["values"] = _unpack(meta["layout"], arrays)
    for name in NESTED[1:]:
        fields[name] = _unpack(meta.get(name), arrays)
    fields |= {name: meta[name] for name in ("method", "seed", "backend")}
    fields["signed"] = meta.get("signed")  # earlier files do not say
    fields["methods"] = tuple(meta.get("methods", [meta["method"]]))
    if fields["settings"] is None and fields["scores"] is not None:  # of files from before
        fields["settings"] = np.zeros(fields["scores"].shape, np.int64)
    named = meta.get("names")
    fields["names"] = None if named is None else naming.from_json(named)
    _check_fields(fields)
    return fields


def _unpack(layout: Any, arrays: Mapping[str, Array]) -> Any:
    if layout is None:
        return None
    if isinstance(layout, str):
        return arrays[layout]
    kind, children = next(iter(layout.items()))
    if kind == "plain":
        if not isinstance(children, PLAIN):
            raise ValueError("its containers hold what no file of ours does")
        return children
    if kind == "dict":
        return {key: _unpack(child, arrays) for key, child in children}
    parts = [_unpack(child, arrays) for child in children]
    return parts if kind == "list" else tuple(parts)


def _check_fields(fields: Mapping[str, Any]) -> None:
    """Checks what was read against itself: a file may be whole and still not ours.

    Raises:
        ValueError: Something is missing, has another shape or is of another kind.
    """
    scores = fields["scores"]
    if scores is None or scores.ndim not in {1, 2}:
        raise ValueError("its scores are not one number per sample")
    for name in ALWAYS + SOMETIMES:
        array = fields[name]
        if array is None and name in SOMETIMES:
            continue
        if array is None or array.dtype.kind not in "biuf" or array.shape != scores.shape:
            raise ValueError(f"its {name} are not one number per sample")
    _check_values(fields["values"], fields["standard_error"])
    leaves = flatten(fields["values"], "values")[1]
    for array in (*leaves, fields["targets"]):
        if array is None or isinstance(array, str):  # targets that are no array
            continue
        if array.dtype.kind not in "biuf" or array.shape[: scores.ndim] != scores.shape:
            raise ValueError("its values or targets do not belong to its samples")
    _check_inputs(fields["inputs"], scores.shape[-1])
    _check_settings(fields)
    if fields["names"] is not None:
        shapes = [leaf.shape[scores.ndim :] for leaf in leaves if leaf is not None]
        try:
            naming.check(fields["names"], shapes, scores.shape[-1])
        except InputError as error:  # of the file, not of an argument
            raise ValueError(str(error)) from None


def _check_settings(fields: Mapping[str, Any]) -> None:
    methods, settings = fields["methods"], fields["settings"]
    texts = all(isinstance(text, str) for text in (*methods, fields["method"], fields["backend"]))
    known = isinstance(fields["seed"], int | None) and isinstance(fields["signed"], bool | None)
    if not texts or not known:
        raise ValueError("its settings are not those of a method")
    if settings.dtype.kind not in "iu" or ((settings < 0) | (settings >= len(methods))).any():
        raise ValueError("its settings are none of its methods")


def _check_inputs(inputs: Any, n: int) -> None:
    for array in flatten(inputs, "inputs")[1]:
        if not isinstance(array, np.ndarray):
            continue
        if array.dtype.kind not in "biufc" or array.shape[:1] != (n,):
            raise ValueError("its inputs do not belong to its samples")


def _check_values(values: Any, standard_error: Any) -> None:
    structure, leaves = flatten(values, "values")
    if all(leaf is None for leaf in leaves):
        raise ValueError("its values are empty")
    if standard_error is None:
        return
    containers, errors = flatten(standard_error, "standard_error")
    shapes = [[None if leaf is None else leaf.shape for leaf in part] for part in (leaves, errors)]
    numbers = all(leaf is None or leaf.dtype.kind == "f" for leaf in errors)
    if containers.outline() != structure.outline() or shapes[0] != shapes[1] or not numbers:
        raise ValueError("its standard_error is not one number for each of its values")
