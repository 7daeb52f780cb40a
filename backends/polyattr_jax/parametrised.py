"""Models whose parameters are arguments of the compiled kernel; what their kinds have in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from polyattr.backend import BoundModel, InputError, InputTypeError, Watched
from polyattr_jax.modes import mode_advice
from polyattr_jax.objects.weights import grouped, leaves, replaced


def signed(signature: inspect.Signature) -> Callable[..., Any]:
    """Returns a function with a signature: how a model takes its inputs, its state left out."""

    def entry(*args: Any, **kwargs: Any) -> None:
        """Stands for the model."""

    entry.__signature__ = signature  # type: ignore[attr-defined]  # `inspect` honours it
    return entry


class ParametrisedModel(BoundModel):
    """A model whose parameters are arguments of the kernel: NumPy inputs follow them."""

    def watched(self) -> Watched:
        """The model but for its parameters."""
        return Watched((self._function,), passed=tuple(jax.tree.leaves(self.state())))

    def attribute(self, name: str) -> Any:
        """Refuses: what is read off the model would freeze its parameters.

        Raises:
            InputTypeError: Always.
        """
        raise InputTypeError(
            f"the operator reads model.{name}, but the parameters of a {self.kind} are arguments "
            f"of the compiled kernel; expected calls model(...) alone. For a part of the model, "
            f"explain a function or a module that returns it"
        )

    def parameters(self) -> Any:
        """The parameters, as they are now."""
        return self.state()

    @property
    def like(self) -> Any:  # type: ignore[override]  # read anew each time
        """A parameter of a floating dtype, or None if there is none on a device."""
        leaves = [leaf for leaf in self._floating() if isinstance(leaf, jax.Array)]
        return leaves[0] if leaves else None

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # read anew each time
        """The dtype of the parameters."""
        names = [str(jax.dtypes.canonicalize_dtype(leaf.dtype)) for leaf in self._floating()]
        return names[0] if names else None

    def _floating(self) -> list[Any]:
        # Parameters read from a file may be NumPy arrays.
        leaves = [x for x in jax.tree.leaves(self.parameters()) if hasattr(x, "dtype")]
        return [leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating)]


class TracedModel(ParametrisedModel):
    """A model whose layers are tapped while it is traced: a plain run is one without taps."""

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model as `run_tapped` does."""
        return self.run_tapped(state, args, kwargs, ())[0]

    def weights(self) -> Mapping[str, Sequence[Any]]:
        """The floating arrays among the parameters, by what holds them."""
        tree = self.parameters()
        arrays = dict(leaves(tree))
        return {name: [arrays[path] for path in paths] for name, paths in grouped(tree).items()}

    @contextmanager
    def with_weights(self, given: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
        """Makes another model: arrays are immutable, and the user's one is not touched."""
        yield self.with_parameters(replaced(self.parameters(), given))

    def with_parameters(self, tree: Any) -> Any:
        """Returns the user's model with other `parameters`."""
        raise NotImplementedError

    def advice(self, given: Collection[str]) -> str:
        """Names an argument that says whether the model is being trained."""
        return mode_advice(self.entry, given)

    @contextmanager
    def advised(self, kwargs: Mapping[str, Any], *kinds: type[Exception]) -> Iterator[None]:
        """Surrounds a call with `kwargs`, whose errors of some `kinds` may be due to the mode.

        Raises:
            InputError: They may.
        """
        try:
            yield
        except kinds as error:
            advice = self.advice(kwargs)
            if not advice:
                raise
            met = f"{type(error).__name__}: {str(error).rstrip('.')}"
            raise InputError(f"the {self.kind} raised {met}{advice}") from error
