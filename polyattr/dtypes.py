"""The floating dtypes that gradients are taken in, and what is a lot or a little in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class FloatingDtype:
    """What holds of the numbers of one floating dtype.

    Attributes:
        huge: A finite number that no output reaches, and that leaves room to add outputs to it.
        noticeable: Relative change of a score that rounding does not explain. Rounding differs
            between kernels, not between two runs of one; this is far above either.
        inside: How far inside a path its start is taken at least: a few roundings. Nearer to a
            baseline of zeros, pixels in half precision would be zeros themselves.
    """

    huge: float
    noticeable: float
    inside: float


FLOATS: Mapping[str, FloatingDtype] = MappingProxyType(
    {
        "float16": FloatingDtype(huge=3e4, noticeable=0.05, inside=2.0**-10),
        "bfloat16": FloatingDtype(huge=1e37, noticeable=0.1, inside=2.0**-20),
        "float32": FloatingDtype(huge=1e37, noticeable=1e-3, inside=2.0**-20),
        "float64": FloatingDtype(huge=1e300, noticeable=1e-8, inside=2.0**-48),
    }
)
"""Facts by the name of the dtype: no other dtype has a gradient here."""
