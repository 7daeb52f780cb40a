"""The `polyattr` command: what it is made of, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from polyattr.errors import MissingExtraError

if TYPE_CHECKING:
    import click


def main() -> None:
    """Runs the command line; without click, says what to install."""
    try:
        commands = build()
    except MissingExtraError as error:
        sys.exit(f"Error: {error}")
    # TensorFlow would log its start-up between the progress bars; failures still raise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    commands()


def build() -> click.Group:
    """Builds the command and its subcommands.

    Raises:
        MissingExtraError: click is not installed.
    """
    try:
        import click
    except ImportError as error:
        raise MissingExtraError("the polyattr command", "cli") from error

    from polyattr import __version__
    from polyattr.cli.commands.backends import backends
    from polyattr.cli.commands.demo import demo
    from polyattr.cli.commands.describe import describe
    from polyattr.cli.commands.explain import explain
    from polyattr.cli.commands.report import report
    from polyattr.cli.commands.show import show
    from polyattr.cli.group import Commands

    @click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="polyattr")
    @click.option("--debug", is_flag=True, expose_value=False, help="Show where an error was met.")
    def polyattr() -> None:
        r"""Gradient attribution on PyTorch, TensorFlow and JAX.

        \b
        polyattr explain MODEL INPUT   explains a model's scores of pictures, arrays or tables
        polyattr describe METHOD       says what a method computes, and when to take it

        Exit codes: 0 done; 1 could not be done; 2 wrong use; 3 the input cannot be read; 4 the
        model cannot be loaded, or has to be trusted first; 5 a file cannot be written; 130
        interrupted.
        """

    for command in (explain, show, report, describe, backends, demo):
        polyattr.add_command(command)
    return polyattr
