"""Sums: gradients as a training step adds them up, and the order in which a device adds rows."""

from __future__ import annotations

from typing import Any

import torch

from polyattr.backend import held_objects

Rows = list[torch.Tensor]


def sums_in_no_order(tensor: torch.Tensor) -> bool:
    """Says whether what is added at an index is added in any order there, by rounding another sum.

    CUDA's `index_add_` is, and the gradient of its `index_select`; its `index_put_` sorts first.
    """
    return tensor.is_cuda


def accumulated(total: torch.Tensor, leaves: Rows) -> list[torch.Tensor | None]:
    """Differentiates as a training step does, which reentrant checkpoints ask for."""
    others = [t for t in _accumulating(total) if not any(t is leaf for leaf in leaves)]
    before = [tensor.grad for tensor in others]
    for tensor in others:
        tensor.grad = None
    try:
        torch.autograd.backward(total)
        return [leaf.grad for leaf in leaves]
    finally:
        for tensor, grad in zip(others, before, strict=True):
            tensor.grad = grad


def _accumulating(total: torch.Tensor) -> list[torch.Tensor]:
    """Finds the tensors whose `.grad` a training step would change."""
    found: dict[int, torch.Tensor] = {}
    seen, queue = set(), [total.grad_fn]
    while queue:
        node: Any = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        queue += [following for following, _ in node.next_functions]
        # What is run again within a checkpoint is not part of the graph yet.
        inside = held_objects(getattr(node, "run_function", None))
        tensors = [getattr(node, "variable", None), *inside]
        found |= {id(t): t for t in tensors if isinstance(t, torch.Tensor) and t.requires_grad}
    return list(found.values())
