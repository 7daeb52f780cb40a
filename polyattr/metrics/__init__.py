"""Metrics that ask the model whether a map is right: a number per sample, its error, a figure."""

from polyattr.metrics.completeness import completeness
from polyattr.metrics.deletion import deletion
from polyattr.metrics.infidelity import infidelity
from polyattr.metrics.insertion import insertion
from polyattr.metrics.max_sensitivity import max_sensitivity
from polyattr.metrics.randomisation import Randomisation, randomisation
from polyattr.metrics.records.measurement import Measurement
from polyattr.metrics.removal import Curve

__all__ = [
    "Curve",
    "Measurement",
    "Randomisation",
    "completeness",
    "deletion",
    "infidelity",
    "insertion",
    "max_sensitivity",
    "randomisation",
]
