"""How every command ends: with its result, or one line on stderr and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from polyattr.cli.exits import INTERRUPTED, exit_code
from polyattr.cli.lines import plain, told

_DEBUG = "--debug"
_HELP: type[click.UsageError] | None = getattr(click.exceptions, "NoArgsIsHelpError", None)
"""A line without arguments, as of click 8.2: before, help is no error."""


class Commands(click.Group):
    """The commands; errors are one line, of which ``--debug`` shows where they were met."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs a command line; arguments are those of `click.Command.main`."""
        given, debug = _without_debug(list(sys.argv[1:] if args is None else args))
        if not standalone_mode:
            return super().main(given, prog_name, complete_var, False, **extra)
        try:
            code = super().main(given, prog_name, complete_var, False, **extra)
        except Exception as error:
            if debug:
                traceback.print_exception(error)
            sys.exit(_end(error))
        except KeyboardInterrupt:  # outside of what click surrounds
            sys.exit(_end(click.Abort()))
        sys.exit(code if isinstance(code, int) else 0)


def _without_debug(args: list[str]) -> tuple[list[str], bool]:
    """Takes the flag out, wherever it stands before a bare ``--``."""
    end = args.index("--") if "--" in args else len(args)
    kept = [argument for argument in args[:end] if argument != _DEBUG]
    return kept + args[end:], len(kept) < end


def _end(error: BaseException) -> int:
    """Says what went wrong; returns the exit code."""
    if isinstance(error, click.Abort):
        _say("Interrupted.")
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        if _HELP is not None and isinstance(error, _HELP):
            error.show()
            return 2
        said = error.format_message()
        context = getattr(error, "ctx", None)
        hint = f" '{context.command_path} --help' tells more." if context else ""
        _say(f"Error: {said}{hint}")
        return error.exit_code
    _say(f"Error: {told(error)}")
    return exit_code(error)


def _say(text: str) -> None:
    click.echo(plain(text), err=True)
