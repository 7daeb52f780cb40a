"""Coordinates to attribute in, instead of those of the inputs: frequencies, components, trends."""

from polyattr.domains.components import Components
from polyattr.domains.domain import Domain
from polyattr.domains.linear import Linear
from polyattr.domains.trend_season import TrendSeason
from polyattr.domains.waves import Fourier, Haar

__all__ = ["Components", "Domain", "Fourier", "Haar", "Linear", "TrendSeason"]
