"""Haiku transformed functions with their parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import haiku
import jax

from polyattr.backend import Layer, Tap, UnrecognisedModelError, Visits, find_named
from polyattr_jax.parametrised import TracedModel, signed
from polyattr_jax.tapping import interceptor, run_marked

# JAX does not say in its types that what it jits has the function as `__wrapped__`.
_JITTED: type[Any] = type(jax.jit(lambda: None))


def bind_haiku(transformed: Any, rest: Sequence[Any]) -> BoundHaiku:
    """Binds (transformed, params), or (transformed, params, state) where it has a state.

    Raises:
        UnrecognisedModelError: Something is missing, too much, or no parameters.
    """
    name = type(transformed).__name__
    if not isinstance(transformed, haiku.Transformed | haiku.TransformedWithState):
        raise UnrecognisedModelError(
            f"{name} holds several functions; expected a function that applies one of them: "
            f"lambda x: transformed.apply[0](params, None, x)"
        )
    stateful = isinstance(transformed, haiku.TransformedWithState)
    wanted = "(transformed, params, state)" if stateful else "(transformed, params)"
    right = len(rest) == 1 + stateful and all(isinstance(part, Mapping) for part in rest)
    if not right:
        given = ", ".join(type(part).__name__ for part in rest)
        raise UnrecognisedModelError(
            f"a haiku {name} came {f'with {given}' if given else 'alone'}; expected {wanted}, "
            f"with dicts as transformed.init returned"
        )
    return BoundHaiku(transformed, *rest)


class BoundHaiku(TracedModel):
    """An apply function, with parameters and state that are read anew by every call."""

    kind = "haiku function"

    def __init__(self, transformed: Any, *trees: Mapping[str, Any]) -> None:
        self._transformed, apply = transformed, transformed.apply
        while isinstance(apply, _JITTED):  # what it cached would not see the interceptors
            apply = apply.__wrapped__
        self._trees = trees
        signature = inspect.signature(apply)
        own = list(signature.parameters.values())[len(trees) :]
        # `without_apply_rng` leaves it out; an unknown signature is taken for haiku's own.
        self._takes_rng = not own or own[0].name in {"rng", "args"}
        if own and own[0].name == "rng":
            own = own[1:]
        super().__init__(apply, entry=signed(signature.replace(parameters=own)))

    def parameters(self) -> Any:
        """The trainable parameters: statistics may be kept wider."""
        return self._trees[0]

    def with_parameters(self, tree: Any) -> Any:
        """The transformed function, other parameters, and the state if there is one."""
        return self._transformed, tree, *self._trees[1:]

    def state(self) -> Any:
        """The parameters, and the state if there is one."""
        return self._trees

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a module by the name its parameters go by, or by the beginning of one."""
        names = [name for tree in self._trees for name in tree]
        every = dict.fromkeys(part for name in names for part in _prefixes(name))
        found = find_named(selector, list(every), argument, self.kind)
        return Layer(found, found)

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Applies the function with interceptors at its modules.

        It gets no random numbers unless `rng` is among the arguments.

        Raises:
            InputError: It fails as it would while it is being trained.
        """
        named = dict(kwargs)
        rng = (named.pop("rng", None),) if self._takes_rng else ()

        def call(visits: Visits) -> Any:
            with haiku.intercept_methods(interceptor(visits, lambda module: module.module_name)):
                outputs = self._function(*state, *rng, *args, **named)
            return outputs[0] if len(state) > 1 else outputs

        with self.advised(kwargs, ValueError, TypeError):
            return run_marked(call, taps)


def _prefixes(name: str) -> list[str]:
    """Returns the names of a module and of those around it: "mlp/~/linear" is inside "mlp"."""
    parts = name.split("/")
    return ["/".join(parts[: i + 1]) for i, part in enumerate(parts) if part != "~"]
