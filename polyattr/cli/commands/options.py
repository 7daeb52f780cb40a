"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)


def shown(command: Command) -> Command:
    """Adds what says which samples are shown, and how."""
    options = (
        click.option(
            "--where",
            metavar="EXPR",
            help="Keep the samples this is true of, such as 'score < 0.5 and not converged'; of "
            "score, error, gap, converged, target, class, name, sample, abs(gap).",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
        click.option(
            "--top",
            type=click.IntRange(0, 10_000),
            default=5,
            show_default=True,
            help="Features of each sample in JSON.",
        ),
        click.option(
            "--rows",
            type=click.IntRange(1),
            default=20,
            show_default=True,
            help="Most samples in the table.",
        ),
        click.option("--force", is_flag=True, help="Replace files that are there."),
    )
    for option in reversed(options):
        command = option(command)
    return command
