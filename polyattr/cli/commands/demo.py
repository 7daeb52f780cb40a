"""`polyattr demo`: a trained network on real digits, all methods, one picture."""

from __future__ import annotations

import click

from polyattr.demo.tour import FOLDER


@click.command()
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
    from polyattr.demo.report import print_report, terminal
    from polyattr.demo.tour import run

    console = terminal()
    tour = run(backend, method, out, announce=lambda text: console.print(text, markup=False))
    print_report(tour, console)
