"""What one row's output is worth: the reductions from outputs (R, ...) to scores (R,).

Rules are compiled into kernels, so each is a module-level function or compares by value; what
differs between rows comes in `columns`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from polyattr.backend import GradBackend, Tensor

Rule = Callable[[GradBackend, Tensor, list[Tensor]], Tensor]
"""``rule(backend, outputs, columns)``: outputs (R, ...) and the rows' columns to scores (R,)."""

# Keeps quotients of empty boxes and empty class vectors at 0; far below any area in pixels and
# any squared probability that matters, and a normal number in half precision.
_TINY = 1e-6


def total(backend: GradBackend, outputs: Tensor, _columns: list[Tensor]) -> Tensor:
    """The sum of the outputs: the output itself where there is one per row."""
    return backend.row_sums(outputs)


def indexed(backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
    """The output at an index, one column per axis."""
    return backend.pick(outputs, columns)


def weighted(backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
    """The sum of outputs times weights."""
    return backend.row_sums(outputs * columns[0])


@dataclass(frozen=True)
class Selected:
    """A user's callable on the outputs."""

    select: Callable[[Tensor], Tensor]

    def __call__(self, backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
        """Applies it."""
        return self.select(outputs)


def margin(backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
    """The target's output minus the best other: columns (R, C) one-hot, and -huge at the target."""
    own = backend.row_sums(outputs * columns[0])
    return own - backend.reduce("max", outputs + columns[1])


def log_odds(backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
    """Log p / (1 - p) of the target for p = softmax(outputs); columns as for `margin`."""
    own = backend.row_sums(outputs * columns[0])
    return own - backend.reduce("logsumexp", outputs + columns[1])


@dataclass(frozen=True)
class Detection:
    """The D-RISE similarity of the predicted boxes (R, B, 5 + C) to reference boxes.

    For each reference the best prediction's IoU x objectness x cosine between class scores,
    averaged over the references. Petsiuk et al., Black-box Explanation of Object Detectors via
    Saliency Maps (2021), arXiv 2006.03204. A box is (x1, y1, x2, y2, objectness, classes...).

    Attributes:
        objectness: Whether it counts.
        classes: Whether they count.
    """

    objectness: bool
    classes: bool

    def __call__(self, backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
        """Compares with columns (R, K, 5 + C), the references, and (R, K), their shares."""
        references, shares = columns
        predicted, wanted = outputs[:, None], references[:, :, None]
        similarity = _overlap(backend, predicted, wanted)
        if self.objectness:
            similarity = similarity * predicted[..., 4]
        if self.classes:
            similarity = similarity * _cosine(backend, predicted[..., 5:], wanted[..., 5:])
        return backend.row_sums(backend.reduce("max", similarity) * shares)


def _overlap(backend: GradBackend, a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes (..., >= 4)."""
    inside = 1.0
    for low, high in ((0, 2), (1, 3)):
        right = -backend.maximum(-a[..., high], -b[..., high])
        length = right - backend.maximum(a[..., low], b[..., low])
        inside = inside * backend.maximum(length, length * 0)
    return inside / (_area(a) + _area(b) - inside + _TINY)


def _area(box: Tensor) -> Tensor:
    return (box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1])


def _cosine(backend: GradBackend, a: Tensor, b: Tensor) -> Tensor:
    norms = (backend.reduce("sum", a * a) + _TINY) * (backend.reduce("sum", b * b) + _TINY)
    return backend.reduce("sum", a * b) / norms**0.5
