"""Pictures in the order in which a CPU convolves them fastest: a pixel's channels side by side."""

from __future__ import annotations

import torch

_SAME_MAP = 1e-2
"""How far a gradient of rows in another order may be off, as a part of its largest entry.

A kink of a deep network that two roundings see differently, not another map.
"""


def are_pictures(rows: torch.Tensor) -> bool:
    """Says whether rows (R, C, H, W) are on a CPU; on GPUs it depends on more than the model."""
    return rows.ndim == 4 and rows.device.type == "cpu" and rows.layout is torch.strided


def copied(rows: torch.Tensor, channels_last: bool) -> torch.Tensor:
    """Copies rows (R, ...) for a model that may overwrite them, pictures in the order named."""
    if channels_last and are_pictures(rows):
        return rows.clone(memory_format=torch.channels_last)
    return rows.clone()


def laid_like(gradient: torch.Tensor | None, rows: torch.Tensor) -> torch.Tensor | None:
    """Returns a gradient (R, ...) as its rows lie: sums over it then have one order."""
    if gradient is None or gradient.stride() == rows.stride() or not rows.is_contiguous():
        return gradient
    return gradient.contiguous()


def same_map(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    """Says whether two gradients are the same but for the order of sums."""
    if one is None or other is None:
        return one is other
    return torch.allclose(one, other, rtol=0.0, atol=_SAME_MAP * float(one.abs().amax()))
