"""Inside torch.func's transformations, where no tensor may be marked for a gradient."""

from __future__ import annotations

from typing import Any

import torch

from polyattr.backend import Score

Rows = list[torch.Tensor]


def is_transformed(tensor: torch.Tensor) -> bool:
    """Says whether a tensor belongs to one of torch.func's transformations."""
    wrapped: bool = torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    return wrapped


def pulled_back(score: Score, rows: Rows) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
    """Differentiates by torch.func itself, so that its transformations see through it."""
    pulled: Any = torch.func.vjp(lambda *at: score([leaf.clone() for leaf in at]), *rows)
    scores, pull = pulled
    return scores, list(pull(torch.ones_like(scores)))
