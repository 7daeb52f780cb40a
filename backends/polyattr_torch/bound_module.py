"""A module as a function of tensors, whose submodules can be tapped with hooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import MethodType
from typing import Any

import torch
from torch import nn

from polyattr.backend import BoundModel, Layer, Tap
from polyattr_torch.layer_finding import find_layer, original
from polyattr_torch.running.evaluation import evaluated, modules_of
from polyattr_torch.running.family import Families, Family
from polyattr_torch.running.hooks import cut_off, hooked
from polyattr_torch.running.needs import needs_of
from polyattr_torch.running.trouble import called
from polyattr_torch.running.weights import replaced, weights_of


class BoundModule(BoundModel):
    """A module, evaluated with every submodule's training flag off."""

    kind = "module"

    def __init__(self, module: nn.Module) -> None:
        super().__init__(module, entry=getattr(module, "forward", module))
        self._needs, self._families = needs_of([module]), Families()
        floats = [p for p in _tensors(module) if p.is_floating_point()]
        self._first = floats[0] if floats else None

    @property
    def like(self) -> torch.Tensor | None:  # type: ignore[override]  # read anew each time
        """A parameter: it may have moved to another device since."""
        return self._first

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # read anew each time
        """The parameters' dtype as it is now."""
        return None if self._first is None else str(self._first.dtype).removeprefix("torch.")

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the module."""
        return called(self._function, args, kwargs, self.like)

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a submodule by index among the children, by dotted name or as the object."""
        return find_layer(self._function, selector, argument)

    def logits(self) -> str | None:
        """The last but one of a sequence that ends in a softmax."""
        root = original(self._function)
        ends = isinstance(root, nn.Sequential) and isinstance(root[-1], nn.Softmax | nn.LogSoftmax)
        return "output_layer=-2" if ends and len(root) > 1 else None

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Runs the module with hooks on the tapped submodules."""
        with _uncompiled(self._function), hooked(taps) as visits, cut_off(taps):
            return self.run(state, args, kwargs), visits.seen

    def weights(self) -> Mapping[str, Sequence[torch.Tensor]]:
        """The parameters of each submodule."""
        return weights_of([self._function])

    @contextmanager
    def with_weights(self, given: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
        """Has parameters point elsewhere while the block runs."""
        with replaced(weights_of([self._function]), given):
            yield self._function

    def inference(self) -> AbstractContextManager[None]:
        """Turns training flags off, and each back as it was."""
        return evaluated(self._family(), self._needs)

    def evaluation(self) -> AbstractContextManager[None]:
        """Turns training flags off alone."""
        return evaluated(self._family(), self._needs, training_step=True)

    def _family(self) -> Family:
        """The module, and those that what is called beside it refers to."""
        return self._families.of([self._function, *modules_of(*self.beside)])


@contextmanager
def _uncompiled(root: nn.Module) -> Iterator[None]:
    """Runs compiled modules as what they were made from while the block runs.

    What torch.compile traced is replayed without the hooks that came later, and traced with hooks
    it would be traced anew for every tile.
    """
    replaced = [(m, *change) for m in root.modules() for change in _eager(m)]
    before = [(vars(m), name, name in vars(m), vars(m).get(name)) for m, name, _ in replaced]
    try:
        for module, name, value in replaced:
            vars(module)[name] = value
        yield
    finally:
        for attributes, name, present, value in before:
            attributes.pop(name)
            if present:
                attributes[name] = value


def _eager(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """Yields the attributes a module needs to run as it was before torch.compile."""
    if vars(module).get("_compiled_call_impl") is not None:
        yield "_compiled_call_impl", None
    forward = getattr(module, "forward", None)
    plain = getattr(forward, "_torchdynamo_orig_callable", None)
    if plain is not None:
        yield "forward", MethodType(plain, module) if isinstance(forward, MethodType) else plain


def _tensors(module: nn.Module) -> list[torch.Tensor]:
    return [*module.parameters(), *module.buffers()]
