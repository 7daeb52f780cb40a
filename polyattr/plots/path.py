"""The path of Integrated Gradients: how the score rises, and which features have raised it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.drawing.bars import LONGEST, feature_names
from polyattr.plots.drawing.figure import FAINT, FRAME, INK, SMALL, axes_for, head, open_frame
from polyattr.plots.drawing.lines import line_colours, name_lines
from polyattr.plots.reading.walked import Walk, walk
from polyattr.plots.reading.words import facts_of, literal, shortened
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]


def path(
    method: Any, inputs: Any, targets: Any = None, *, ax: Axes | None = None, cmap: Any = None,
    sample: int = 0, baselines: Any = None, points: int = 32, features: int = 3, names: Any = None,
    title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws how the score rises from baseline to input, and what is attributed on the way.

    Thick: the score above that of the baseline; dashed: what all attributions sum to so far, with
    the completeness gap at its end; coloured: the features with the largest ones. Below, a mark
    stands wherever the method took a gradient. Takes the arguments `ax`, `cmap` and `title` of
    `image` and raises its errors.

    Args:
        method: An `IntegratedGradients` on the straight path; each part costs as much as a sample.
        inputs: (N, ...) what to explain, a single array.
        targets: What to explain of the sample; None for the class predicted at the input.
        sample: Which of the N samples.
        baselines: In the shape of one sample, or a number; None for that of the method.
        points: Parts of the path.
        features: How many features have a line.
        names: One name per feature, counted through a sample; None for numbers.

    Returns:
        The axes; a notebook shows them.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import plots
        >>> method = polyattr.IntegratedGradients(lambda x: (x**2).sum(1), rule="midpoint")
        >>> ax = plots.path(method, torch.tensor([[1.0, 2.0]]))
        >>> round(float(ax.lines[1].get_ydata()[-1]), 3)
        5.0
    """
    numbers = check_count("points", points, 2), check_count("sample", sample, -(2**62))
    found = walk(method, inputs, targets, baselines, *numbers)
    called = feature_names(names, None, np.shape(found.result.values)[1:])
    most, axes = check_count("features", features, 0), axes_for(ax, 5.6, 3.4)
    _draw(axes, found, called, cmap, most)
    head(axes, facts_of(found.result, 0), title)
    return axes


def _draw(axes: Axes, found: Walk, called: tuple[str, ...], cmap: Any, most: int) -> None:
    alpha, total = found.alpha, found.parts.sum(axis=1)
    axes.axhline(0, color=FRAME, linewidth=0.7, zorder=0)
    axes.plot(alpha, found.rise, color=INK, linewidth=2.4)
    axes.plot(alpha, total, color="#a0a0a0", linewidth=1.3, linestyle=(0, (3, 2)))
    order = np.argsort(-np.abs(found.parts[-1]), kind="stable")[:most]
    colours = line_colours(cmap, len(order))
    for colour, feature in zip(colours, order, strict=True):
        axes.plot(alpha, found.parts[:, feature], color=colour, linewidth=1.2)
    axes.set_xlim(0, 1)
    lines = [(float(found.rise[-1]), "f(x) \N{MINUS SIGN} f(baseline)", INK)]
    lines.append((float(total[-1]), "sum of attributions", "#7a7a7a"))
    lines += [
        (float(found.parts[-1, i]), literal(shortened(called[i], LONGEST)), colour)
        for i, colour in zip(order, colours, strict=True)
    ]
    _rug(axes, found.nodes)
    name_lines(axes, lines)
    open_frame(axes, "left", "bottom")
    axes.tick_params(axis="y", labelsize=SMALL)
    spent = int(found.result.evaluations.ravel()[0])
    axes.set_xlabel(
        f"fraction of the path from baseline to input; {spent} gradients, where the marks are",
        fontsize=SMALL,
        color=FAINT,
    )


def _rug(axes: Axes, nodes: Array) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.07 * (high - low), high)
    low, high = axes.get_ylim()
    axes.vlines(nodes, low, low + 0.045 * (high - low), color=INK, linewidth=0.7, alpha=0.75)
