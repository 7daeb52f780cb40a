"""`polyattr show FILE`: a saved result as a table, and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from polyattr.cli.asking.where import read_where
from polyattr.cli.commands.options import PATH, shown
from polyattr.cli.files.outputs import PICTURES, RESULTS, checked
from polyattr.cli.files.saved import load_result
from polyattr.cli.telling.ending import finish


@click.command()
@click.argument("file", metavar="FILE", type=PATH)
@click.option(
    "--out",
    "-o",
    metavar="FILE",
    type=PATH,
    multiple=True,
    help="Write a picture (.png, .pdf, .svg), or the samples of --where (.npz, .safetensors).",
)
@shown
def show(file: Path, out: tuple[Path, ...], **options: Any) -> None:
    """Show a result that was saved (.npz, .safetensors); needs no framework."""
    if options["where"] is not None:
        read_where(options["where"])
    outputs = checked(out, (*PICTURES, *RESULTS), options["force"], [file])
    finish(load_result(file), outputs, options, command="show", source=str(file))
