"""Results made by hand, and what a drawn picture shows."""

import io

import matplotlib.image
import numpy as np

from polyattr import Attribution


def attribution(values, **changes):
    """A result of an explainer with the given values (N, ...)."""
    values = np.asarray(values)
    n = len(values)
    given = {
        "values": values,
        "scores": np.arange(1.0, n + 1),
        "baseline_scores": np.zeros(n),
        "completeness_gap": np.full(n, 0.25),
        "error": np.full(n, 0.031),
        "converged": np.ones(n, bool),
        "evaluations": np.full(n, 50),
        "targets": np.arange(n),
        "method": "IntegratedGradients(steps=50)",
        "seed": None,
        "backend": "none",
        "signed": True,
    }
    return Attribution(**given | changes)


def pixels(figure, dpi=100):
    """A figure as it is written: (H, W, 3) from 0 to 1."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    buffer.seek(0)
    return matplotlib.image.imread(buffer)[..., :3]


def cells(axes, shape):
    """The colour in the middle of each cell of the map (H, W) on axes, as it is written."""
    figure = axes.figure
    figure.set_dpi(100)
    shown = pixels(figure)
    row, column = np.mgrid[: shape[0], : shape[1]]
    # A little off the middle, where signs may stand.
    points = np.stack([column.ravel() - 0.35, row.ravel() - 0.35], axis=-1)
    across, up = axes.transData.transform(points).T
    down = shown.shape[0] - up
    return shown[down.astype(int), across.astype(int)].reshape(*shape, 3)


def texts(figure):
    """All that is written in a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def said(figure):
    return "\n".join(texts(figure))
