"""What a model needs so that gradients can be taken, as it turns out while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from polyattr.backend import SharedSetting

# The public property refuses where a user has frozen the flags, the public context sets them all.
_cudnn_off = SharedSetting(torch._C._get_cudnn_enabled, torch._C._set_cudnn_enabled, False)


# How a gradient has to be taken, by what torch says where it is taken otherwise.
WITH_ARGUMENTS = "not require grad"
"""Also the arguments beside the inputs are recorded: the model differentiates by them."""
WITHOUT_CUDNN = "RNN backward can only be called in training mode"
WITHOUT_INPUTS = "incompatible with .grad() or passing an `inputs` parameter"
"""Accumulated on leaves, as in a training step."""
WITH_PLAIN_ROWS = "view size is not compatible with input tensor's size and stride"
"""On rows as they lie in memory, though others would be faster: the model looks at how they lie."""
WAYS = (WITH_ARGUMENTS, WITHOUT_CUDNN, WITHOUT_INPUTS, WITH_PLAIN_ROWS)


@dataclass
class Needs:
    """What is known of a model's needs.

    Attributes:
        ways: How its gradients have to be taken.
        recorded: It asks whether gradients are on, as by taking one itself: they are, also where
            values are read.
        compared: Whether the last call's values were read with gradients on and off.
        convolves: It has convolutions of pictures, which a CPU does faster where the channels of a
            pixel lie side by side; whether they may is still to be found out.
        channels_last: Rows are given to it that way.
    """

    ways: set[str] = field(default_factory=set)
    recorded: bool = False
    compared: bool = False
    convolves: bool = False
    channels_last: bool = False


def needs_of(modules: Iterable[nn.Module]) -> Needs:
    """Returns what a model of some modules, and those below them, is known to need at first."""
    every = (part for module in modules for part in module.modules())
    return Needs(convolves=any(isinstance(part, nn.Conv2d) for part in every))


_needs: ContextVar[Needs | None] = ContextVar("needs", default=None)
_nothing = nullcontext()


def learning(needs: Needs) -> AbstractContextManager[None]:
    """Adds to the `needs` of a model what turns out while the block runs."""
    return SetWithin(_needs, needs)


def with_arguments() -> bool:
    """Says whether all arguments of the model have to be recorded now."""
    return WITH_ARGUMENTS in known().ways and torch.is_grad_enabled()


def known() -> Needs:
    """Returns the needs of the model that runs in this thread; new ones outside of any."""
    needs = _needs.get()
    return Needs() if needs is None else needs


def entered(needs: Needs) -> AbstractContextManager[None]:
    """Surrounds a run of a model by what it needs of the process."""
    return _cudnn_off.held() if WITHOUT_CUDNN in needs.ways else _nothing


class SetWithin(AbstractContextManager[None]):
    """Sets a variable of the thread while the block runs."""

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self._variable, self._value = variable, value

    def __enter__(self) -> None:
        self._token = self._variable.set(self._value)

    def __exit__(self, *error: object) -> None:
        self._variable.reset(self._token)
