"""Flax nnx modules."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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
