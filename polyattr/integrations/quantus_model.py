"""A model of any backend, as Quantus asks models."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from typing import Any

import numpy as np

from polyattr.backend import detect, get_backend, unrecognised
from polyattr.errors import InputError, MissingExtraError

Array = np.ndarray[Any, Any]


def model_interface(model: Any, *, backend: str | None = None, channel_first: bool = True) -> Any:
    """Returns a model in the form that Quantus' metrics ask, a `quantus.ModelInterface`.

    Args:
        model: Any model with one input (N, ...) and one output (N, classes) that polyattr takes.
        backend: Name of a backend; None to find the model's own.
        channel_first: Whether the model takes pictures (N, C, H, W), as Quantus does, or
            (N, H, W, C).

    Raises:
        MissingExtraError: Quantus is not installed.
        UnrecognisedModelError: No backend recognises the model; name one, as for functions.

    Example:
        ```python
        from polyattr.integrations.quantus import model_interface

        interface = model_interface(lambda x: jax.nn.relu(x @ weights), backend="jax")
        ```
    """
    try:
        form: Any = import_module("quantus.helpers.model.model_interface").ModelInterface
    except ImportError as error:
        raise MissingExtraError("polyattr.integrations.quantus", "quantus") from error
    owner = detect(model) if backend is None else get_backend(backend)
    if owner is None:
        raise unrecognised(model, [])

    class Interface(_Asked, form):  # type: ignore[misc]  # of a library found when it is called
        """The form of Quantus, the answers of polyattr."""

    return Interface(owner, model, channel_first)


class _Asked:
    """How a model answers."""

    def __init__(self, backend: Any, model: Any, channel_first: bool) -> None:
        self.backend, self.model = backend, model
        self.channel_first, self.softmax = channel_first, False
        self.model_predict_kwargs: dict[str, Any] = {}

    def get_model(self) -> Any:
        """Returns the user's model."""
        return self.model

    def get_softmax_arg_model(self) -> Any:
        """Returns the user's model: the softmax is taken of what it returns."""
        return self.model

    def predict(self, x: Array, **kwargs: Any) -> Array:
        """Returns outputs (N, classes) for inputs (N, ...)."""
        bound = self.backend.bind(self.model)
        given = np.asarray(x)
        native = self.backend.to_native(given, bound.like, bound.dtype or "float32")
        with self.backend.session(native), bound.inference():
            found = self.backend.value(
                lambda rows: bound.run(bound.state(), rows, kwargs), [native]
            )
        outputs: Array = self.backend.to_numpy(found)
        if not self.softmax:
            return outputs
        raised = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        shares: Array = raised / raised.sum(axis=-1, keepdims=True)
        return shares

    def shape_input(
        self,
        x: Array,
        shape: tuple[int, ...],
        channel_first: bool | None = None,
        batched: bool = False,
    ) -> Array:
        """Returns a batch (N, ...), of what may be a single sample, as the model takes it."""
        whole = np.reshape(x, shape if batched else (1, *shape))
        first = True if channel_first is None else channel_first
        if whole.ndim < 3 or first == self.channel_first:
            return whole
        return np.moveaxis(whole, 1, -1) if first else np.moveaxis(whole, -1, 1)

    def state_dict(self) -> dict[str, Any]:
        """Returns the parameters of each layer."""
        return dict(self.backend.bind(self.model).weights())

    @property
    def random_layer_generator_length(self) -> int:
        """How many layers have parameters."""
        return len(self._weights())

    def get_random_layer_generator(
        self, order: str = "top_down", seed: int = 42
    ) -> Iterator[tuple[str, Any]]:
        """Yields each layer and the model with its parameters, and those before it, drawn anew.

        Each array is drawn from the normal distribution with its mean and standard deviation. What
        is yielded is a copy.
        """
        known = self._weights()
        names = list(known)[::-1] if order == "top_down" else list(known)
        numbers = np.random.default_rng(seed)
        drawn = {name: [self._drawn(t, numbers) for t in known[name]] for name in names}
        other = deepcopy(self.model)  # the user's model is explained meanwhile
        for place, name in enumerate(names):
            some = [name] if order == "independent" else names[: place + 1]
            with self.backend.bind(other).with_weights({n: drawn[n] for n in some}) as randomised:
                yield name, randomised

    def _weights(self) -> dict[str, Any]:
        bound = self.backend.bind(self.model)
        known = dict(bound.weights())
        if not known:
            raise InputError(
                f"the parameters of this {bound.kind} cannot be found; expected a module that has "
                f"them for metrics that randomise models"
            )
        return known

    def _drawn(self, tensor: Any, numbers: np.random.Generator) -> Any:
        old = self.backend.to_numpy(tensor).astype(np.float64)
        new = numbers.normal(old.mean(), old.std(), old.shape)
        return self.backend.to_native(new, tensor, self.backend.dtype(tensor))

    def add_mean_shift_to_first_layer(self, input_shift: Any, shape: tuple[int, ...]) -> Any:
        """Refuses: which layer is the first one is not known of every model.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "quantus.InputInvariance changes the first layer of a model, which is not known of "
            "every backend; expected another metric"
        )

    def get_hidden_representations(self, x: Array, *args: Any, **kwargs: Any) -> Array:
        """Refuses: hidden layers are read by another way here.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "metrics of quantus that read hidden layers cannot ask this model; expected another "
            "metric, or input_layer= of a method for maps of a hidden layer"
        )

    @property
    def get_ml_framework_name(self) -> str:
        """The backend's name."""
        return str(self.backend.name)
