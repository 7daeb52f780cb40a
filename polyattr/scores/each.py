"""Several targets in one call: the same samples, asked about each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend
from polyattr.errors import InputError, InputTypeError, brief
from polyattr.scores.targets import Targets


@dataclass(frozen=True)
class Each:
    """What `each` returns: a value for `targets` that asks for a map of every one of them.

    Attributes:
        targets: T of what a call takes as `targets`.
    """

    targets: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"each([{', '.join(map(brief, self.targets))}])"


def each(targets: Iterable[Any]) -> Each:
    """Asks for the attributions of several targets in one call, which shares forward passes.

    Results then have an axis more, the first: values (T, N, ...), scores, gaps, errors and all else
    that is one number per sample (T, N). The model is evaluated once where the points of a method
    do not depend on the target, and differentiated T times; `batch_size` bounds rows times targets.

    Args:
        targets: T targets, in a list, a range or an array (T,) or (T, N), each of them as a call
            takes it: a class index, N indices, a tuple of indices for outputs with more axes, or
            weights in the shape of the output. All have to be of one kind.

    Returns:
        A value for the `targets` argument.

    Raises:
        InputTypeError: Not a list of targets, or with one that is None or itself several.
        InputError: It is empty.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.GradientInput(torch.nn.Linear(2, 5))
        >>> method(torch.ones(3, 2), targets=polyattr.each([0, 4])).shape
        torch.Size([2, 3, 2])
    """
    wrong = isinstance(targets, str | bytes | Mapping | Set | Each)
    if wrong or not isinstance(targets, Iterable) or getattr(targets, "shape", None) == ():
        raise InputTypeError(
            f"each was given {brief(targets)}; expected one list of targets, as in each([0, 3, 5])"
        )
    listed = tuple(targets)
    if not listed:
        raise InputError("each was given no targets; expected at least one, as in each([0])")
    for target in listed:
        if target is None or isinstance(target, Each):
            raise InputTypeError(
                f"each was given {brief(target)} as a target; expected a class index, N indices, a "
                f"tuple of indices or weights: what is predicted is one class, targets=None"
            )
    return Each(listed)


def listed(targets: Any) -> tuple[Any, ...]:
    """Returns the targets (T) of a call: one, unless they are several."""
    return targets.targets if isinstance(targets, Each) else (targets,)


def interleaved(backend: GradBackend, every: list[Targets], asked: tuple[Any, ...]) -> Targets:
    """Returns targets of N * T samples, of which T in a row are the same but for their targets.

    Args:
        backend: The framework.
        every: T targets of N samples, as they were read.
        asked: The same as the user passed them, for messages.

    Raises:
        InputError: They are not of one kind.
    """
    first = every[0]
    shapes = [[tuple(column.shape) for column in one.columns] for one in every]
    for one, shape, given in zip(every, shapes, asked, strict=True):
        if one.rule != first.rule or shape != shapes[0]:
            raise InputError(
                f"each was given {brief(asked[0])} and {brief(given)}, which are targets of "
                f"different kinds; expected indices alone, or weights of one shape: others in a "
                f"call of their own"
            )
    columns = []
    for parts in zip(*(one.columns for one in every), strict=True):
        n, count = int(parts[0].shape[0]), len(every)
        index = np.arange(n * count).reshape(count, n).T.ravel().astype(np.int32)
        native = backend.to_native(index, parts[0])
        columns.append(backend.batch(backend.concat(list(parts)), native))
    record = first.record
    if isinstance(record, np.ndarray):
        together = np.stack([one.record for one in every], axis=1)
        record = together.reshape(-1, *together.shape[2:])
    return Targets(first.rule, columns, record)
