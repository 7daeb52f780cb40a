"""The `polyattr` command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from polyattr.errors import MissingExtraError, PolyattrError

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
        raise MissingExtraError("the polyattr command", "demo") from error

    from polyattr import __version__
    from polyattr.demo.tour import FOLDER

    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="polyattr")
    def polyattr() -> None:
        """Gradient attribution on PyTorch, TensorFlow and JAX."""

    @polyattr.command()
    @click.option("--backend", metavar="NAME", help="jax, torch or tensorflow; default: installed.")
    @click.option("--method", metavar="NAME", help="Run one method only, such as SmoothGrad.")
    @click.option(
        "--out", metavar="DIR", default=FOLDER, show_default=True, help="Folder for the picture."
    )
    def demo(backend: str | None, method: str | None, out: str) -> None:
        """Explain why a trained network read real handwritten digits as it did.

        Twelve digits it never saw, including those it misreads, all methods, one picture:
        polyattr-demo.png. Nothing is downloaded.
        """
        try:
            _demo(backend, method, out)
        except PolyattrError as error:
            raise click.ClickException(str(error)) from error

    return polyattr


def _demo(backend: str | None, method: str | None, out: str) -> None:
    from polyattr.demo.report import print_report, terminal
    from polyattr.demo.tour import run

    console = terminal()
    tour = run(backend, method, out, announce=lambda text: console.print(text, markup=False))
    print_report(tour, console)
