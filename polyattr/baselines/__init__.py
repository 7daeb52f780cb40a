"""Places for paths to start from: callables for `baseline_value` and `baselines`."""

from polyattr.baselines.baseline import Baseline
from polyattr.baselines.data_rows import DataRows
from polyattr.baselines.drawn import Drawn, Permutation, UniformNoise
from polyattr.baselines.shuffled import DinucleotideShuffle
from polyattr.baselines.smoothed import Blur, Mean
from polyattr.baselines.values import Constant, MaximumDistance, Zeros

__all__ = [
    "Baseline",
    "Blur",
    "Constant",
    "DataRows",
    "DinucleotideShuffle",
    "Drawn",
    "MaximumDistance",
    "Mean",
    "Permutation",
    "UniformNoise",
    "Zeros",
]
