"""Which axes of the inputs are space or time, found or given."""

from __future__ import annotations

from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_count

_CHANNELS = {1, 3, 4}


def space_axes(name: str, axes: tuple[int, ...] | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the axes of space or time of inputs of a `shape`, counted from the first.

    Args:
        name: Who asks, for messages.
        axes: As they were given; None finds them: the only one of (N, width), or of four axes all
            but that of samples and that of 1, 3 or 4 channels, on either end.
        shape: (N, ...).

    Raises:
        InputError: They are none of the inputs', or cannot be told.
    """
    rank = len(shape)
    if axes is not None:
        return axes_of("axes", axes, rank)
    channels = [axis for axis in (1, 3) if rank == 4 and shape[axis] in _CHANNELS]
    if rank != 2 and len(channels) != 1:
        raise InputError(
            f"{name} is given inputs of shape {shape} and no axes, and which of them are space "
            f"or time cannot be told; expected axes=, such as (2, 3) for (N, C, H, W)"
        )
    return tuple(axis for axis in range(1, rank) if axis not in channels)


def check_axes(name: str, axes: object) -> None:
    """Checks for a tuple of whole numbers.

    Raises:
        InputTypeError: Something else.
        InputError: The axis of samples among them.
    """
    if not isinstance(axes, tuple):
        raise InputTypeError(f"{name} is {axes!r}; expected a tuple of ints, such as (2, 3)")
    for axis in axes:
        check_count(name, axis, -32)
        if axis == 0:
            raise InputError(f"{name} names axis 0, which counts samples; expected another")


def axes_of(name: str, axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Counts `axes` of inputs with `rank` axes from the first.

    Raises:
        InputError: There is no such axis, or it counts samples.
    """
    if any(not -rank < axis < rank for axis in axes):
        raise InputError(
            f"{name} is {axes if len(axes) > 1 else axes[0]}, and the inputs have {rank} axes, of "
            f"which the first counts samples; expected 1 to {rank - 1}"
        )
    return tuple(axis % rank for axis in axes)
