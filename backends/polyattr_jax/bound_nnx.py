"""Flax nnx modules."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
from flax import nnx

from polyattr.backend import (
    Layer,
    Tap,
    TrainingModeWarning,
    Visits,
    Watched,
    call_tapped,
    find_submodule,
    submodules,
    warn,
)
from polyattr_jax.objects.weights import replaced
from polyattr_jax.parametrised import TracedModel
from polyattr_jax.tapping import run_marked

_CONTAINERS = tuple(
    kind for kind in (getattr(nnx, "List", None), getattr(nnx, "Dict", None)) if kind is not None
)

# A model may only write to variables made at its own trace level; older releases always copy.
_COPY = {"copy": True} if "copy" in inspect.signature(nnx.merge).parameters else {}


class BoundNnx(TracedModel):
    """An nnx module, split into parameters and structure; a copy of it runs inside the kernel."""

    kind = "flax nnx module"

    def __init__(self, module: Any) -> None:
        super().__init__(module, entry=module.__call__)
        self._graph = nnx.split(module)[0]

    def parameters(self) -> Any:
        """The trainable parameters: statistics may be kept wider."""
        return nnx.state(self._function, nnx.Param)

    def weights(self) -> Mapping[str, Sequence[Any]]:
        """The parameters each submodule has itself, in the order of its attributes."""
        each = super().weights()
        layers = self._layers(each)
        return {name: [each[own][0] for own in layers[name]] for name in layers}

    @contextmanager
    def with_weights(self, given: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
        """Puts other arrays into the module's variables, and back what was there."""
        # Without the copy it would be the module's own variables, which are about to change.
        before = jax.tree.map(lambda leaf: leaf, self.parameters())
        layers = self._layers(super().weights())
        new = {
            own: [value]
            for name, values in given.items()
            for own, value in zip(layers[name], values, strict=True)
        }
        try:
            nnx.update(self._function, replaced(before, new))
            yield self._function
        finally:
            nnx.update(self._function, before)

    def _layers(self, each: Mapping[str, Any]) -> dict[str, list[str]]:
        """Returns the names of its own parameters, each a layer in the tree, by submodule."""
        found: dict[str, list[str]] = {}
        for name in each:
            found.setdefault(name.rpartition(".")[0] or "model", []).append(name)
        listed = [entry.name for entry in submodules(self._function, nnx.Module, _CONTAINERS)]
        # In the tree they come in the order of the alphabet.
        order = {name: place for place, name in enumerate(listed)}
        return {name: found[name] for name in sorted(found, key=lambda n: order.get(n, -1))}

    def state(self) -> Any:
        """All variables, as they are now."""
        return nnx.split(self._function)[1]

    def watched(self) -> Watched:
        """The module but for its variables, whose values are the state."""
        nodes = (node for _, node in nnx.iter_graph(self._function))
        variables = tuple(node for node in nodes if isinstance(node, nnx.Variable))
        return Watched((self._function,), passed=variables)

    @contextmanager
    def inference(self) -> Iterator[None]:
        """Looks at the module anew; the copy that runs is what changes its mode."""
        self._warn_in_training()
        with self.evaluation():
            yield

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """The same in the user's own training step, where nothing has to be said."""
        graph = nnx.split(self._function)[0]
        if graph != self._graph:
            self._graph = graph
        yield

    def _warn_in_training(self) -> None:
        modules = [entry.module for entry in submodules(self._function, nnx.Module, _CONTAINERS)]
        if any(_trains(module) for module in [self._function, *modules]):
            warn(
                "the model is in training mode and has layers that behave differently there (such "
                "as BatchNorm or Dropout); a copy in inference mode is evaluated",
                TrainingModeWarning,
            )

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a submodule by index, dotted name or as the object."""
        every = submodules(self._function, nnx.Module, _CONTAINERS)
        return find_submodule(selector, every, argument)

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Calls a copy in inference mode with taps at its submodules."""

        def call(visits: Visits) -> Any:
            module = nnx.merge(self._graph, state, **_COPY)
            module.eval()
            return call_tapped(module, visits, args, kwargs)

        return run_marked(call, taps)


def _trains(module: Any) -> bool:
    return (
        getattr(module, "deterministic", None) is False
        or getattr(module, "use_running_average", None) is False
    )
