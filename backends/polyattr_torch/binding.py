"""What a torch user brings, as a function: modules, functions, Keras 3 models on torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from polyattr.bound_model import BoundModel, Layer, Tap, Visits
from polyattr.closures import held_objects
from polyattr.errors import (
    InputTypeError,
    LayerNotFoundError,
    TrainingModeWarning,
    UnrecognisedModelError,
    nearest,
    warn,
)
from polyattr.keras_models import KerasLayers, keras_backend, keras_dtype, keras_entry

_BATCH_NORM = torch.nn.modules.batchnorm._BatchNorm
_DROPOUT = torch.nn.modules.dropout._DropoutNd
_HAS_DROPOUT = (torch.nn.MultiheadAttention, torch.nn.RNNBase)


def is_model(candidate: object) -> bool:
    """A module; a Keras model only if Keras runs on torch."""
    return isinstance(candidate, torch.nn.Module) and keras_backend(candidate) in {None, "torch"}


def bind(model: Any) -> BoundModel:
    """Binds whatever kind of model this is.

    Raises:
        UnrecognisedModelError: Not callable.
    """
    if keras_backend(model) is not None:
        return _BoundKeras(model)
    if isinstance(model, torch.nn.Module):
        return _BoundModule(model)
    if not callable(model):
        raise UnrecognisedModelError(
            f"the torch backend was given a {type(model).__name__}; expected a torch.nn.Module, a "
            f"Keras model on torch, or a function of tensors"
        )
    return _BoundFunction(model)


class _BoundFunction(BoundModel):
    """A function; modules it refers to are evaluated in inference mode."""

    def __init__(self, function: Any) -> None:
        super().__init__(function, entry=function)
        tensors = [t for t in held_objects(function) if isinstance(t, torch.Tensor)]
        floats = [t for t in tensors if t.is_floating_point()]
        if floats:
            self.like, self.dtype = floats[0], str(floats[0].dtype).removeprefix("torch.")

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function."""
        return self._function(*_own(args), **_own(kwargs))

    def inference(self) -> AbstractContextManager[None]:
        """Does for the modules the function refers to what is done for a module."""
        held = held_objects(self._function, (torch.nn.Module,))
        return _evaluated([m for m in held if isinstance(m, torch.nn.Module)])


class _BoundModule(BoundModel):
    """A module, evaluated with every submodule's training flag off."""

    kind = "module"

    def __init__(self, module: Any) -> None:
        super().__init__(module, entry=getattr(module, "forward", module))
        floats = [p for p in _tensors(module) if p.is_floating_point()]
        self._first = floats[0] if floats else None

    @property
    def like(self) -> Any:  # type: ignore[override]  # read anew each time
        """A parameter: it may have moved to another device since."""
        return self._first

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # read anew each time
        """The parameters' dtype as it is now."""
        return None if self._first is None else str(self._first.dtype).removeprefix("torch.")

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the module."""
        return self._function(*_own(args), **_own(kwargs))

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a submodule by index among the children, by dotted name or as the object."""
        return _find(self._function, selector, argument)

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Runs the module with hooks on the tapped submodules."""
        visits = Visits(taps)
        handles = [_hook(visits, number) for number in range(len(taps))]
        try:
            return self.run(state, args, kwargs), visits.seen
        finally:
            for handle in handles:
                handle.remove()

    def inference(self) -> AbstractContextManager[None]:
        """Turns training flags off, and each back as it was."""
        return _evaluated([self._function])


class _BoundKeras(KerasLayers):
    """A Keras 3 model on torch; its mode is an argument, not a flag."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))
        self.dtype = keras_dtype(model)
        floats = [v.value for v in model.variables]
        self.like = floats[0] if floats else None

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False``."""
        return self._function(*_own(args), **_own(kwargs), training=False)


def _hook(visits: Visits, number: int) -> Any:
    """Hooks a tap to its submodule."""
    tap = visits.taps[number]
    if tap.at_input:
        return tap.layer.place.register_forward_pre_hook(
            lambda _module, args: visits.arguments(number, args)
        )
    # A copy, since the module after the layer may overwrite its output in place.
    return tap.layer.place.register_forward_hook(
        lambda _module, _args, output: _own_output(visits.visit(number, output))
    )


@contextmanager
def _evaluated(roots: Sequence[Any]) -> Iterator[None]:
    modules = {id(m): m for root in roots for m in root.modules()}.values()
    # A frozen TorchScript module has no flag any more.
    training = [m for m in modules if getattr(m, "training", False)]
    if any(_depends_on_mode(m) for m in training):
        warn(
            "the model is in training mode and has layers that behave differently there (such "
            "as BatchNorm or Dropout); it is evaluated in inference mode and put back",
            TrainingModeWarning,
        )
    held = [p for module in modules for p in module.parameters(recurse=False)]
    # An inference tensor's flag cannot be set back, and autograd says itself what it needs.
    frozen = [p for p in held if p.requires_grad and not p.is_inference()]
    try:
        for module in training:
            module.training = False
        # Without this, autograd keeps what it would need for the parameters' gradients.
        for parameter in frozen:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
        for module in training:
            module.training = True


def _depends_on_mode(module: Any) -> bool:
    if isinstance(module, _DROPOUT):
        return bool(module.p)
    if isinstance(module, _HAS_DROPOUT):
        return bool(module.dropout)
    # TorchScript keeps of a layer's class only the name.
    scripted = getattr(module, "original_name", "").startswith(("BatchNorm", "Dropout"))
    return scripted or isinstance(module, _BATCH_NORM)


def _own(arguments: Any) -> Any:
    """Copies the user's tensors, since a model may overwrite its input; rows of a gradient are."""
    return tree_map_only(torch.Tensor, lambda t: t if t.requires_grad else t.clone(), arguments)


def _own_output(output: Any) -> Any:
    """Copies what a layer hands on: the module after it may overwrite that in place."""
    return tree_map_only(torch.Tensor, lambda t: t.clone(), output)


def _tensors(module: Any) -> list[Any]:
    return [*module.parameters(), *module.buffers()]


def _find(module: Any, selector: Any, argument: str) -> Layer:
    named = {name: m for name, m in module.named_modules() if name}
    if isinstance(selector, torch.nn.Module):
        for name, found in module.named_modules():
            if found is selector:
                return Layer(name or type(module).__name__, selector)
        raise LayerNotFoundError(
            f"{argument} is a {type(selector).__name__} that is not part of the model; expected "
            f"one of its submodules: {_listed(named)}"
        )
    if isinstance(selector, int) and not isinstance(selector, bool):
        children = list(module.named_children())
        if -len(children) <= selector < len(children):
            return Layer(*children[selector])
        raise LayerNotFoundError(
            f"{argument} is {selector}; the model has {len(children)} children, expected "
            f"{-len(children)} to {len(children) - 1}"
        )
    if not isinstance(selector, str):
        raise InputTypeError(
            f"{argument} is {selector!r}; expected an index, a submodule's name or the submodule"
        )
    if selector not in named:
        raise LayerNotFoundError(
            f"{argument} {selector!r} is not a submodule of the model."
            f"{nearest(selector, named)} Its submodules: {_listed(named)}"
        )
    return Layer(selector, named[selector])


def _listed(named: Mapping[str, Any]) -> str:
    names = list(named)
    return ", ".join(names[:30]) + (f", ... ({len(names)} in all)" if len(names) > 30 else "")
