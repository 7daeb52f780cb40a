"""The table of gradient evaluations a recipe asks for, one row each, and what they told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np

Column = TypeVar("Column")
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rows(Generic[Column]):
    """Gradient evaluations, planned on the host; in a compiled tile the same table, native.

    A recipe that needs more to place its rows subclasses this with columns of its own. Rows of a
    class whose `scores_only` holds are evaluated without a gradient: they add nothing, and tell
    their scores.

    Attributes:
        sample: (R,) which sample each row belongs to.
        part: (R,) which of the sample's running sums it is added to.
        weight: (R,) its weight in that sum.
        alpha: (R,) position on a path, 0 at the baseline and 1 at the input.
        draw: (R,) number of the noise draw.
        scale: (R,) signed standard deviation of the draw.
        reference: (R,) number of the baseline, where a sample has several.
        turn: (R,) number of the step, ascending, for recipes that go step by step.
        width: (R,) distance on the path to the sample's row before, 0 for its first one, times the
            share of the path in the sample's sum.
        coarser: (R,) weight of the row in a coarser rule.

    Example:
        >>> import numpy as np, polyattr
        >>> rows = polyattr.Rows.over(2, weight=np.array([0.5, 0.5]), alpha=np.array([0.0, 1.0]))
        >>> rows.sample, rows.alpha
        (array([0, 1, 0, 1]), array([0., 0., 1., 1.]))
    """

    scores_only: ClassVar[bool] = False

    sample: Column
    part: Column
    weight: Column
    alpha: Column | None = None
    draw: Column | None = None
    scale: Column | None = None
    reference: Column | None = None
    turn: Column | None = None
    width: Column | None = None
    coarser: Column | None = None

    @classmethod
    def over(
        cls, n: int, *, weight: Array, part: Array | None = None, **columns: Array
    ) -> Rows[Array]:
        """Repeats the same points for each of `n` samples, samples running fastest.

        Args:
            n: Number of samples.
            weight: (P,) weight of each point in its sum.
            part: (P,) running sum of each point; the first one if not given.
            columns: (P,) further columns by name.

        Returns:
            The table of n * P rows, (R,) columns.

        Example:
            >>> import numpy as np, polyattr
            >>> polyattr.Rows.over(3, weight=np.full(2, 0.5), draw=np.arange(2)).draw
            array([0, 0, 0, 1, 1, 1])
        """
        points = len(weight)
        own = np.zeros(points, dtype=np.int64) if part is None else part
        repeated = {
            name: np.repeat(values, n)
            for name, values in {"part": own, "weight": weight, **columns}.items()
        }
        make: Any = cls
        made: Rows[Array] = make(sample=np.tile(np.arange(n), points), **repeated)
        return made

    def take(self: Rows[Array], index: Array) -> Rows[Array]:
        """Returns the rows at some places, in that order.

        Args:
            index: (R,) their places.

        Returns:
            A table of the same class and columns, (R,) each.

        Example:
            >>> import numpy as np, polyattr
            >>> polyattr.Rows.over(3, weight=np.ones(1)).take(np.array([2, 0])).sample
            array([2, 0])
        """
        names = present(self).names
        return replace(self, **{name: getattr(self, name)[index] for name in names})

    def __len__(self) -> int:
        return len(self.sample)  # type: ignore[arg-type]  # a column of either kind has a length


@dataclass(frozen=True)
class Repeated:
    """The rows of one sample, repeated for many without being written down.

    Attributes:
        one: (P,) the rows of one sample.
        n: How many samples have them; samples run fastest, as in `Rows.over`.
    """

    one: Rows[Array]
    n: int

    def take(self, index: Array) -> Rows[Array]:
        """Writes down the rows at the places `index` (R,) of the whole table."""
        return replace(self.one.take(index // self.n), sample=index % self.n)

    def __len__(self) -> int:
        return len(self.one) * self.n


@dataclass(frozen=True)
class ScoreRows(Rows[Column]):
    """Rows whose scores alone are wanted, by which those with gradients are then chosen.

    Takes the arguments of `Rows`.

    Example:
        >>> import numpy as np
        >>> from polyattr.sampling import ScoreRows
        >>> ScoreRows.over(1, weight=np.zeros(2), alpha=np.array([0.0, 1.0])).scores_only
        True
    """

    scores_only: ClassVar[bool] = True


class Told:
    """What the rows of a round told; copied to the host when it is looked at, not before.

    Args:
        read: Waits for the device and returns scores and slopes.

    Attributes:
        scores: (R,) score of each row.
        slopes: (R,) gradient times velocity, summed over all features; the summed magnitude of the
            gradient where the recipe has no path.

    Example:
        >>> import numpy as np
        >>> from polyattr.sampling import Told
        >>> Told(lambda: (np.ones(2), np.zeros(2))).scores
        array([1., 1.])
    """

    def __init__(self, read: Callable[[], tuple[Array, Array]]) -> None:
        self._read = read
        self._known: tuple[Array, Array] | None = None

    def _both(self) -> tuple[Array, Array]:
        if self._known is None:
            self._known = self._read()
            self._read = lambda: (np.zeros(0), np.zeros(0))  # lets go of the device's tensors
        return self._known

    @property
    def scores(self) -> Array:
        """Scores of the rows (R,)."""
        return self._both()[0]

    @property
    def slopes(self) -> Array:
        """Slopes of the rows (R,)."""
        return self._both()[1]


def joined(tables: Sequence[Rows[Array]]) -> Rows[Array]:
    """Joins tables of the same columns, one after the other."""
    names = present(tables[0]).names
    columns = {name: np.concatenate([getattr(rows, name) for rows in tables]) for name in names}
    return replace(tables[0], **columns)


class Table(NamedTuple):
    """Which columns a table has: static, part of a compiled kernel.

    Attributes:
        kind: The class of the table.
        names: The columns that are there, whole numbers first.
        whole: How many of them hold whole numbers.
    """

    kind: type[Rows[Any]]
    names: tuple[str, ...]
    whole: int

    def build(self, columns: Sequence[Any]) -> Rows[Any]:
        """Makes a table of `columns` (R,) in the order of `names`."""
        return self.kind(**dict(zip(self.names, columns, strict=True)))


def present(rows: Rows[Array]) -> Table:
    """Says which columns a table has, by the type of its numbers."""
    found = {field.name: getattr(rows, field.name) for field in fields(rows)}
    there = {name: values for name, values in found.items() if values is not None}
    whole = [name for name, values in there.items() if values.dtype.kind in "iu"]
    return Table(type(rows), (*whole, *(n for n in there if n not in whole)), len(whole))
