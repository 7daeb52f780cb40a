"""A result as a Dataset of xarray."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.question.structure import flatten
from polyattr.results.exports import axes
from polyattr.results.exports.frames import FACTS
from polyattr.results.exports.optional import library
from polyattr.results.record import Record


def to_xarray(record: Record) -> Any:
    """Returns a Dataset; `Attribution.to_xarray` says of what form.

    Raises:
        MissingExtraError: xarray is not installed.
    """
    xarray = library("xarray", "to_xarray")
    host = record.to_numpy()
    outer = axes.outer(host)
    dims = [axis.dim for axis in outer]
    data: dict[str, Any] = {}
    coords = {axis.dim: axis.labels for axis in outer}
    parts = axes.leaves(host)
    for name, values, errors in parts:
        inner = axes.inner(host, values.shape[len(outer) :])
        ending = name.removeprefix("values")
        if len(parts) > 1:  # features of one input are none of another
            inner = [axis._replace(dim=f"{axis.dim}{ending}") for axis in inner]
        here = [*dims, *(axis.dim for axis in inner)]
        coords |= {axis.dim: axis.labels for axis in inner}
        data[name] = (here, values)
        if errors is not None:
            data[f"standard_error{ending}"] = (here, errors)
    data |= _inputs(host, data)
    data |= _facts(host, dims)
    named = {} if host.names is None or host.names.tokens is None else _words(host, data)
    attrs: dict[str, Any] = {"method": "; ".join(host.methods), "backend": host.backend}
    attrs |= {} if host.seed is None else {"seed": host.seed}
    return xarray.Dataset(data, coords=coords | named, attrs=attrs)


def _facts(record: Record, dims: list[str]) -> dict[str, Any]:
    found = {name: getattr(record, field) for name, field in FACTS.items()}
    asked = axes.classes(record)
    found |= {} if asked is None else {"class": asked}
    return {name: (dims, array) for name, array in found.items() if array is not None}


def _inputs(record: Record, data: dict[str, Any]) -> dict[str, Any]:
    """What was explained, where it is kept and has the shape of its attributions."""
    structure, kept = flatten(record.inputs, "inputs")
    found = {}
    for name, array in zip(structure.names, kept, strict=True):
        dims, values = data.get(f"values{name.removeprefix('inputs')}", ((), None))
        dims = [dim for dim in dims if dim != "target"]
        shape = None if values is None else values.shape[record.scores.ndim - 1 :]
        if isinstance(array, np.ndarray) and array.shape == shape:
            found[name] = (dims, array)
    return found


def _words(record: Record, data: dict[str, Any]) -> dict[str, Any]:
    for dims, _ in data.values():
        for dim in dims:
            if dim.startswith("token") and record.names is not None:
                return {"word": (["sample", dim], np.array(record.names.tokens, dtype=object))}
    return {}
