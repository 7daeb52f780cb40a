"""Inputs and targets as they were passed, with plain arrays in place of tables."""

from __future__ import annotations

from typing import Any

from polyattr.question.datasets import Labels
from polyattr.question.structure import flatten
from polyattr.question.tables.coordinates import Coordinates
from polyattr.question.tables.frames import is_frame, read_frame
from polyattr.question.tables.labelled import is_labelled, read_labelled


def read_tables(inputs: Any) -> tuple[Any, Coordinates | None]:
    """Puts plain arrays in place of DataFrames and labelled arrays.

    Args:
        inputs: In any containers.

    Returns:
        The same containers, themselves where nothing in them is a table; and what the one table
        among them names, or of several the rows of the first.

    Raises:
        InputTypeError: A column of a table is no number.
    """
    structure, leaves = flatten(inputs, "inputs")
    if not any(is_frame(leaf) or is_labelled(leaf) for leaf in leaves):
        return inputs, None
    found: list[Coordinates] = []
    for i, (name, leaf) in enumerate(zip(structure.names, leaves, strict=True)):
        if is_frame(leaf):
            leaves[i], labels = read_frame(leaf, name)
            found.append(labels)
        elif is_labelled(leaf):
            leaves[i], labels = read_labelled(leaf)
            found.append(labels)
    named = found[0] if len(found) == 1 else Coordinates(rows=found[0].rows)
    return structure.build(leaves), named


def read_column(targets: Any) -> Any:
    """Returns targets as an array where they are a column of a table, or a table of weights."""
    if isinstance(targets, Labels):
        return Labels(read_column(targets.value))
    if is_frame(targets):
        return read_frame(targets, "targets")[0]
    # A Series of pandas or polars, or a labelled array.
    column = all(hasattr(type(targets), name) for name in ("to_numpy", "dtype", "shape"))
    return targets.to_numpy() if column else targets
