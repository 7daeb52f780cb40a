"""What a metric finds: a number for each sample, how certain it is, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.metrics.records.means import mean_and_error
from polyattr.results.exports.optional import library

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

OF_SAMPLES = {"samples": True}
"""Marks a field whose first axis counts samples, and which is joined over batches."""


@dataclass(frozen=True, repr=False)
class Measurement:
    """What a metric says of N samples.

    Attributes:
        metric: Its name.
        method: Repr of the method whose maps were measured, with all its settings.
        values: (N,) one number per sample, in the units the metric says; NaN where the map is NaN.
        standard_error: (N,) of each value, of metrics that sample; None for those that do not.
        settings: The arguments of the metric.
        better: "lower", "higher" or "zero": which values speak for the map.

    Example:
        >>> import numpy as np
        >>> from polyattr.metrics import Measurement
        >>> Measurement("gap", "Saliency()", np.array([1.0, 3.0])).mean
        2.0
    """

    metric: str
    method: str
    values: Array = field(metadata=OF_SAMPLES)
    standard_error: Array | None = field(default=None, metadata=OF_SAMPLES)
    settings: Mapping[str, Any] = field(default_factory=dict)
    better: str = "lower"

    def __len__(self) -> int:
        """Number of samples, N."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The mean of the values over samples, without those that are NaN."""
        return mean_and_error(self.values)[0]

    @property
    def mean_standard_error(self) -> float:
        """The standard error of `mean`, from the spread of the samples; NaN for a single one.

        Draws are each sample's own, so that what they add to the spread is part of it.
        """
        return mean_and_error(self.values)[1]

    def to_frame(self) -> Any:
        """Returns a pandas DataFrame with a row for each sample: its value and standard error.

        Raises:
            MissingExtraError: pandas is not installed.

        Example:
            >>> import numpy as np
            >>> from polyattr.metrics import Measurement
            >>> found = Measurement("gap", "Saliency()", np.array([1.0]), np.array([0.5]))
            >>> found.to_frame().columns.tolist()
            ['sample', 'gap', 'standard_error']
        """
        pandas = library("pandas", "to_frame")
        columns = {"sample": np.arange(len(self)), self.metric: self.values}
        errors = np.full(len(self), np.nan)
        columns["standard_error"] = errors if self.standard_error is None else self.standard_error
        frame = pandas.DataFrame(columns | self._columns())
        frame.attrs = {"metric": self.metric, "method": self.method, **self.settings}
        return frame

    def _columns(self) -> dict[str, Array]:
        """What else there is of each sample, for `to_frame`."""
        return {}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the values in the order of their size with their errors, and the mean with its own.

        Args:
            ax: Axes of matplotlib; None for those of a new figure.

        Returns:
            The axes; a notebook shows them.

        Raises:
            InputTypeError: `ax` is something else.
            MissingExtraError: matplotlib is not installed.

        Example:
            >>> import numpy as np
            >>> from polyattr.metrics import Measurement
            >>> ax = Measurement("gap", "Saliency()", np.array([1.0, 3.0])).plot()
            >>> ax.get_ylabel()
            'gap'
        """
        from polyattr.metrics.records.figures import dots  # late: a number needs no drawing library

        return dots(self, ax)

    def __repr__(self) -> str:
        told = f"{self.mean:.4g}"
        if not np.isnan(self.mean_standard_error):
            told += f" \N{PLUS-MINUS SIGN} {self.mean_standard_error:.2g}"
        n = f"{len(self)} sample{'s' * (len(self) != 1)}"
        best = "best near 0" if self.better == "zero" else f"{self.better} is better"
        of = self.method.partition("(")[0]
        return f"<{self.metric} of {of}: {told} on {n}, {best}>"


def joined(parts: list[Any]) -> Any:
    """Joins what a metric found batch by batch to one record of all samples."""
    first = parts[0]
    if len(parts) == 1:
        return first
    arrays = {
        entry.name: np.concatenate([getattr(part, entry.name) for part in parts])
        for entry in fields(first)
        if entry.metadata and getattr(first, entry.name) is not None
    }
    return replace(first, **arrays)
