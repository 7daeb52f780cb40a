"""What a result keeps of its call: names, and the inputs where that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend
from polyattr.errors import InputError, brief
from polyattr.explainer.binding import Method
from polyattr.explainer.options import Options
from polyattr.question.structure import flatten, map_leaves
from polyattr.question.tables.coordinates import Coordinates
from polyattr.question.tables.edge import read_column, read_tables
from polyattr.results.attribution import Attribution
from polyattr.results.names import Names
from polyattr.results.parts import naming

Shapes = list[tuple[int, ...]]


class Kept:
    """Reads tables of a call, batch by batch, and hands on what they and the user name.

    Args:
        method: Whether it attributes to the inputs themselves: features of other places have no
            names here.
        options: Names that were given, and whether inputs are kept.
        batches: Whether samples come in several batches.
    """

    def __init__(self, method: Method, options: Options, batches: bool) -> None:
        elsewhere = (method.input_layer, method.domain, method.layers or None)
        self._at_inputs = all(place is None for place in elsewhere)
        self._given, self._keep = options.names, options.keep_inputs
        self._batches = batches
        self._first = self._last = 0
        self._found: Coordinates | None = None
        self._columns: tuple[str, ...] | None = None

    def read(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        """Returns inputs and targets with plain arrays in place of tables.

        Raises:
            InputTypeError: A column of a table is no number.
            InputError: There are more or fewer names than entries, or inputs that are to be kept
                do not have a row for each sample.
        """
        plain, self._found = read_tables(inputs)
        self._check_columns()
        if self._keep or self._given is not None:
            self._check_sizes(plain)
        return plain, read_column(targets)

    def _check_sizes(self, inputs: Any) -> None:
        structure, leaves = flatten(inputs, "inputs")
        shapes = {
            name: tuple(leaf.shape)
            for name, leaf in zip(structure.names, leaves, strict=True)
            if len(getattr(leaf, "shape", ()))
        }
        if self._keep and len({shape[0] for shape in shapes.values()}) > 1:
            listed = " and ".join(f"{name} has shape {shape}" for name, shape in shapes.items())
            raise InputError(
                f"keep_inputs is True, but {listed}; expected inputs with a row for each sample: "
                f"hand what all samples share over with forward_args"
            )
        if self._given is not None and shapes:
            self._check(self._given, list(shapes.values()))

    def _check_columns(self) -> None:
        """Checks that the tables of a dataset have the same columns in the same order."""
        columns = None if self._found is None else self._found.features
        self._columns = self._columns or columns
        if columns != self._columns:
            raise InputError(
                f"the columns of a batch of the dataset are {brief(columns)}, those of the first "
                f"{brief(self._columns)}; expected the same in the same order"
            )

    def _check(self, names: Names, shapes: Shapes) -> None:
        """Checks the names that were given, before anything is computed."""
        n = shapes[0][0]
        here = self._of_batch(names, n)
        for name in ("rows", "tokens"):
            entries = getattr(names, name)
            if self._batches and entries is not None and len(entries) < self._last:
                raise InputError(
                    f"names.{name} has {len(entries)} entries, and the dataset at least "
                    f"{self._last} samples; expected one for each sample"
                )
        if not self._at_inputs:  # what these belong to is known when it has been computed
            here = replace(here, features=None, channels=None, tokens=None)
        naming.check(here, [shape[1:] for shape in shapes], n)

    def _of_batch(self, names: Names, n: int) -> Names:
        """The names of the samples of this batch, among those of all."""
        self._last = self._first + n
        if not self._batches:
            return names
        each = {name: getattr(names, name) for name in ("tokens", "rows")}
        cut = {name: None if v is None else v[self._first : self._last] for name, v in each.items()}
        return replace(names, **cut)

    def on(
        self, result: Attribution | None, inputs: Any, backend: GradBackend
    ) -> Attribution | None:
        """Returns the result of a batch with its names, and its inputs where they are kept.

        Raises:
            InputError: There are more or fewer names than entries.
        """
        if result is None:
            self._first = self._last
            return None
        if self._given is None and self._found is None and not self._keep:
            return result
        n = len(result)
        leaves = [leaf for leaf in flatten(result.values, "values")[1] if leaf is not None]
        shapes = [tuple(leaf.shape)[result.scores.ndim :] for leaf in leaves]
        found = self._found or Coordinates()
        own = Names(rows=found.rows)
        if self._at_inputs:
            own = Names(features=found.features, channels=found.channels, rows=found.rows)
        names = naming.fitting(own, shapes, n)
        if self._given is not None:
            names = naming.over(self._of_batch(self._given, n), names)
        self._first += n
        kept = map_leaves(lambda leaf: _copied(leaf, backend), inputs) if self._keep else None
        return replace(result, names=names if names else None, inputs=kept)

    def done(self) -> None:
        """Checks that a dataset had as many samples as were named.

        Raises:
            InputError: It had fewer.
        """
        given = self._given or Names()
        for name in ("rows", "tokens"):
            entries = getattr(given, name)
            if self._batches and entries is not None and len(entries) != self._first:
                raise InputError(
                    f"names.{name} has {len(entries)} entries for {self._first} samples; expected "
                    f"one for each sample"
                )


def _copied(leaf: Any, backend: GradBackend) -> Any:
    """The user may go on to change what was explained."""
    if isinstance(leaf, np.ndarray):
        return leaf.copy()
    if not backend.is_tensor(leaf) or not len(leaf.shape):
        return leaf
    return backend.concat([backend.own(leaf)])
