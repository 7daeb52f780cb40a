"""A user's model as a backend hands it to core: a function, whose layers can be tapped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from polyattr.backend.snapshots import Watched
from polyattr.backend.tensor import NativeTensor, Tensor
from polyattr.errors import LayerNotFoundError


@dataclass(frozen=True)
class Layer:
    """A layer of a user's model.

    Attributes:
        name: What the model calls it.
        place: What the backend needs to reach it.

    Example:
        >>> import polyattr
        >>> polyattr.Layer("logits", place=("head", 2)).name
        'logits'
    """

    name: str
    place: Any


@dataclass(frozen=True)
class Tap:
    """A place inside a model where a run reads what flows through, or replaces it.

    Attributes:
        layer: Where.
        at_input: Tap the layer's positional arguments (the argument itself where there is one)
            instead of what it returns; the first keyword argument where none is positional.
        put: ``put(activation, values)`` returns the activation to go on with; None goes on with
            the one there is.
        values: Rows (R, ...) for `put`; they follow the sample axis through whatever maps the
            model over examples.
        call: At which call of the layer to put them, counted from 0; None at every one.

    Example:
        >>> import polyattr
        >>> polyattr.Tap(polyattr.Layer("logits", place=2)).at_input
        False
    """

    layer: Layer
    at_input: bool = False
    put: Callable[[Any, list[Tensor]], Any] | None = None
    values: list[Tensor] = field(default_factory=list)
    call: int | None = None


class Visits:
    """What one run met at its taps: the bookkeeping of `BoundModel.run_tapped`.

    Args:
        taps: The taps of the run.

    Attributes:
        seen: For each tap the activations (R, ...) of all calls of its layer.

    Example:
        >>> import polyattr
        >>> visits = polyattr.Visits([polyattr.Tap(polyattr.Layer("double", place=0))])
        >>> visits.call(0, lambda x: 2 * x, (3,), {}), visits.seen
        (6, [[6]])
    """

    seen: list[list[Any]]

    def __init__(self, taps: Sequence[Tap]) -> None:
        self.taps = taps
        self.seen = [[] for _ in taps]

    def call(self, number: int, layer: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Calls the `layer` of tap `number` with `args`, `kwargs`, read or replaced at the tap.

        Returns:
            What the layer returns (R, ...), or its replacement.
        """
        if self.taps[number].at_input:
            args, kwargs = self.arguments(number, args, kwargs)
            return layer(*args, **kwargs)
        return self.visit(number, layer(*args, **kwargs))

    def arguments(
        self, number: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Returns the `args` and `kwargs` (R, ...) for the layer of tap `number`."""
        if not args and kwargs:
            first, value = next(iter(kwargs.items()))
            return (), {**kwargs, first: self.visit(number, value)}
        if len(args) == 1:
            return (self.visit(number, args[0]),), dict(kwargs)
        return tuple(self.visit(number, args)), dict(kwargs)

    def visit(self, number: int, activation: Any) -> Any:
        """Remembers the `activation` (R, ...) at tap `number`; returns the one to go on with."""
        tap = self.taps[number]
        if tap.put is not None and tap.call in {None, len(self.seen[number])}:
            activation = tap.put(activation, tap.values)
        self.seen[number].append(activation)
        return activation


class BoundModel:
    """A user's model as a function of (state, arguments), built by `GradBackend.bind`.

    Args:
        function: What `run` calls; a subclass may override `run` instead.
        entry: The callable whose signature decides whether several inputs are passed one by one
            or as one container; None passes the container.

    Attributes:
        dtype: Name of the parameters' floating dtype, or None where that is unknown; NumPy inputs
            are converted to it.
        like: A tensor of any shape on the device the model lives on, or None.
        input_shape: Shape (N, ...) of the one input, where the model says what it takes, with None
            for sizes that are left open; None where it does not.
        most_rows: Rows the model takes in one call, where it takes no other number; fewer are
            filled up by `run`.
        kind: What messages call the model.
        beside: What else of the user's a call runs, such as an operator; set by core before
            `inference`, which is meant for it, too.
        draws: Whether a run drew random numbers from a state that all runs begin with: equal runs
            are then equal, and yet left to chance.

    Example:
        >>> from polyattr import BoundModel
        >>> BoundModel(lambda x: 2 * x).run((), [1.5], {})
        3.0
    """

    dtype: str | None = None
    like: Tensor | None = None
    entry: Callable[..., Any] | None = None
    input_shape: tuple[int | None, ...] | None = None
    most_rows: int | None = None
    kind: str = "function"
    beside: Sequence[object] = ()
    draws: bool = False

    def __init__(
        self, function: Callable[..., Any], entry: Callable[..., Any] | None = None
    ) -> None:
        self._function: Any = function
        self.entry = entry

    def state(self) -> Any:
        """Returns the parameters as they are now; passed to the compiled kernel as an argument.

        Any nesting of containers `compile` takes apart. Without it, a framework that compiles must
        read the parameters by reference, or it would go on with old weights after training.
        """
        return ()

    @property
    def made(self) -> bool:
        """Whether all parameters are there, rather than made by the first call of the model."""
        return True

    def make(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Makes them by a call at `args`, `kwargs`, rows (R, ...), and changes nothing else."""

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Evaluates the model, in inference mode, at `args`, `kwargs` and the given `state`."""
        return self._function(*args, **kwargs)

    def share(self, leaf: NativeTensor) -> Any:
        """Wraps a `leaf`, a tensor of any shape that all samples share, where a model must know."""
        return leaf

    def attribute(self, name: str) -> Any:
        """Returns the attribute `name` of the user's model, which an operator reads.

        Override it where `state` hands the parameters over: read off the model, they would become
        part of the kernel.
        """
        return getattr(self._function, name)

    def advice(self, given: Collection[str]) -> str:
        """Says what to try where a model fails, or its rows are not apart; mostly nothing.

        Args:
            given: Names of the keyword arguments that it was called with.

        Returns:
            What goes behind the message; empty where there is nothing to try.
        """
        return ""

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a layer by index, name or object.

        Args:
            selector: As the user wrote it.
            argument: Which argument of the user's it is, for messages.

        Returns:
            The layer, for `Tap`.

        Raises:
            LayerNotFoundError: No such layer; the message gives the nearest names.
            InputTypeError: Not something that can name a layer.
        """
        instead = (
            "returns the wanted layer's output"
            if argument == "output_layer"
            else "takes the wanted layer's activation as its input"
        )
        raise LayerNotFoundError(
            f"{argument}={selector!r} was given, but a {self.kind} has no layers to name; pass a "
            f"function that {instead}, or a model whose layers have names"
        )

    def logits(self) -> str | None:
        """Says what a user passes for the scores before a final softmax, if that is known.

        As in ``output_layer='logits'``, for messages; None where it is not.
        """
        return None

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Evaluates the model at `state`, `args`, `kwargs`, with `taps` at layers `layer` found.

        Returns:
            What `run` returns, and for each tap the activations of all calls of its layer.
        """
        raise NotImplementedError(f"a {self.kind} has no layers")

    def watched(self) -> Watched:
        """Says what is followed to find out whether the model has changed since the last call.

        By default all that can be reached from the model but what `state` hands over, which is an
        argument of the kernel. Override it to name what is read anew by every call, or changes
        without being read; leaving out what a kernel does read makes answers stale.
        """
        return Watched((self._function,), passed=(self.state(),))

    def weights(self) -> Mapping[str, Sequence[Tensor]]:
        """Returns the floating parameters (...) of each layer that has some, by its name.

        In the order in which the model lists its layers. Empty where they cannot be told, as those
        of a function that has them from elsewhere.
        """
        return {}

    def with_weights(self, given: Mapping[str, Sequence[Tensor]]) -> AbstractContextManager[Any]:
        """Surrounds a block in which some layers have other weights.

        The user's model is what it was afterwards, to the last bit, also where the block fails.

        Args:
            given: By the names `weights` has, in shapes and dtypes (...) of what stands there.

        Returns:
            What the block gets: the user's model, or one like it with these weights.
        """
        raise NotImplementedError(f"the weights of a {self.kind} are not known")

    def inference(self) -> AbstractContextManager[None]:
        """Puts the model in inference mode, and back as it was on exit."""
        return nullcontext()

    def evaluation(self) -> AbstractContextManager[None]:
        """Puts the model in inference mode with its parameters still differentiable.

        For a method used as a pure function, within the user's own training step.
        """
        return self.inference()
