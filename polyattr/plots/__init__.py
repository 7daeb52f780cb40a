"""Pictures of attributions, on matplotlib, with their uncertainty."""

from polyattr.plots.choice import plot
from polyattr.plots.compare import compare
from polyattr.plots.convergence import convergence
from polyattr.plots.image import image
from polyattr.plots.interactions import interactions
from polyattr.plots.logo import logo
from polyattr.plots.path import path
from polyattr.plots.reading.samples import Sample, read_sample
from polyattr.plots.summary import summary
from polyattr.plots.tabular import tabular
from polyattr.plots.text import Html, text, text_html
from polyattr.plots.timeseries import timeseries

__all__ = [
    "Html",
    "Sample",
    "compare",
    "convergence",
    "image",
    "interactions",
    "logo",
    "path",
    "plot",
    "read_sample",
    "summary",
    "tabular",
    "text",
    "text_html",
    "timeseries",
]
