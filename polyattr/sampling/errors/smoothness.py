"""Numbers by which kinks and smooth integrands are told apart."""

from __future__ import annotations

import math

MEAN_OF_NORMAL = math.sqrt(2 / math.pi)
"""The mean size of a normal number with standard deviation 1."""

KINKED = 1.5
"""How many times the distance to a rule with half the nodes exceeds the error where integrands
have kinks, at least: of one in an interval 2 h wide h |dg| / 2 against h |dg| / sqrt(12), the
square root of three, less a margin."""

SMOOTH = 0.6
"""Distance to the coarser rule, in units of the error that kinks would leave, below which
integrands begin to look smooth. Measured: 0.9 - 2.2 on ReLU networks, 0.4 - 1.3 on transformers
with ReLU, 0.02 - 0.4 on networks with smooth activations."""

FLOOR = 1e-3
"""Smallest score difference a gap is relative to, as a fraction of the scores themselves: where
f(x) and f(b) all but coincide, a relative gap says nothing."""
