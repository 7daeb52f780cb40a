"""Flax linen modules with their variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flax import linen
from flax.errors import FlaxError

from polyattr.backend import InputError, Layer, Tap, UnrecognisedModelError, Visits, find_named
from polyattr_jax.parametrised import TracedModel
from polyattr_jax.tapping import interceptor, run_marked


def bind_linen(module: Any, rest: Sequence[Any]) -> BoundLinen:
    """Binds a module bound to its variables, or a module and its variables.

    Raises:
        UnrecognisedModelError: The variables are missing, or are none.
    """
    name = type(module).__name__
    wanted = f"expected (model, variables) or model.bind(variables), with variables as {name}.init"
    if not rest and module.scope is None:
        raise UnrecognisedModelError(
            f"{name} is a flax linen module without its variables; {wanted} returned them"
        )
    if not rest:
        return BoundLinen(*module.unbind())
    if len(rest) > 1:
        raise UnrecognisedModelError(
            f"{name} came with {len(rest)} things; {wanted} returned them. Further arguments go in "
            f"forward_args or forward_kwargs"
        )
    variables = rest[0]
    held = isinstance(variables, Mapping) and list(variables.values())
    if not isinstance(variables, Mapping) or not all(isinstance(v, Mapping) for v in held or []):
        given = f"the keys {list(variables)}" if held else f"a {type(variables).__name__}"
        raise UnrecognisedModelError(
            f"{name} came with {given}; {wanted} returned them: a dict of collections such as "
            f"{{'params': params}}"
        )
    return BoundLinen(module, variables)


class BoundLinen(TracedModel):
    """A module and its variables, whose arrays are read anew by every call."""

    kind = "flax linen module"

    def __init__(self, module: Any, variables: Mapping[str, Any]) -> None:
        super().__init__(module, entry=module.__call__)
        self._variables = variables

    def parameters(self) -> Any:
        """The trainable parameters: statistics may be kept wider."""
        return self._variables.get("params", self._variables)

    def with_parameters(self, tree: Any) -> Any:
        """The module, and its variables with other parameters."""
        own = {**self._variables, "params": tree} if "params" in self._variables else tree
        return self._function, own

    def state(self) -> Any:
        """The variables."""
        return self._variables

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a submodule by dotted name, or as a submodule of a bound module."""
        if isinstance(selector, linen.Module) and selector.scope is not None:
            selector = ".".join(selector.path)
        trees = [tree for tree in self._variables.values() if isinstance(tree, Mapping)]
        paths = list(dict.fromkeys(path for tree in trees for path in _paths(tree)))
        name = selector.replace("/", ".") if isinstance(selector, str) else selector
        found = find_named(name, [".".join(path) for path in paths], argument, self.kind)
        return Layer(found, tuple(found.split(".")))

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Applies the module with interceptors at its submodules.

        Raises:
            InputError: It fails as it would while it is being trained.
        """

        def call(visits: Visits) -> Any:
            with linen.intercept_methods(interceptor(visits, lambda module: module.path)):
                return self._function.apply(state, *args, **kwargs)

        try:
            with self.advised(kwargs, FlaxError, TypeError):
                return run_marked(call, taps)
        except (FlaxError, InputError) as error:
            error.add_note(
                f"polyattr applied the module to variables with the collections {list(state)}; "
                f"arguments such as train=False or rngs go in forward_kwargs"
            )
            raise


def _paths(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, below in tree.items():
        if isinstance(below, Mapping):
            yield (*above, name)
            yield from _paths(below, (*above, name))
