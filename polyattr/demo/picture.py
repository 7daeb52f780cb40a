"""The demo's picture: one column per digit, one row per method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from polyattr.plots.compare import compare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from polyattr.demo.findings import Explained, Shown


def draw(shown: Shown, explained: Sequence[Explained], framework: str) -> Figure:
    """Draws the digits and what each method says about them.

    Args:
        shown: The digits, the misread ones first.
        explained: One entry per method, in the order of the rows.
        framework: What ran, for the heading.

    Returns:
        The comparison that `polyattr.plots.compare` draws.
    """
    right = shown.held_out - len(shown.misread)
    pairs = zip(shown.predicted, shown.labels, strict=True)
    return compare(
        {f"{entry.method.name}\n{entry.method.gist}": entry.attribution for entry in explained},
        shown.images,
        labels=shown.labels,
        captions=[f"reads {p}" if p == is_ else f"reads {p}, is {is_}" for p, is_ in pairs],
        heading="Why the network read these digits as it did",
        subheading=f"polyattr on {framework}. Real handwriting the network was not trained on: it "
        f"reads {right:,} of {shown.held_out:,} digits right. Every map explains the class it "
        f"reads.",
        about_inputs="what the network saw",
    )
