"""What is explained: turning the `targets` argument into one score per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Likeness, Tensor
from polyattr.dtypes import FLOATS
from polyattr.errors import InputError, InputTypeError, ModelOutputError, brief
from polyattr.question.checks import check_called, check_unmasked
from polyattr.scores import reductions
from polyattr.scores.reductions import Rule, Selected, Shaped

_HOW = (
    "pass a class index (int), N indices (N,), a tuple of indices for outputs with more axes "
    "or one such tuple per sample, weights in the shape of the output, or a callable on the output"
)
_NAMED = "of classes by name take their numbers, classes.index(name); "


def _expected(n: int, shape: tuple[int, ...]) -> str:
    """Says which indices (N, ...) an output of `shape` a sample takes."""
    if len(shape) <= 1:
        return f"({n},)"
    axes = len(shape)
    return f"({n}, {axes}), {axes} for each sample, or a tuple of {axes}, each an int or ({n},),"


@dataclass(frozen=True)
class Targets:
    """Targets in the form a rule takes, ready for the kernel.

    Attributes:
        rule: Scores outputs. Static: another rule is another kernel.
        columns: Native tensors (N, ...), gathered per row and passed to the kernel.
        record: What `Attribution.targets` reports.
    """

    rule: Rule
    columns: list[Tensor]
    record: Any = None

    @property
    def certain(self) -> bool:
        """Whether all that the rule computes with could be followed."""
        return not isinstance(self.rule, Selected) or self.rule.alike.certain

    def shaped(self, shape: tuple[int, ...]) -> Targets:
        """Returns the same for outputs (N, *shape) only; a callable takes what it is given."""
        if isinstance(self.rule, Selected):
            return self
        return Targets(Shaped(self.rule, shape), self.columns, self.record)

    def finite(self, sample: int) -> bool:
        """Whether a sample's targets are finite, as those of a user's own score need not be."""
        if not isinstance(self.record, np.ndarray):
            return True
        return bool(np.isfinite(self.record[sample]).all())


class TargetReader:
    """Reads one `targets` argument against the shape of the model's output.

    Args:
        backend: Makes native tensors.
        like: A tensor on the device of the inputs.
        n: Number of samples.
        shape: Shape of one sample's output, without the sample axis.
        alike: What the last callable was like: the same one need not be followed again.
    """

    def __init__(
        self,
        backend: GradBackend,
        like: Tensor,
        n: int,
        shape: tuple[int, ...],
        alike: Likeness | None = None,
    ) -> None:
        self.backend, self.like, self.n, self.shape = backend, like, n, shape
        self.alike = alike

    @property
    def whole(self) -> tuple[int, ...]:
        """Shape of the output of all samples."""
        return (self.n, *self.shape)

    @property
    def is_score(self) -> bool:
        """Whether the output already is one score per sample: (N,) or (N, 1)."""
        return self.shape in {(), (1,)}

    def read(self, targets: Any, dtype: str) -> Targets:
        """Tells indices, weights and callables apart.

        Args:
            targets: As the user passed them; not None unless the output is the score.
            dtype: The outputs' dtype, for weights.

        Raises:
            InputError: Out of range, of the wrong shape, or ambiguous.
            InputTypeError: Not something that can name a target.
        """
        if targets is None:
            return Targets(reductions.total, [])
        if callable(targets) and not self.backend.is_tensor(targets):
            name = getattr(targets, "__name__", repr(targets))
            alike = self.alike
            if alike is None or not alike.still(targets):
                check_called("targets", targets, "g(outputs) -> (N,)", "one positional argument")
                alike = Likeness(targets, self.backend.is_tensor)
            return Targets(Selected(targets, alike), [], record=name)
        if isinstance(targets, tuple):
            return self.indices([self._array(part) for part in targets], targets)
        array = self._array(targets)
        if isinstance(targets, list) and any(len(getattr(part, "shape", ())) for part in targets):
            self._check_list(array)
        if array.ndim == 0 and np.issubdtype(array.dtype, np.integer):
            return self.indices([array], targets)
        return self._array_targets(array, dtype)

    def unread(self, targets: Tensor, dtype: str) -> Targets:
        """Takes native targets whose values belong to a trace, by their shape alone.

        Args:
            targets: Indices (N,), or weights in the shape of the output; their range and whether
                they are finite cannot be checked.
            dtype: The outputs' dtype, for weights.

        Raises:
            InputError: Another shape.
        """
        shape = tuple(targets.shape)
        if self.backend.dtype(targets) in FLOATS:
            if shape == self.whole:
                return Targets(reductions.weighted, [self.backend.cast(targets, dtype)])
        elif shape == (self.n,) and len(self.shape) == 1:
            return Targets(reductions.indexed, [targets])
        elif self._has_index_rows(shape):
            return Targets(reductions.indexed, [targets[:, k] for k in range(shape[1])])
        raise InputError(
            f"targets are being traced and have shape {shape}; expected integers of shape "
            f"{_expected(self.n, self.shape)} or floating weights in the shape of the output, "
            f"{self.whole}"
        )

    def _array_targets(self, array: np.ndarray[Any, Any], dtype: str) -> Targets:
        whole = self.whole
        integer = np.issubdtype(array.dtype, np.integer)
        if integer and array.shape == (self.n,) and self.shape != ():
            return self.indices([array], array)
        if integer and self._has_index_rows(array.shape):
            return self.indices(list(array.T), array)
        if integer and self.is_score and array.shape == whole:
            raise InputError(
                f"targets of integer type and shape {array.shape} are ambiguous for an output of "
                f"shape {whole}: pass None to explain the score itself, or floats to weight it"
            )
        if array.shape == whole and array.dtype.kind in "fbiu":
            return self._weights(array, dtype)
        kind = "indices" if integer else "weights"
        expected = _expected(self.n, self.shape) if integer else f"{whole}"
        raise InputError(
            f"targets have shape {array.shape} and dtype {array.dtype}; expected {kind} of shape "
            f"{expected} for an output of shape {whole}: {_HOW}"
        )

    def _has_index_rows(self, shape: tuple[int, ...]) -> bool:
        """Says whether integers of `shape` are an index per axis for each sample, (N, axes)."""
        return len(self.shape) > 1 and shape == (self.n, len(self.shape))

    def _check_list(self, array: np.ndarray[Any, Any]) -> None:
        """Checks a list of arrays, as a loader collates pairs of labels: is one for each axis?"""
        if array.dtype.kind in "iu" and self._has_index_rows(array.shape[::-1]):
            raise InputError(
                f"targets are a list of {len(array)} arrays: one for each axis of the output, or "
                f"one for each of {self.n} samples? Pass a tuple for the one, a single array "
                f"({self.n}, {len(self.shape)}) for the other"
            )

    def _weights(self, array: np.ndarray[Any, Any], dtype: str) -> Targets:
        native = self.native(array, dtype)
        return Targets(reductions.weighted, [native], record=array)

    def native(self, array: np.ndarray[Any, Any], dtype: str) -> Tensor:
        """Makes weights native.

        Raises:
            InputError: Not finite in that dtype.
        """
        with np.errstate(over="ignore"):
            native = self.backend.to_native(array.astype(np.float64), self.like, dtype)
        if not np.isfinite(self.backend.to_numpy(native)).all():
            raise InputError(
                f"targets given as weights contain NaN or inf in {dtype}, the outputs' dtype; "
                f"expected finite weights"
            )
        return native

    def floats(self, targets: Any, what: str) -> np.ndarray[Any, Any]:
        """Reads targets that are numbers.

        Raises:
            InputTypeError: None, or no array.
        """
        if targets is None:
            raise InputTypeError(f"targets is None; expected {what} for each sample")
        how = f"expected {what} for each sample, in one array of numbers"
        return self._array(targets, how).astype(np.float64)

    def indices(self, parts: list[np.ndarray[Any, Any]], given: Any) -> Targets:
        """Checks one index per output axis and spreads scalars over the samples."""
        if self.shape == ():
            raise InputError(
                f"targets are {brief(given)}, but the output of shape ({self.n},) is one score "
                f"per sample and has no class to index; pass targets=None"
            )
        if len(parts) != len(self.shape):
            raise InputError(
                f"targets {brief(given)} give {len(parts)} {_plural('index', len(parts))} per "
                f"sample, but the output of shape {self.whole} has {len(self.shape)} "
                f"{_plural('axis', len(self.shape))} after the sample axis: {_HOW}"
            )
        columns = [
            self._index(part, axis, size)
            for axis, (part, size) in enumerate(zip(parts, self.shape, strict=True), start=1)
        ]
        record = columns[0] if len(columns) == 1 else np.stack(columns, axis=1)
        native = [self.backend.to_native(c, self.like) for c in columns]
        return Targets(reductions.indexed, native, record=record)

    def _index(self, part: np.ndarray[Any, Any], axis: int, size: int) -> np.ndarray[Any, Any]:
        if not np.issubdtype(part.dtype, np.integer):
            raise InputTypeError(f"targets for output axis {axis} are {part.dtype}, not integers")
        if part.shape not in {(), (self.n,)}:
            raise InputError(
                f"targets for output axis {axis} have shape {part.shape}; expected an int or "
                f"({self.n},) for {self.n} samples"
            )
        wrong = part[(part < 0) | (part >= size)] if part.ndim else part.reshape(1)
        if wrong.size and not 0 <= int(wrong[0]) < size:
            single = "; the output is one score per sample, pass targets=None" if size == 1 else ""
            raise InputError(
                f"target {int(wrong[0])} is out of range: output axis {axis} has {size} entries, "
                f"expected 0 to {size - 1}{single or _not_from_the_end(int(wrong[0]), size)}"
            )
        return np.ascontiguousarray(np.broadcast_to(part.astype(np.int64), (self.n,)))

    def _array(self, value: Any, how: str = _HOW) -> np.ndarray[Any, Any]:
        if self.backend.is_tensor(value):
            return self.backend.to_numpy(value)
        return read_numbers(value, how)

    def predicted(self, outputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Returns (N,) the class with the largest output of each sample."""
        classes: np.ndarray[Any, Any] = outputs.argmax(axis=1)
        return classes

    def check_predictable(self) -> None:
        """Checks that a predicted class exists.

        Raises:
            ModelOutputError: The output has several axes, so nothing is *the* predicted class.
        """
        if len(self.shape) > 1:
            raise ModelOutputError(
                f"targets is None, but the output has shape {self.whole}: no single "
                f"class is predicted. Say what to explain: {_HOW}"
            )


def _not_from_the_end(target: int, size: int) -> str:
    """Says of a negative index that it is none, as of the labels frameworks leave out (-100)."""
    return f" (negative ones do not count from the end; the last is {size - 1})" * (target < 0)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else {"index": "indices", "axis": "axes"}[word]


def read_numbers(value: Any, how: str) -> np.ndarray[Any, Any]:
    """Reads targets that are no tensor as an array of numbers; `how` ends messages.

    Raises:
        InputTypeError: No numbers.
        InputError: No array.
    """
    if value is None or isinstance(value, str | bytes | dict):
        raise InputTypeError(f"targets are {brief(value)}: {_NAMED * isinstance(value, str)}{how}")
    check_unmasked("targets", value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"targets are no array ({error}): {how}") from None
    if array.dtype.kind not in "biuf":
        raise InputTypeError(f"targets are of type {array.dtype}: {_NAMED}{how}")
    return array
