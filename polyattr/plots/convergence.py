"""How maps settle as more gradients are spent on them, and whether their errors say so."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import BaselineWarning, ConvergenceWarning, InputError, InputTypeError, brief
from polyattr.explainer import Explainer
from polyattr.plots.drawing.colours import colour_map
from polyattr.plots.drawing.figure import FAINT, FRAME, INK, SMALL, axes_for, head, open_frame
from polyattr.plots.drawing.lines import name_lines
from polyattr.plots.reading.samples import read_samples
from polyattr.question.checks import check_count
from polyattr.results.attribution import Attribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

_STATED, _MOVED = "#d55e00", "#0072b2"
_COUNTS = ("steps", "nb_samples")


def convergence(
    method: Any, inputs: Any = None, targets: Any = None, *, ax: Axes | None = None,
    cmap: Any = None, counts: Sequence[int] = (8, 16, 32, 64, 128), which: Any = None,
    title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws the errors that maps state, and how far they are from the best of them.

    Thin lines are samples, thick ones the median. Where both thick lines fall together, the stated
    error can be trusted; the distance of one map from another is in the L1 norm, relative to the
    better one. Takes the arguments `ax` and `title` of `image` and raises its errors.

    Args:
        method: A method with `steps` or `nb_samples`, which is called once with each of the counts;
            or at least two `Attribution` of the same samples, in the order of their effort.
        inputs: For a method: what to explain, as for `Explainer.explain`.
        targets: Likewise.
        cmap: A colormap or its name, whose ends are the colours of the lines; None for ours.
        counts: The `steps` or `nb_samples`, ascending.
        which: Of several inputs, the key or index of the one whose maps are compared.

    Returns:
        The axes; a notebook shows them.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import plots
        >>> method = polyattr.IntegratedGradients(lambda x: torch.relu(x - 1).sum(1))
        >>> ax = plots.convergence(method, torch.tensor([[3.0, 2.0]]), counts=(5, 9, 17))
        >>> ax.get_xscale(), ax.get_yscale()
        ('log', 'log')
    """
    results = _results(method, inputs, targets, counts)
    moved = _distances(results, which)
    stated = np.stack([np.ravel(result.error).astype(np.float64) for result in results])
    n = stated.shape[1]
    axes = axes_for(ax, 5.2, 3.2)
    _draw(axes, [float(np.mean(result.evaluations)) for result in results], stated, moved, cmap)
    head(axes, (f"{n:,} sample{'s' * (n > 1)}, the median of them thick",), title)
    return axes


def _results(method: Any, inputs: Any, targets: Any, counts: Any) -> list[Attribution]:
    if isinstance(method, Explainer):
        return _called(method, inputs, targets, counts)
    several = isinstance(method, Sequence) and not isinstance(method, str | bytes)
    if not several or not all(isinstance(one, Attribution) for one in method):
        raise InputTypeError(
            f"method is {brief(method)}; expected a method with steps or nb_samples, or a list of "
            f"attributions of the same samples"
        )
    if len(method) < 2:
        raise InputError(f"there are {len(method)} attributions; expected at least two")
    return [one.to_numpy() for one in method]


def _called(method: Explainer, inputs: Any, targets: Any, counts: Any) -> list[Attribution]:
    known = [name for name in _COUNTS if hasattr(method, name)]
    if not known:
        raise InputTypeError(
            f"method is {method!r}, which takes one gradient; expected a method with steps or "
            f"nb_samples"
        )
    if inputs is None:
        raise InputTypeError("inputs is None; expected what the method is to explain")
    if isinstance(counts, str | bytes) or not isinstance(counts, Sequence | np.ndarray):
        raise InputTypeError(f"counts is {counts!r}; expected numbers, such as (8, 16, 32)")
    each = [check_count("counts", count, 1) for count in counts]
    if len(each) < 2 or any(b <= a for a, b in pairwise(each)):
        raise InputError(f"counts is {brief(counts)}; expected at least two, ascending")
    found = []
    with warnings.catch_warnings():  # the picture says how far off they are
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", BaselineWarning)
        for count in each:
            own: dict[str, Any] = {known[0]: count}
            found.append(replace(method, **own).attribute(inputs, targets).to_numpy())
    return found


def _distances(results: Sequence[Attribution], which: Any) -> Array:
    """Relative L1 distances (R - 1, N) of all maps from the last one."""
    maps = [read_samples(result, which=which).values for result in results]
    if len({values.shape for values in maps}) > 1:
        shapes = ", ".join(str(values.shape) for values in maps)
        raise InputError(f"attributions have shapes {shapes}; expected the same samples in each")
    flat = np.stack([values.reshape(len(values), -1) for values in maps])
    size = np.abs(flat[-1]).sum(axis=-1)
    apart = np.abs(flat[:-1] - flat[-1]).sum(axis=-1)
    relative: Array = np.divide(apart, size, out=np.full_like(apart, np.nan), where=size > 0)
    return relative


def _draw(axes: Axes, each: list[float], stated: Array, moved: Array, cmap: Any) -> None:
    spent = np.array(each)
    colours: tuple[Any, Any] = (_STATED, _MOVED)
    if cmap is not None:
        chosen = colour_map(cmap, signed=True)
        colours = (chosen(1.0), chosen(0.0))
    lines = []
    named = ("error that is stated", "distance from the last map")
    for values, name, colour in zip((stated, moved), named, colours, strict=True):
        shown = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        x = spent[: len(values)]
        axes.plot(x, shown, color=colour, linewidth=0.5, alpha=min(0.5, 6 / shown.shape[1]))
        known = ~np.isnan(shown).all(axis=1)
        if known.any():
            middle = np.nanmedian(shown[known], axis=1)
            axes.plot(x[known], middle, color=colour, linewidth=2.0, marker="o", markersize=3.5)
            lines.append((float(middle[-1]), name, colour))
    axes.set_xscale("log")
    axes.set_xlabel("gradients per sample", fontsize=SMALL, color=FAINT)
    axes.set_ylabel("relative error of the map", fontsize=SMALL, color=FAINT)
    open_frame(axes, "left", "bottom")
    if not lines:
        axes.text(0.5, 0.5, "no error to draw", transform=axes.transAxes, ha="center", color=INK)
        return
    axes.set_yscale("log")
    axes.tick_params(axis="both", which="both", labelsize=SMALL)
    _limit(axes, stated, moved)
    _ticks(axes, spent)
    axes.grid(axis="y", color=FRAME, linewidth=0.4)
    name_lines(axes, lines)


def _limit(axes: Axes, *errors: Array) -> None:
    """Leaves out what is far below everything else: a sample that happens to be exact."""
    known = np.concatenate([values[np.isfinite(values) & (values > 0)] for values in errors])
    if known.size:
        low, middle, high = known.min(), np.percentile(known, 10), known.max()
        axes.set_ylim(max(low, middle / 10) / 1.4, high * 1.4)


def _ticks(axes: Axes, spent: Array) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    places = np.unique(spent)
    axes.set_xticks(places, [f"{place:,.0f}" for place in places])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    low, high = axes.get_ylim()
    if high / low > 20:
        axes.yaxis.set_minor_formatter(NullFormatter())
