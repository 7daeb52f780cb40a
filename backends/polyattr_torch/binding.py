"""What a torch user brings, as a function: modules, functions, Keras 3 models on torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from polyattr.backend import BoundModel
from polyattr.closures import held_objects
from polyattr.errors import (
    InputTypeError,
    LayerNotFoundError,
    TrainingModeWarning,
    UnrecognisedModelError,
    nearest,
    warn,
)
from polyattr.keras_models import (
    captured,
    find_layer,
    keras_backend,
    keras_dtype,
    keras_entry,
    last_output,
)

_BATCH_NORM = torch.nn.modules.batchnorm._BatchNorm
_DROPOUT = torch.nn.modules.dropout._DropoutNd
_HAS_DROPOUT = (torch.nn.MultiheadAttention, torch.nn.RNNBase)


def is_model(candidate: object) -> bool:
    """A module; a Keras model only if Keras runs on torch."""
    return isinstance(candidate, torch.nn.Module) and keras_backend(candidate) in {None, "torch"}


def bind(model: Any, output_layer: Any) -> BoundModel:
    """Binds whatever kind of model this is.

    Raises:
        UnrecognisedModelError: Not callable.
        LayerNotFoundError: The layer does not exist, or a function has none.
    """
    if keras_backend(model) is not None:
        return _BoundKeras(model, output_layer)
    if isinstance(model, torch.nn.Module):
        return _BoundModule(model, output_layer)
    if not callable(model):
        raise UnrecognisedModelError(
            f"the torch backend was given a {type(model).__name__}; expected a torch.nn.Module, a "
            f"Keras model on torch, or a function of tensors"
        )
    if output_layer is not None:
        raise LayerNotFoundError(
            f"output_layer={output_layer!r} was given, but a function has no layers to name; pass "
            f"a function that returns the wanted layer's output, or the torch.nn.Module"
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

    def __init__(self, module: Any, output_layer: Any) -> None:
        super().__init__(module, entry=getattr(module, "forward", module))
        self._module = module
        self._layer = None if output_layer is None else _find(module, output_layer)
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
        """Calls the module, returning the layer's output if one is selected."""
        args, kwargs = _own(args), _own(kwargs)
        if self._layer is None:
            return self._module(*args, **kwargs)
        outputs: list[Any] = []
        # A copy, since the module after the layer may overwrite its output in place.
        handle = self._layer.register_forward_hook(
            lambda _module, _args, output: outputs.append(_copy(output))
        )
        try:
            self._module(*args, **kwargs)
        finally:
            handle.remove()
        if not outputs:
            raise LayerNotFoundError("output_layer belongs to the model but was not called")
        return outputs[-1]

    def inference(self) -> AbstractContextManager[None]:
        """Turns training flags off, and each back as it was."""
        return _evaluated([self._module])


class _BoundKeras(BoundModel):
    """A Keras 3 model on torch; its mode is an argument, not a flag."""

    def __init__(self, model: Any, output_layer: Any) -> None:
        super().__init__(model, entry=keras_entry(model))
        self._layer = None if output_layer is None else find_layer(model, output_layer)
        self.dtype = keras_dtype(model)
        floats = [v.value for v in model.variables]
        self.like = floats[0] if floats else None

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False``."""
        args, kwargs = _own(args), _own(kwargs)
        if self._layer is None:
            return self._function(*args, **kwargs, training=False)
        with captured(self._layer) as outputs:
            self._function(*args, **kwargs, training=False)
        return _copy(last_output(outputs, self._layer))


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


def _copy(output: Any) -> Any:
    return output.clone() if isinstance(output, torch.Tensor) else output


def _tensors(module: Any) -> list[Any]:
    return [*module.parameters(), *module.buffers()]


def _find(module: Any, selector: Any) -> Any:
    named = {name: m for name, m in module.named_modules() if name}
    if isinstance(selector, torch.nn.Module):
        if any(m is selector for m in module.modules()):
            return selector
        raise LayerNotFoundError(
            f"output_layer is a {type(selector).__name__} that is not part of the model; expected "
            f"one of its submodules: {_listed(named)}"
        )
    if isinstance(selector, int) and not isinstance(selector, bool):
        children = list(module.children())
        if -len(children) <= selector < len(children):
            return children[selector]
        raise LayerNotFoundError(
            f"output_layer is {selector}; the model has {len(children)} children, expected "
            f"{-len(children)} to {len(children) - 1}"
        )
    if not isinstance(selector, str):
        raise InputTypeError(
            f"output_layer is {selector!r}; expected an index, a submodule's name or the submodule"
        )
    if selector not in named:
        raise LayerNotFoundError(
            f"output_layer {selector!r} is not a submodule of the model."
            f"{nearest(selector, named)} Its submodules: {_listed(named)}"
        )
    return named[selector]


def _listed(named: Mapping[str, Any]) -> str:
    names = list(named)
    return ", ".join(names[:30]) + (f", ... ({len(names)} in all)" if len(names) > 30 else "")
