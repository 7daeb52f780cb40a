"""Where a method takes gradients, how often, and with what weight: what methods are made of."""

from polyattr.sampling.adaptive.exact import ExactNodes
from polyattr.sampling.adaptive.refinement import (
    DEFAULT_TOLERANCE,
    FEWEST_FOR_GAP,
    FEWEST_NODES,
    AdaptiveNodes,
    path_nodes,
)
from polyattr.sampling.drawing.draws import Draws
from polyattr.sampling.errors.course import Course
from polyattr.sampling.errors.intervals import Intervals
from polyattr.sampling.errors.neighbours import Neighbours
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.noisy_copies import NoisyCopies
from polyattr.sampling.paths.blur_path import BlurPath
from polyattr.sampling.paths.guided_path import GuidedPath
from polyattr.sampling.paths.looked_path import DecisionPath, ImportantDirections, LookedPath
from polyattr.sampling.paths.own_path import OwnPath, OwnPathIntegral
from polyattr.sampling.quadrature import RULES, check_rule, quadrature
from polyattr.sampling.random_baselines import RandomBaselines
from polyattr.sampling.recipe import Carry, Recipe, Rounds, Spot
from polyattr.sampling.rows import Rows, ScoreRows, Told
from polyattr.sampling.statistics import Mean, Statistic, Variance
from polyattr.sampling.straight_path import FixedNodes, Nodes, PathIntegral, StraightPath

__all__ = [
    "AdaptiveNodes",
    "BlurPath",
    "DEFAULT_TOLERANCE",
    "FEWEST_FOR_GAP",
    "FEWEST_NODES",
    "RULES",
    "Carry",
    "Course",
    "DecisionPath",
    "Draws",
    "ExactNodes",
    "FixedNodes",
    "ImportantDirections",
    "LookedPath",
    "GuidedPath",
    "Intervals",
    "Mean",
    "Neighbours",
    "Nodes",
    "NoisyCopies",
    "Norm",
    "OwnPath",
    "OwnPathIntegral",
    "PathIntegral",
    "RandomBaselines",
    "Recipe",
    "Rounds",
    "Rows",
    "ScoreRows",
    "Spot",
    "Statistic",
    "StraightPath",
    "Told",
    "Variance",
    "Weights",
    "check_rule",
    "path_nodes",
    "quadrature",
]
