"""A gradient as PyTorch itself takes it: nothing but the model, the scores picked, `grad`."""

from __future__ import annotations

from typing import Any

import torch

from limits import models_torch
from limits.frameworks import Gradient

PLAIN, CHANNELS_LAST = "plain", "channels last"


def gradients(letter: str) -> dict[str, Gradient]:
    """The model as it is, and for pictures also with its memory laid out channels last."""
    ways = {PLAIN: _gradient(models_torch.build(letter))}
    if letter in "BC":
        model: Any = models_torch.build(letter)
        ways[CHANNELS_LAST] = _gradient(model.to(memory_format=torch.channels_last))
    return ways


def _gradient(model: torch.nn.Module) -> Gradient:
    # Gradients of the weights are not asked for, and must not be prepared.
    model.requires_grad_(False)

    def gradient(rows: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        x = rows.detach().requires_grad_()
        picked = model(x).gather(1, classes).sum()
        found: torch.Tensor = torch.autograd.grad(picked, x)[0]
        return found

    return gradient


def rows(way: str, x: Any) -> torch.Tensor:
    """Prepares rows, laid out as the way wants them."""
    found = torch.from_numpy(x)
    return found.to(memory_format=torch.channels_last) if way == CHANNELS_LAST else found


def classes(of_rows: Any) -> torch.Tensor:
    """Prepares the class of each row."""
    return torch.from_numpy(of_rows)[:, None]


def wait(gradient: Any) -> None:
    """Nothing to wait for: on a CPU a call returns when it is done."""
