"""Figures of metrics, in the style of `polyattr.plots`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.metrics.records.means import mean_and_error
from polyattr.plots.drawing.figure import FAINT, FRAME, INK, SMALL, axes_for, head, open_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

_LINE, _MARK = "#0072b2", "#d55e00"


def dots(found: Any, ax: Axes | None) -> Axes:
    """Draws the values of a `Measurement` in the order of their size, and their mean.

    Takes and returns what `Measurement.plot` does.
    """
    axes = axes_for(ax, 4.4, 3.0)
    order = np.argsort(found.values, kind="stable")
    values, place = found.values[order], np.arange(len(found))
    if found.standard_error is not None:
        spread = found.standard_error[order]
        axes.errorbar(place, values, spread, fmt="none", ecolor=FRAME, elinewidth=0.9, zorder=1)
    axes.scatter(place, values, s=9, color=_LINE, zorder=2)
    _mean_line(axes, found)
    axes.set_ylabel(found.metric, fontsize=SMALL, color=FAINT)
    axes.set_xlabel("samples, by their value", fontsize=SMALL, color=FAINT)
    _finish(axes, found)
    axes.set_xticks([])
    return axes


def curve(found: Any, ax: Axes | None) -> Axes:
    """Draws the mean curve of a `Curve` with its standard error, above those of the samples.

    Takes and returns what `Curve.plot` does.
    """
    axes = axes_for(ax, 4.4, 3.0)
    n = len(found)
    faint = min(0.5, 6 / max(n, 1))
    axes.plot(found.fractions, found.scores.T, color=FRAME, linewidth=0.5, alpha=faint)
    ends = np.array([mean_and_error(column) for column in found.scores.T])
    mean, error = ends[:, 0], np.nan_to_num(ends[:, 1])
    axes.fill_between(
        found.fractions, mean - error, mean + error, color=_LINE, alpha=0.25, linewidth=0
    )
    axes.plot(found.fractions, mean, color=_LINE, linewidth=1.8)
    axes.set_xlim(0, 1)
    done = "removed" if found.metric == "deletion" else "put in"
    axes.set_xlabel(f"fraction of features {done}", fontsize=SMALL, color=FAINT)
    relative = found.settings.get("normalise")
    axes.set_ylabel("score, relative" if relative else "score", fontsize=SMALL, color=FAINT)
    _finish(axes, found)
    return axes


def layers(found: Any, ax: Axes | None) -> Axes:
    """Draws the mean similarity of a `Randomisation` at each layer, with its standard error.

    Takes and returns what `Randomisation.plot` does.
    """
    axes = axes_for(ax, 4.4, 3.0)
    ends = np.array([mean_and_error(column) for column in found.similarity.T])
    place = np.arange(len(found.layers) + 1)
    axes.axhline(0, color=FRAME, linewidth=0.7, zorder=0)
    mean = np.concatenate([[1.0], ends[:, 0]])  # the model itself
    error = np.concatenate([[0.0], np.nan_to_num(ends[:, 1])])
    joined = "-" if found.settings.get("mode") == "cascading" else "none"
    axes.errorbar(
        place, mean, error, color=_LINE, linestyle=joined, marker="o", markersize=4, linewidth=1.4
    )
    axes.set_xticks(place, ["as it is", *found.layers], rotation=35, ha="right")
    axes.set_ylim(min(-0.1, float(np.nanmin(mean - error)) - 0.05), 1.08)
    axes.set_ylabel("rank correlation with the map", fontsize=SMALL, color=FAINT)
    _finish(axes, found)
    return axes


def _mean_line(axes: Axes, found: Any) -> None:
    mean, error = found.mean, np.nan_to_num(found.mean_standard_error)
    if np.isnan(mean):
        axes.text(0.5, 0.5, "no value", transform=axes.transAxes, ha="center", color=INK)
        return
    axes.axhspan(mean - error, mean + error, color=_MARK, alpha=0.2, linewidth=0)
    axes.axhline(mean, color=_MARK, linewidth=1.2)


def _finish(axes: Axes, found: Any) -> None:
    axes.tick_params(axis="y", labelsize=SMALL)
    axes.yaxis.get_offset_text().set_fontsize(SMALL)
    open_frame(axes, "left", "bottom")
    told = f"{found.metric} {found.mean:.3g}"
    if not np.isnan(found.mean_standard_error):
        told += f" \N{PLUS-MINUS SIGN} {found.mean_standard_error:.1g}"
    n = len(found)
    head(axes, (found.method.partition("(")[0], f"{told}, {n:,} sample{'s' * (n != 1)}"), None)
