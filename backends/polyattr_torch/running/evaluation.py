"""Calling a user's model without leaving a trace: its flags, its tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_map_only

from polyattr.backend import (
    Exclusive,
    KeptState,
    SharedSetting,
    TrainingModeWarning,
    held_objects,
    warn,
)
from polyattr_torch.objects import TorchObjects
from polyattr_torch.running.family import Family
from polyattr_torch.running.needs import (
    WITHOUT_CUDNN,
    Needs,
    learning,
    with_arguments,
)

_exclusive = Exclusive()
# Fused attention layers write zeros where the plain ones, which are differentiated, do not.
_fused_off = SharedSetting(
    torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled, False
)

_BATCH_NORM = nn.modules.batchnorm._BatchNorm
_DROPOUT = nn.modules.dropout._DropoutNd
_HAS_DROPOUT = (nn.MultiheadAttention, nn.RNNBase)


@contextmanager
def evaluated(family: Family, needs: Needs, training_step: bool = False) -> Iterator[None]:
    """Turns the flags of modules and parameters off while the block runs.

    Args:
        family: Modules, and all below them.
        needs: What the model is known to need; more may be learnt.
        training_step: The user is training: parameters keep their flags, and nothing is said.
    """
    if any(map(_by_cudnn, family.recurrent)):
        needs.ways.add(WITHOUT_CUDNN)
    # Other threads may explain these modules, or models that share a part with them.
    with (
        _exclusive.use([*family.modules, *family.parameters]),
        _fused_off.held(),
        learning(needs),
        _in_inference_mode(family, training_step) as held,
    ):
        # An inference tensor's flag cannot be set back, and autograd says itself what it needs.
        frozen = [p for p in held if p.requires_grad and not p.is_inference() and not training_step]
        try:
            # Without this, autograd keeps what it would need for the parameters' gradients.
            for parameter in frozen:
                parameter.requires_grad_(False)
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)


@contextmanager
def _in_inference_mode(family: Family, training_step: bool) -> Iterator[list[nn.Parameter]]:
    """Puts modules in inference mode, and back as they were; returns the parameters they have."""
    training = _training(family.modules, training_step)
    if training and family.own_mode:
        # It may set flags of its own, fold weights into each other, or make other parameters.
        kept = KeptState(family.roots, TorchObjects())
        try:
            for root in family.roots:
                root.eval()
            yield [p for root in family.roots for p in root.parameters()]
        finally:
            kept.put_back()
        return
    try:
        _set_training(training, False)
        yield family.parameters
    finally:
        _set_training(training, True)


def _set_training(modules: Sequence[nn.Module], value: bool) -> None:
    """Sets the flag of modules, past the look for parameters and submodules of that name."""
    for module in modules:
        table = vars(module)
        if type(module).__setattr__ is nn.Module.__setattr__ and "training" in table:
            table["training"] = value
        else:
            module.training = value


def _training(modules: Sequence[nn.Module], training_step: bool) -> list[nn.Module]:
    """Finds the modules in training mode, and tells of them where that makes a difference."""
    # A frozen TorchScript module has no flag any more.
    training = [m for m in modules if getattr(m, "training", False)]
    if not training_step and any(_depends_on_mode(m) for m in training):
        warn(
            "the model is in training mode and has layers that behave differently there (such "
            "as BatchNorm or Dropout); it is evaluated in inference mode and put back",
            TrainingModeWarning,
        )
    return training


def modules_of(*parts: object) -> list[nn.Module]:
    """Lists the modules among `parts` and in what they refer to, such as a function's closure."""
    held = (value for part in parts for value in held_objects(part, (nn.Module,)))
    return [value for value in held if isinstance(value, nn.Module)]


@contextmanager
def used(parts: Sequence[object], needs: Needs) -> Iterator[None]:
    """Keeps other threads from the parts of a model, and torch from code of other values.

    Args:
        parts: Its modules or layers, and their parameters.
        needs: What the model is known to need; more may be learnt.
    """
    with _exclusive.use(parts), _fused_off.held(), learning(needs):
        yield


def _by_cudnn(module: nn.Module) -> bool:
    """Says whether cuDNN would run a recurrent layer, whose gradient it has in training only."""
    return any(parameter.is_cuda for parameter in module.parameters(recurse=False))


def _depends_on_mode(module: nn.Module) -> bool:
    if isinstance(module, _DROPOUT):
        return bool(module.p)
    if isinstance(module, _HAS_DROPOUT):
        return bool(module.dropout)
    # TorchScript keeps of a layer's class only the name.
    scripted = getattr(module, "original_name", "").startswith(("BatchNorm", "Dropout"))
    return scripted or isinstance(module, _BATCH_NORM)


def own(arguments: Any) -> Any:
    """Copies the user's tensors, since a model may overwrite its input; rows of a gradient are."""
    recorded = with_arguments()

    def copied(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.requires_grad:
            return tensor
        floats = recorded and tensor.is_floating_point()
        # The second copy is no leaf: those may not be overwritten where they are recorded.
        return tensor.clone().requires_grad_().clone() if floats else tensor.clone()

    if type(arguments) in {tuple, dict}:  # as nearly always: tensors, and nothing else
        values = arguments.values() if isinstance(arguments, dict) else arguments
        if all(type(value) is torch.Tensor for value in values):
            copies = tuple(map(copied, values))
            return copies if values is arguments else dict(zip(arguments, copies, strict=True))
    return tree_map_only(torch.Tensor, copied, arguments)


def own_activation(activation: Any) -> Any:
    """Copies what a tapped layer takes or hands on: a module may overwrite that in place."""
    return tree_map_only(torch.Tensor, lambda t: t.clone(), activation)
