"""`polyattr explain MODEL INPUT`: what drove these predictions, by how much, how exactly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from polyattr.cli.asking.explaining import answer
from polyattr.cli.asking.where import read_where
from polyattr.cli.commands.options import PATH, shown
from polyattr.cli.files.outputs import PAGES, PICTURES, RESULTS, checked
from polyattr.cli.inputs.pixels import LAYOUTS
from polyattr.cli.telling.ending import finish

_METHOD = "IntegratedGradients"


def _setting(
    name: str, text: str, metavar: str = "NUMBER"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(name, metavar=metavar, help=text)


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument("source", metavar="INPUT", type=PATH)
@click.option(
    "--method", "-m", metavar="NAME", default=_METHOD, show_default=True, help="See describe."
)
@click.option("--target", metavar="CLASS", help="Index or name of the class; default: predicted.")
@click.option(
    "--classes", metavar="FILE", type=PATH, help="Names of classes, a line each, or JSON."
)
@click.option(
    "--baseline",
    metavar="WHAT",
    help="Where paths start: a number, zeros, mean, "
    "blur[=SIGMA], farthest, noise, FILE.npy or module:object.",
)
@click.option(
    "--background", metavar="FILE", type=PATH, help="Data that ExpectedGradients draws from."
)
@_setting("--steps", 'Points on the path, or "auto".')
@_setting("--nb-samples", 'Noisy copies or draws, or "auto".')
@_setting("--tolerance", "Relative error to come within, or to be warned above.")
@_setting("--rule", "Quadrature rule.", "NAME")
@_setting("--noise", "Standard deviation of the noise, in units of the input.")
@_setting("--seed", "Seed of the draws.")
@_setting("--batch-size", 'Most rows per gradient call; "auto" chooses.')
@_setting("--output-layer", "Layer whose output is scored, such as logits or -2.", "LAYER")
@_setting("--output", "Which of several outputs is scored: a key or an index.", "KEY")
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="Any other argument of the method.",
)
@click.option("--backend", metavar="NAME", help="jax, torch or tensorflow; default: the model's.")
@click.option(
    "--trust",
    is_flag=True,
    help="Let the model file run what it holds. Only for files whose origin you know.",
)
@click.option(
    "--preprocess",
    metavar="MODULE:FUNCTION",
    help="Gets all samples, returns what the model takes; has the last word.",
)
@click.option("--size", metavar="SIZE", help="Size of pictures, 224 or 240x320 (height x width).")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS, case_sensitive=False),
    help="Where pictures have their channels.",
)
@click.option("--gray", is_flag=True, help="One channel instead of three.")
@click.option(
    "--scale",
    metavar="RANGE",
    help="Of pixels: unit (0 to 1), signed (-1 to 1), raw (0 "
    "to 255), imagenet, or A,B for (pixel - A) / B.",
)
@click.option(
    "--stretch",
    is_flag=True,
    help="Stretch pictures to the size instead of cutting the middle out.",
)
@click.option(
    "--array",
    metavar="NAME",
    multiple=True,
    help="Which array of an .npz; several for several inputs.",
)
@click.option(
    "--drop", metavar="COLUMN", multiple=True, help="A column of a table that is no feature."
)
@click.option("--columns", metavar="A,B,...", help="The only columns to take, in this order.")
@click.option("--id-column", metavar="COLUMN", help="The column that names the samples.")
@click.option("--no-header", is_flag=True, help="The table's first line is a sample.")
@click.option(
    "--dtype",
    type=click.Choice(["float16", "float32", "float64"]),
    help="Default: the model's, or float32.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=2**30,
    show_default=True,
    help="Most that an input may unfold to.",
)
@click.option(
    "--out",
    "-o",
    "out",
    metavar="FILE",
    type=PATH,
    multiple=True,
    help="Write the result (.npz, .safetensors), a picture (.png, .pdf, .svg) or a "
    "report (.html); may be given again.",
)
@click.option("--report", metavar="FILE.html", type=PATH, help="Write a report to hand on.")
@shown
def explain(
    model: str, source: Path, out: tuple[Path, ...], report: Path | None, **options: Any
) -> None:
    r"""Explain a model's scores of the samples in INPUT.

    MODEL is module:object (the object, or what it returns if it is a function that needs no
    argument; importing it runs your code), a .keras file, a SavedModel folder, a TorchScript file
    or a torch.export file (.pt2). All of these but .keras are programs: they are loaded with
    --trust only, and a .keras file with a Lambda layer likewise.

    INPUT is a picture, a folder of pictures, or an .npy, .npz, .csv, .tsv or .parquet file.

    \b
    polyattr explain train:model data.csv --drop label --where "score < 0.5"
    polyattr explain model.pt cat.jpg --trust --size 224 --layout CHW --scale imagenet --out cat.png
    """
    if options["where"] is not None:
        read_where(options["where"])
    pages = () if report is None else (report,)
    keep = [source, *([Path(model)] if Path(model).exists() else [])]
    title = f"{model}: {source.name}"
    outputs = checked([*out, *pages], (*RESULTS, *PICTURES, *PAGES), options["force"], keep, title)
    found = answer(model, source, options)
    head = {"model": {"name": model, "kind": found.model.kind}, "source": str(source)}
    head["settings"] = dict(found.settings)
    finish(found.result, outputs, options, found.warned, command="explain", **head)
