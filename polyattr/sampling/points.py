"""Where on each sample the gradient is taken: at the input, along a path, or around the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.quadrature import Array, quadrature

# How far inside the path its start is taken: a few roundings of each dtype. The integrand at alpha
# = 0 is the limit from inside. At the baseline itself, often all zeros, every ReLU of a bias-free
# network sits on its kink and every max-pool window is a tie: the gradient there is a convention,
# different between frameworks, and would leave a trapezoid of 50 points 1% short.
_INSIDE = {"float64": 2.0**-48, "float32": 2.0**-20, "bfloat16": 2.0**-20, "float16": 2.0**-10}

Columns = Mapping[str, Tensor]
"""Per-row quantities of one tile, (R,) each, planned on the host."""


@dataclass(frozen=True)
class Points:
    """The points of every sample; the base class is the single point x itself.

    Attributes:
        count: Number of points P per sample.
        groups: Independent groups the points fall into, for a standard error between them.
        uses_noise: Whether points are noise draws.
        cure: What to do about a gradient that is not finite, for the error message.
    """

    count: int = 1
    groups: int = 1
    uses_noise: ClassVar[bool] = False
    cure: ClassVar[str] = "leave these samples out"

    @property
    def weights(self) -> Array:
        """(P,) weights of the points in the mean; they sum to 1."""
        return np.full(self.count, 1.0 / self.count)

    @property
    def group(self) -> np.ndarray[Any, Any]:
        """(P,) number of the group each point belongs to, in ascending order."""
        return np.zeros(self.count, dtype=np.int64)

    @property
    def columns(self) -> dict[str, Array]:
        """Per-point quantities that `place` needs, (P,) each."""
        return {}

    @property
    def draw(self) -> np.ndarray[Any, Any]:
        """(P,) number of the noise draw each point uses, in ascending order."""
        return np.zeros(self.count, dtype=np.int64)

    @property
    def at_input(self) -> int | None:
        """Number of the point that is x itself, if one is."""
        return 0

    def place(
        self, backend: GradBackend, x: Tensor, baseline: Tensor, noise: Tensor, columns: Columns
    ) -> Tensor:
        """Returns the points (R, ...) of the rows of one input.

        Args:
            backend: Supplies the verbs.
            x: (R, ...) the row's sample.
            baseline: (R, ...) the row's baseline, or None for methods without one.
            noise: (R, ...) the row's draw, or None for methods without noise.
            columns: Per-row quantities.
        """
        return x

    def describe(self, point: int) -> str:
        """Names a point for an error message."""
        return "at the input"


@dataclass(frozen=True)
class StraightPath(Points):
    """The straight line from baseline to input, at the nodes of a quadrature rule.

    Attributes:
        rule: Name of the rule.
    """

    cure: ClassVar[str] = (
        "leave these samples out, choose another baseline, or a rule that does not visit this "
        "point (rule='midpoint' visits neither end of the path)"
    )
    rule: str = "trapezoid"

    @cached_property
    def _nodes(self) -> tuple[Array, Array]:
        return quadrature(self.rule, self.count)

    @property
    def weights(self) -> Array:
        """(P,) quadrature weights."""
        return self._nodes[1]

    @property
    def columns(self) -> dict[str, Array]:
        """The fraction of the path at each point, and which point is its start."""
        return {"alpha": self._nodes[0], "start": (self._nodes[0] == 0).astype(np.float64)}

    @property
    def at_input(self) -> int | None:
        """The point with alpha exactly 1."""
        hits = np.flatnonzero(self._nodes[0] == 1.0)
        return int(hits[0]) if hits.size else None

    def place(
        self, backend: GradBackend, x: Tensor, baseline: Tensor, noise: Tensor, columns: Columns
    ) -> Tensor:
        """Interpolates between baseline and input, taking the start from inside."""
        alpha = columns["alpha"] + columns["start"] * _INSIDE[backend.dtype(x)]
        return backend.linspace(baseline, x, alpha)

    def describe(self, point: int) -> str:
        """Names the fraction of the path."""
        return f"at alpha = {self._nodes[0][point]:.4g} of the path from baseline to input"


@dataclass(frozen=True)
class NoisyCopies(Points):
    """The input with Gaussian noise added.

    Attributes:
        noise: Standard deviation in the units of the inputs.
        antithetic: Use each draw twice, with both signs.
    """

    uses_noise: ClassVar[bool] = True
    cure: ClassVar[str] = "leave these samples out, or lower noise if only some copies are affected"
    noise: float = 0.2
    antithetic: bool = False

    @property
    def draw(self) -> np.ndarray[Any, Any]:
        """(P,) draw used by each point; the two of an antithetic pair share one."""
        return np.arange(self.count) // (2 if self.antithetic else 1)

    @property
    def group(self) -> np.ndarray[Any, Any]:
        """(P,) groups of whole draws: pairs are never split, so groups are independent."""
        draws = self.draw
        groups: np.ndarray[Any, Any] = draws * self.groups // (draws[-1] + 1)
        return groups

    @property
    def columns(self) -> dict[str, Array]:
        """The signed standard deviation of each point."""
        sign = np.ones(self.count)
        if self.antithetic:
            sign[1::2] = -1.0
        return {"scale": sign * self.noise}

    @property
    def at_input(self) -> int | None:
        """No draw is x itself."""
        return None

    def place(
        self, backend: GradBackend, x: Tensor, baseline: Tensor, noise: Tensor, columns: Columns
    ) -> Tensor:
        """Adds the row's draw."""
        return backend.add_noise(x, noise, columns["scale"])

    def describe(self, point: int) -> str:
        """Names the draw."""
        return f"at noisy copy {point}"


def independent_groups(draws: int, least: int = 1) -> int:
    """Chooses how many groups of at least `least` draws a standard error is taken between.

    Eight groups leave the error itself uncertain by about a quarter per feature, and far less once
    summed over features; more groups would cost more memory.
    """
    return max(1, min(8, draws // least))
