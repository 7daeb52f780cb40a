"""Hooks on submodules that read or replace what flows through them while a module runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from polyattr.backend import ModelOutputError, Tap, Visits
from polyattr_torch.running.differentiation import Differentiation, running
from polyattr_torch.running.evaluation import own_activation


@contextmanager
def hooked(taps: Sequence[Tap]) -> Iterator[Visits]:
    """Hooks taps to their submodules, until the gradient of the run in this block is taken."""
    run = _Run(Visits(taps), running())
    handles = [_hook(run, number) for number in range(len(taps))]

    def remove() -> None:
        for handle in handles:
            handle.remove()

    if run.within is None:
        try:
            yield run.visits
        finally:
            remove()
        return
    run.within.ends.append(remove)
    with run.within.run():
        yield run.visits
    run.forward = False


@contextmanager
def cut_off(taps: Sequence[Tap]) -> Iterator[None]:
    """Says why a model that differentiates itself cannot do so through a layer put into it.

    Raises:
        ModelOutputError: It asks for a gradient by what lies before the layer.
    """
    try:
        yield
    except RuntimeError as error:
        replaced = [repr(tap.layer.name) for tap in taps if tap.put is not None]
        if replaced and "not have been used in the graph" in str(error):
            raise ModelOutputError(
                f"the model takes a gradient of its own through {' and '.join(replaced)}, named by "
                f"input_layer: with the layer's values given, nothing before it counts; expected "
                f"no input_layer, or a layer that gradient does not go through"
            ) from error
        raise


@dataclass(eq=False)
class _Run:
    """One run of a module with taps.

    A checkpoint runs its part of the module again in the backward pass, and must meet there what
    it met in the forward pass.
    """

    visits: Visits
    within: Differentiation | None
    forward: bool = True

    def acts(self, tap: Tap) -> bool:
        """Says whether the hooks of this run are those that count now.

        Raises:
            ModelOutputError: No gradient can come from here.
        """
        if self.within is None:
            return True
        if self.forward:
            _check_recorded(tap)
            return True
        if self.within.inside:
            return False
        if self.within.runs > 1:
            raise ModelOutputError(
                f"the model runs several times for one score, and its layer {tap.layer.name!r} "
                f"lies inside torch.utils.checkpoint, which runs it again; expected one run, or a "
                f"layer outside of the checkpoint"
            )
        return True


def _check_recorded(tap: Tap) -> None:
    """Refuses a place where nothing is recorded, so that no gradient comes back from it."""
    if not torch.is_grad_enabled():
        raise ModelOutputError(
            f"the layer {tap.layer.name!r} runs without gradients: inside torch.no_grad, or inside "
            f"torch.utils.checkpoint with use_reentrant=True; expected use_reentrant=False, or a "
            f"layer outside"
        )


def _hook(run: _Run, number: int) -> RemovableHandle:
    """Hooks a tap to its submodule."""
    visits, tap = run.visits, run.visits.taps[number]
    place: nn.Module = tap.layer.place

    def before(_module: nn.Module, args: Any, kwargs: Any) -> Any:
        return _own_first(*visits.arguments(number, args, kwargs)) if run.acts(tap) else None

    def after(_module: nn.Module, _args: Any, output: Any) -> Any:
        return own_activation(visits.visit(number, output)) if run.acts(tap) else None

    if tap.at_input:
        return place.register_forward_pre_hook(before, with_kwargs=True)
    return place.register_forward_hook(after)


def _own_first(args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Copies the arguments that were tapped; what comes beside them may be an object to fill."""
    return (own_activation(args), kwargs) if args else (args, own_activation(kwargs))
