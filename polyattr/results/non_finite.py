"""Samples whose gradient is not finite: named in an error, or marked and named in one warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polyattr.errors import NonFiniteGradientError, NonFiniteGradientWarning, warn

_MOST_NAMED = 10


@dataclass(frozen=True)
class NonFinite:
    """The samples of a call, or of one batch, whose gradient is NaN or infinite somewhere.

    Attributes:
        points: Where it is, in words, by the number of the sample.
        samples: How many samples there are in all.
        cure: What to do about them.
    """

    points: Mapping[int, str]
    samples: int
    cure: str = ""

    def error(self) -> NonFiniteGradientError:
        """Returns the error that names them."""
        sample, where = next(iter(self.points.items()))
        shown = ", ".join(map(str, list(self.points)[:_MOST_NAMED])) + self._more
        return NonFiniteGradientError(
            f"the model's gradient is NaN or infinite for sample {sample} {where} "
            f"({len(self.points)} of {self.samples} samples affected: {shown}); {self.cure}; "
            f"on_nonfinite='mark' returns the other samples"
        )

    def tell(self) -> None:
        """Warns of them, if there are any.

        Warns:
            NonFiniteGradientWarning: There are some.
        """
        if not self.points:
            return
        named = [f"sample {sample} {where}" for sample, where in self.points.items()]
        shown = ", ".join(named[:_MOST_NAMED]) + self._more
        warn(
            f"the model's gradient is NaN or infinite for {len(self.points)} of {self.samples} "
            f"samples, whose attributions are NaN: {shown}; {self.cure}",
            NonFiniteGradientWarning,
        )

    @property
    def _more(self) -> str:
        return ", ..." if len(self.points) > _MOST_NAMED else ""


@dataclass
class Marks:
    """The marked samples of all batches of a dataset, numbered from its first sample."""

    _points: dict[int, str] = field(default_factory=dict)
    _samples: int = 0
    _cure: str = ""

    def add(self, found: NonFinite) -> None:
        """Adds those of a batch."""
        self._points |= {self._samples + s: where for s, where in found.points.items()}
        self._cure = self._cure or (found.cure if found.points else "")
        self._samples += found.samples

    def tell(self) -> None:
        """Warns of them, if there are any.

        Warns:
            NonFiniteGradientWarning: There are some.
        """
        NonFinite(self._points, self._samples, self._cure).tell()
