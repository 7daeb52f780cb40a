"""`polyattr report FILE -o report.html`: a saved result as one page to hand on."""

from __future__ import annotations

from pathlib import Path

import click

from polyattr.cli.asking.where import read_where
from polyattr.cli.commands.options import PATH
from polyattr.cli.exits import WrongUseError
from polyattr.cli.files.outputs import PAGES, checked
from polyattr.cli.files.saved import load_result
from polyattr.cli.lines import plain
from polyattr.cli.telling.ending import chosen


@click.command()
@click.argument("file", metavar="FILE", type=PATH)
@click.option("--out", "-o", metavar="FILE.html", type=PATH, required=True, help="Where to write.")
@click.option("--title", metavar="TEXT", help="What stands above; default: the file's name.")
@click.option("--where", metavar="EXPR", help="Only samples this is true of; see explain.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def report(file: Path, out: Path, title: str | None, where: str | None, force: bool) -> None:
    """Write a saved result as one HTML file that needs no network."""
    if where is not None:
        read_where(where)
    outputs = checked([out], PAGES, force, [file], title or file.name)
    kept = chosen(load_result(file), where)
    if not len(kept.scores):
        raise WrongUseError("no sample is meant by --where; expected one for a report")
    outputs.write(kept)
    click.echo(f"written: {plain(out)}")
