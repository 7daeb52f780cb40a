"""What a model compared its input with where it failed: perhaps the number of rows it takes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import FrameType
from typing import Any

_DEEPEST = 3
_MOST = 1000


def numbers_at(error: BaseException) -> list[int]:
    """Lists the whole numbers that the code could read in which an error was raised.

    `assert x.shape[0] == self.batch_size` says nothing in its message: the number is among the
    constants, variables and attributes that the function names.

    Args:
        error: As caught.

    Returns:
        Numbers, those of attributes first, each once.
    """
    frame = _innermost(error)
    if frame is None:
        return []
    code = frame.f_code
    names = [*code.co_names, *(text for text in code.co_consts if isinstance(text, str))]
    held = [frame.f_globals.get(name) for name in code.co_names]
    found: list[int] = []
    level: list[Any] = [*frame.f_locals.values(), *held]
    for _ in range(_DEEPEST):
        found = _numbers(level) + found
        level = [part for value in level[:_MOST] for part in _parts(value, names)]
    return list(dict.fromkeys([*found, *_numbers(code.co_consts)]))


def _innermost(error: BaseException) -> FrameType | None:
    """Returns the frame that raised."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return None if traceback is None else traceback.tb_frame


def _numbers(values: Iterable[Any]) -> list[int]:
    return [value for value in values if type(value) is int]


def _parts(value: Any, names: list[str]) -> list[Any]:
    """Lists what is under these names in an object or dict, without running a property."""
    if value is None or isinstance(value, int | float | str):
        return []
    if isinstance(value, dict):
        return [value[name] for name in names if name in value]
    every = (inspect.getattr_static(value, name, None) for name in names)
    return [part for part in every if part is not None]
