"""What shap, captum and matplotlib call pictures and how they look, and how it is said here."""

from __future__ import annotations

_KINDS = {
    **dict.fromkeys(("beeswarm", "swarm", "violin"), "summary"),
    **dict.fromkeys(("bar", "bars", "barh", "waterfall", "force", "table"), "tabular"),
    **dict.fromkeys(("heatmap", "heat_map", "overlay", "map"), "image"),
    **dict.fromkeys(("series", "line"), "timeseries"),
}

_OPTIONS = {
    "ax": "functions of polyattr.plots, as plots.tabular(result, ax=...), draw on axes of yours",
    "sample": "result[3].plot() draws one sample",
    "title": "titles= has one for each sample",
    "figsize": "set_size_inches of the figure it returns has its size",
    "show": "the figure it returns is shown by a notebook, and written by savefig",
    "sign": "mode='positive' and mode='negative' draw one sign",
    "method": "kind= says which picture, mode= how a map is drawn",
    "outlier_perc": "percentile= says where a scale ends",
    "show_colorbar": "colorbar= of maps says whether they have one",
}


def our_kind(kind: object) -> str:
    """Says which kind of picture stands here for that of another library, or ""."""
    ours = _KINDS.get(kind) if isinstance(kind, str) else None
    return f" Here it is {ours!r}." if ours else ""


def our_option(name: str) -> str:
    """Says where that goes which `plot` has no option for, or ""."""
    return f": {_OPTIONS[name]}." if name in _OPTIONS else ""
