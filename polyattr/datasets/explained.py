"""What a run over a data set leaves: where it is, and what is known of all rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.runs.totals import Totals
from polyattr.datasets.shards.opening import store_of
from polyattr.datasets.summaries.summary import Summary, read_summary
from polyattr.errors import InputError, nearest

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, repr=False)
class Explained:
    """A finished run over a data set; its text is the report of errors and gaps.

    Attributes:
        path: Folder of the store, which any reader of Zarr or Parquet opens.
        beside: Folder of what is known of the run.
        kind: "zarr" or "parquet".
        shard_rows: Rows of each shard but the last.
        rows: How many rows the question has.
        totals: Errors and gaps over all of them.
        features: Names of the features (F,), or None.

    Example:
        >>> import numpy as np, polyattr, torch, zarr
        >>> method = polyattr.GradientInput(torch.nn.Flatten())
        >>> data = np.ones((6, 3), np.float32)
        >>> done = polyattr.explain_dataset(method, data, "products.zarr", targets=0)
        >>> done.column("score").tolist(), done.complete
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0], True)
    """

    path: Path
    beside: Path
    kind: str
    shard_rows: int
    rows: int
    totals: Totals
    features: list[str] | None

    @property
    def complete(self) -> bool:
        """Whether all rows are finished, those of other machines included."""
        records = self.beside / "shards"
        return len(list(records.glob("*.json"))) * self.shard_rows >= self.rows

    def column(self, name: str) -> Array:
        """Reads one column whole.

        Args:
            name: "score", "baseline_score", "gap", "error", "converged", "target", "id", or
                "attribution", which may be larger than memory.

        Returns:
            An array (N, ...).

        Raises:
            InputError: There is no such column.
            MissingExtraError: zarr, or pyarrow, is not installed.

        Example:
            >>> import numpy as np, polyattr, torch, zarr
            >>> method = polyattr.GradientInput(torch.nn.Flatten())
            >>> data = np.ones((2, 3), np.float32)
            >>> done = polyattr.explain_dataset(method, data, "column.zarr", targets=0)
            >>> done.column("id")
            array([0, 1])
        """
        known = list(self.totals.spec)
        if name not in known:
            raise InputError(
                f"there is no column {name!r}.{nearest(name, known)} There are {', '.join(known)}"
            )
        return store_of(self.kind, self.path, self.shard_rows).column(name)

    def summary(self) -> Summary:
        """Returns the summary of all rows, which ``polyattr.plots.summary`` draws.

        Raises:
            InputError: It was not asked for, or other machines have not finished their parts.
            InputTypeError: A feature has no text for a name.

        Example:
            >>> import numpy as np, polyattr, torch, zarr
            >>> method = polyattr.GradientInput(torch.nn.Flatten())
            >>> data = np.ones((6, 3), np.float32)
            >>> done = polyattr.explain_dataset(method, data, "summary.zarr", targets=0)
            >>> done.summary().mean_magnitude
            array([1., 0., 0.])
        """
        if not self.complete:
            raise InputError(
                f"{self.path} is not finished: {self.totals.rows:,} of {self.rows:,} rows are "
                f"known here; expected all parts"
            )
        count = -(-self.rows // self.shard_rows)
        return read_summary(self.beside / "summaries", count, self.totals.facts, self.features)

    def __repr__(self) -> str:
        totals = self.totals
        part = "" if totals.rows == self.rows else f"{totals.rows:,} of "
        again = f", {totals.again} of them again" if totals.again else ""
        first = (
            f"{part}{self.rows:,} rows in {self.path} ({totals.shards} "
            f"shard{'s' * (totals.shards != 1)}, {totals.made} made by this call{again})"
        )
        return "\n".join([first, *totals.lines()])
