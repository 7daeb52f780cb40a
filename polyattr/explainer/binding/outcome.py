"""What comes of one batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from polyattr.results.attribution import Attribution
from polyattr.results.by_target import Sorted
from polyattr.results.non_finite import NonFinite

Array = np.ndarray[Any, Any]


class Outcome(NamedTuple):
    """What comes of one batch.

    Attributes:
        values: Attributions in the containers of the inputs.
        attribution: Everything known about them; None where nobody asked.
        error: (N,) relative errors that have to be within the tolerance; None if not known.
        non_finite: Samples whose gradient is not finite.
    """

    values: Any
    attribution: Attribution | None
    error: Array | None
    non_finite: NonFinite

    def by_target(self, sort: Sorted) -> Outcome:
        """Returns the same with an axis of targets; the error is the worst of each sample."""
        return self._replace(
            values=sort.values(self.values),
            attribution=sort.attribution(self.attribution),
            error=sort.worst(self.error),
        )
