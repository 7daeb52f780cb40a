"""What one row's output is worth: the reductions from outputs (R, ...) to scores (R,).

Rules are compiled into kernels, so each is a module-level function or compares by value; what
differs between rows comes in `columns`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from polyattr.backend import GradBackend, Likeness, Tensor
from polyattr.errors import ModelOutputError

Rule = Callable[[GradBackend, Tensor, list[Tensor]], Tensor]
"""``rule(backend, outputs, columns)``: outputs (R, ...) and the rows' columns to scores (R,)."""


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
    """A user's callable on the outputs, compared by what it does.

    Attributes:
        select: The callable.
        alike: What makes it equal to another.
    """

    select: Callable[[Tensor], Tensor] = field(compare=False)
    alike: Likeness

    def __call__(self, backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
        """Applies it."""
        return self.select(outputs)


class OutputChangedError(ModelOutputError):
    """The output has another shape than the one the targets were read against."""


@dataclass(frozen=True)
class Shaped:
    """A rule for outputs of one shape: targets say something about that shape only.

    Attributes:
        rule: The rule.
        shape: Shape of one sample's output.
    """

    rule: Rule
    shape: tuple[int, ...]

    def __call__(self, backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
        """Applies the rule; sizes a trace does not know are taken for right."""
        rank = getattr(outputs.shape, "rank", len(self.shape) + 1)
        sizes = [] if rank is None else list(outputs.shape)[1:]
        known = rank is None or len(sizes) == len(self.shape)
        if not known or any(
            size not in {None, wanted} for size, wanted in zip(sizes, self.shape, strict=False)
        ):
            raise OutputChangedError(
                f"the model's output has shape (N, {', '.join(map(str, sizes))}) where it had (N, "
                f"{', '.join(map(str, self.shape))}) when it was tried; expected a model that "
                f"always gives outputs of the same shape"
            )
        return self.rule(backend, outputs, columns)


def margin(backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
    """The target's output minus the best other: columns (R, C) one-hot, and -huge at the target."""
    target = backend.row_sums(outputs * columns[0])
    return target - backend.reduce("max", outputs + columns[1])


def log_odds(backend: GradBackend, outputs: Tensor, columns: list[Tensor]) -> Tensor:
    """Log p / (1 - p) of the target for p = softmax(outputs); columns as for `margin`."""
    target = backend.row_sums(outputs * columns[0])
    return target - backend.reduce("logsumexp", outputs + columns[1])


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
        """Compares with columns (R, K, 5 + C), the references, and (R, K), their weights."""
        # Areas in pixels are beyond half precision.
        wide = backend.accumulator_dtype(outputs)
        outputs, references, weights = (backend.cast(t, wide) for t in (outputs, *columns))
        predicted, wanted = outputs[:, None], references[:, :, None]
        similarity = _overlap(backend, predicted, wanted)
        if self.objectness:
            similarity = similarity * predicted[..., 4]
        if self.classes:
            similarity = similarity * _cosine(backend, predicted[..., 5:], wanted[..., 5:])
        return backend.row_sums(backend.reduce("max", similarity) * weights)


def _overlap(backend: GradBackend, a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes (..., >= 4), those of `b` not empty."""
    ends = [
        (backend.maximum(a[..., i], b[..., i]), -backend.maximum(-a[..., i + 2], -b[..., i + 2]))
        for i in (0, 1)
    ]
    inside = _area(backend, *ends)
    first, second = (
        _area(backend, *((box[..., i], box[..., i + 2]) for i in (0, 1))) for box in (a, b)
    )
    return inside / (first + second - inside)


def _area(backend: GradBackend, *ends: tuple[Tensor, Tensor]) -> Tensor:
    """The product of the lengths, 0 where an end lies before its start."""
    (x1, x2), (y1, y2) = ends
    width, height = x2 - x1, y2 - y1
    return backend.maximum(width, width * 0) * backend.maximum(height, height * 0)


def _cosine(backend: GradBackend, a: Tensor, b: Tensor) -> Tensor:
    """The cosine of the angle between vectors (..., C), 0 where one has no direction."""
    squares = backend.reduce("sum", a * a) * backend.reduce("sum", b * b)
    empty = backend.cast(squares == 0, backend.dtype(squares))
    return backend.reduce("sum", a * b) / (squares + empty) ** 0.5
