"""An error of the user's own code, of its own type, with a line of ours in front."""

from __future__ import annotations

from typing import Any


def preceded(error: Exception, line: str) -> Exception:
    """Returns an error that is what `error` is, its words behind a line of ours.

    Whoever catches the type still does; traceback, notes and attributes are the same.

    Args:
        error: What the user's code raised.
        line: What to say first.
    """
    kind = type(error)
    try:
        made: Exception = _kind(kind, line).__new__(_kind(kind, line), *error.args)
    except Exception:  # a type that cannot be derived from, or made from its own arguments
        error.add_note(line)
        return error
    made.args = error.args
    vars(made).update(vars(error))
    made.__cause__, made.__suppress_context__ = error.__cause__, True
    return made.with_traceback(error.__traceback__)


def _kind(kind: type[Exception], line: str) -> type[Exception]:
    """A type of that name which says the line first."""

    def told(self: Exception) -> str:
        return f"{line}\n{kind.__str__(self)}"

    def reduced(self: Exception) -> tuple[Any, ...]:
        plain = kind.__new__(kind, *self.args)
        plain.args = self.args
        vars(plain).update(vars(self))
        return preceded, (plain, line)

    names = {"__str__": told, "__reduce__": reduced, "__module__": kind.__module__}
    made: type[Exception] = type(kind.__name__, (kind,), names)
    made.__qualname__ = kind.__qualname__
    return made
