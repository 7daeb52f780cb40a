"""Models that do not take every number of rows: fewer are filled up, and cut off again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Guard, Tensor
from polyattr.errors import ModelOutputError, PolyattrError
from polyattr.question.layout import Context
from polyattr.question.structure import flatten

Rowwise = Callable[[list[Tensor], Context], Any]
"""Maps rows (R, ...) and what comes beside them to tensors (R, ...) in containers."""


def about_shapes(error: Exception) -> bool:
    """Says whether an error may be due to the number of rows: it names a number, or a shape.

    So may any assertion be: `assert len(x) == 8` has no message.
    """
    if isinstance(error, PolyattrError):
        return isinstance(error, ModelOutputError)
    if isinstance(error, AssertionError):
        return True
    words = r"\d|shape|size|dimension|rank|axis|axes|batch|broadcast|squeez"
    return re.search(words, str(error), re.IGNORECASE) is not None


@dataclass
class Fitting:
    """How many rows a model takes at a time.

    Attributes:
        backend: The framework.
        guard: Has every evaluation start from the same state.
        rows: The only number it takes; None for any.
        one: Whether it takes a single row: `squeeze` makes something else of its output.
        wish: The number the user named, if that is one.
    """

    backend: GradBackend
    guard: Guard
    rows: int | None = None
    one: bool = True
    wish: object = None

    def apply(self, function: Rowwise, x: list[Tensor], context: Context) -> Any:
        """Calls a function with as many rows as the model takes, more than once for more."""
        n = int(x[0].shape[0]) if x else int(context.companions[0].shape[0])
        if self.rows is not None and self.rows != n:
            return self._filled(function, x, context, n, self.rows)
        if n > 1:
            return function(x, context)
        return self._single(function, x, context) if self.one else self._two(function, x, context)

    def _two(self, function: Rowwise, x: list[Tensor], context: Context) -> Any:
        return self._filled(function, x, context, 1, 2)

    def _single(self, function: Rowwise, x: list[Tensor], context: Context) -> Any:
        """Gives one row; two where the model makes no row of one."""
        try:
            found = function(x, context)
        except Exception as error:
            if not about_shapes(error):
                raise
            return self._instead(function, x, context, error)
        if self._has_rows(found, 1):
            return found
        try:
            self.guard.begin()
            two = self._two(function, x, context)
        except Exception:
            return found  # whoever asked says what is wrong with it
        if not self._has_rows(two, 1):
            return found
        self.one = False
        return two

    def _instead(
        self, function: Rowwise, x: list[Tensor], context: Context, error: Exception
    ) -> Any:
        """Gives one row of two, unless one row failed for reasons of its own."""
        try:
            self.guard.begin()
            two = self._two(function, x, context)
        except Exception:
            raise error from None
        self.guard.begin()
        try:
            function(x, context)
        except type(error):
            self.one = False
            return two
        raise error

    def _filled(
        self, function: Rowwise, x: list[Tensor], context: Context, n: int, size: int
    ) -> Any:
        """Calls the function with blocks of `size` rows; past the end the last is repeated."""
        backend, parts = self.backend, []
        for start in range(0, n, size):
            index = np.minimum(np.arange(start, start + size), n - 1).astype(np.int32)

            def take(leaves: list[Tensor], index: Any = index) -> list[Tensor]:
                if not leaves:
                    return leaves
                native = backend.to_native(index, leaves[0])
                return [backend.batch(leaf, native) for leaf in leaves]

            if start:  # the state of a sample is not that which another one left
                self.guard.begin()
            found = function(take(x), context.rows(take))
            if self.backend.is_tensor(found) and not self._has_rows(found, size):
                raise ModelOutputError(
                    f"the model returned shape {tuple(found.shape)} when tried on {size} samples; "
                    f"expected one row per sample, ({size}, ...)"
                )
            parts.append(flatten(found, ""))
        columns = zip(*(leaves for _, leaves in parts), strict=True)
        return parts[0][0].build([self._joined(list(column), size, n) for column in columns])

    def _joined(self, parts: list[Any], size: int, n: int) -> Any:
        if not self._has_rows(parts[0], size):
            return parts[0]
        return (parts[0] if len(parts) == 1 else self.backend.concat(parts))[:n]

    def _has_rows(self, found: Any, rows: int) -> bool:
        """Says whether a tensor has as many rows; of containers nothing is known."""
        if not self.backend.is_tensor(found):
            return isinstance(found, dict | list | tuple)
        return tuple(found.shape[:1]) == (rows,)
