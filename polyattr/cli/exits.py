"""How the command ends when it does not succeed: an exit code for each kind of cause."""

from __future__ import annotations

from polyattr.errors import PolyattrError

FAILED, INTERRUPTED = 1, 130


class CommandError(PolyattrError):
    """What the command says in one line before it ends with `exit_code`."""

    exit_code = FAILED


class WrongUseError(CommandError):
    """Arguments that cannot be understood, or do not fit each other."""

    exit_code = 2


class InputFileError(CommandError):
    """The input, or a file that belongs to it, cannot be read."""

    exit_code = 3


class ModelFileError(CommandError):
    """The model cannot be loaded, or not without being trusted."""

    exit_code = 4


class OutputFileError(CommandError):
    """A file cannot be written, or is there already."""

    exit_code = 5


def exit_code(error: BaseException) -> int:
    """Returns the code that the command ends with after an `error`."""
    return error.exit_code if isinstance(error, CommandError) else FAILED
