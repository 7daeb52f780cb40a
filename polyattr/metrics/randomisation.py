"""Randomisation of parameters: whether maps change when the model forgets what it has learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.backend import BoundModel, GradBackend, Tensor
from polyattr.errors import InputError, InputTypeError, brief, nearest
from polyattr.explainer import Explainer
from polyattr.explainer.shown.described import described_by
from polyattr.metrics.batch import Batch, measured
from polyattr.metrics.features import WEIGHTS, uniform
from polyattr.metrics.records.arguments import ARGUMENTS
from polyattr.metrics.records.measurement import OF_SAMPLES, Measurement
from polyattr.question.checks import check_count, check_flag
from polyattr.question.structure import flatten
from polyattr.results.comparison import correlations
from polyattr.sampling.noise import portable_noise

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]
Change = tuple[str, Callable[[int], AbstractContextManager[Any]]]
"""A layer, and what surrounds a block in which there is a model without what it had learnt; it is
told the number of the draw."""


@dataclass(frozen=True, repr=False)
class Randomisation(Measurement):
    """What `randomisation` finds: how much maps are like those of models that know less.

    Takes the arguments of `Measurement`; its `values` are means over layers.

    Attributes:
        similarity: (N, L) rank correlation with the map of the model at each layer, the mean over
            draws; NaN where a map is the same everywhere.
        layers: The L layers, in the order in which they were randomised.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.GradientInput(torch.nn.Linear(4, 2))
        >>> metrics.randomisation(method, torch.ones(3, 4), 0).layers
        ('Linear',)
    """

    similarity: Array = field(default=None, metadata=OF_SAMPLES)  # type: ignore[arg-type]
    layers: tuple[str, ...] = ()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the mean similarity at each layer with its standard error.

        Takes the argument `ax` of `Measurement.plot`, returns the axes and raises its errors.

        Example:
            >>> import polyattr, torch
            >>> from polyattr import metrics
            >>> method = polyattr.GradientInput(torch.nn.Linear(4, 2))
            >>> metrics.randomisation(method, torch.ones(3, 4), 0).plot().get_ylabel()
            'rank correlation with the map'
        """
        from polyattr.metrics.records.figures import (
            layers,  # late: a number needs no drawing library
        )

        return layers(self, ax)


_OWN = """
Args:
    mode: "cascading" randomises layers from the last one back, each time one more;
        "independent" each layer by itself.
    layers: Their names, the first of the model first; None for all with parameters, in the
        order in which the model lists them.
    draw: "normal" draws from the normal distribution with the mean and standard deviation of
        each array (...), so that biases of zeros stay; "permute" puts its numbers in another
        order.
    magnitude: Compare absolute values.
    nb_samples: Draws of the parameters, of which the mean is taken.
    randomise: ``randomise(model, seed)`` returns a randomised model, of a kind whose parameters
        are not found, such as a function; it must leave `model` as it is.
    models: Randomised models by names of your choice, in the place of all this.
"""


@described_by(ARGUMENTS + _OWN)
def randomisation(
    method: Explainer, inputs: Any, targets: Any = None, *, mode: str = "cascading",
    layers: Sequence[str] | None = None, draw: str = "normal", magnitude: bool = False,
    nb_samples: int = 2, randomise: Callable[[Any, int], Any] | None = None,
    models: Mapping[str, Any] | None = None, seed: int = 0, **options: Any,
) -> Randomisation:  # fmt: skip
    r"""Compares maps with those of the same model whose parameters are drawn anew.

    Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim, Sanity Checks for Saliency Maps (2018), arXiv
    1810.03292: a map that stays the same does not depend on what the model has learnt. Similarity
    is Spearman's rank correlation, 1 for the same order of features. The model is what it was
    afterwards, to the last bit, also if the call fails; no other thread may use it meanwhile.

    Returns:
        A `Randomisation`: `values` (N,) from -1 to 1, lower is better, with a `standard_error`
        from the draws where there are several.

    Raises:
        InputError: The parameters of the model are not found, or a layer; or an argument is out of
            its range.
        InputTypeError: `method` is no method, or an option is unknown.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.GradientInput(torch.nn.Linear(4, 2))
        >>> metrics.randomisation(method, torch.ones(3, 4), 0, draw="permute").values.shape
        (3,)
    """
    asked = _Randomised(mode, layers, draw, magnitude, nb_samples, randomise, models, seed)
    found: Randomisation = measured(method, inputs, targets, None, options, asked.measure)
    return found


@dataclass(frozen=True)
class _Randomised:
    """The arguments."""

    mode: str
    layers: Any
    draw: str
    magnitude: bool
    nb_samples: int
    randomise: Any
    models: Any
    seed: int

    def __post_init__(self) -> None:
        for name, choices in (("mode", ("cascading", "independent")), ("draw", tuple(_DRAWS))):
            given = getattr(self, name)
            if not isinstance(given, str) or given not in choices:
                raise InputError(f"{name} is {given!r}; expected {choices[0]!r} or {choices[1]!r}")
        check_flag("magnitude", self.magnitude)
        check_count("nb_samples", self.nb_samples, 1)
        check_count("seed", self.seed, -(2**63))
        if self.randomise is not None and not callable(self.randomise):
            raise InputTypeError(
                f"randomise is {brief(self.randomise)}; expected a callable randomise(model, seed) "
                f"-> model"
            )
        if self.models is not None and not (isinstance(self.models, Mapping) and self.models):
            raise InputTypeError(
                f"models is {brief(self.models)}; expected a dict of randomised models by name"
            )
        if self.models is not None and self.randomise is not None:
            raise InputError("models and randomise are both given; expected one of them")

    def measure(self, batch: Batch) -> Randomisation:
        """Measures one batch."""
        here = self._map(batch, batch.given)
        changes = list(self._changes(batch))
        draws = 1 if self.models is not None else self.nb_samples
        found = np.empty((draws, len(here), len(changes)))
        for place, (_, change) in enumerate(changes):
            for number in range(draws):
                with change(number) as model:
                    method = _with_model(batch.method, model)
                    there = self._map(batch, batch.attribute(method=method).values)
                found[number, :, place] = correlations(np.stack([here, there], axis=1))[:, 0, 1]
        similarity, each = _mean(found, 0), _mean(found, 2)
        error = None if draws == 1 else each.std(axis=0, ddof=1) / np.sqrt(draws)
        settings = vars(self) | {"models": None if self.models is None else list(self.models)}
        return Randomisation(
            "randomisation", repr(batch.method), _mean(similarity, 1), error, settings,
            similarity=similarity, layers=tuple(name for name, _ in changes),
        )  # fmt: skip

    def _map(self, batch: Batch, values: Any) -> Array:
        """Returns maps (N, F), of absolute values where those are compared."""
        backend = batch.backend()
        leaves = [leaf for leaf in flatten(values, "values")[1] if leaf is not None]
        each = [backend.to_numpy(leaf).astype(np.float64) for leaf in leaves]
        flat = np.concatenate([leaf.reshape(len(leaf), -1) for leaf in each], axis=1)
        return np.abs(flat) if self.magnitude else flat

    def _changes(self, batch: Batch) -> Iterator[Change]:
        """Yields the layers in the order in which they are randomised, and how."""
        if self.models is not None:
            for name, model in self.models.items():
                yield str(name), lambda _number, model=model: nullcontext(model)  # type: ignore[misc]
            return
        own = _model(batch.method)
        if self.randomise is not None:
            yield "model", lambda number: nullcontext(self.randomise(own, self.seed + number))
            return
        bound, backend = batch.method._calls.model_of(batch.inputs), batch.backend()
        names = self._named(bound)
        for place, name in enumerate(reversed(names)):
            some = names[len(names) - 1 - place :] if self.mode == "cascading" else [name]
            yield name, lambda number, some=some: self._drawn(bound, backend, some, number)  # type: ignore[misc]

    def _named(self, bound: BoundModel) -> list[str]:
        """Returns the names of the layers, the first of the model first."""
        known = list(bound.weights())
        if not known:
            raise InputError(
                f"the parameters of this {bound.kind} cannot be found; expected a module that has "
                f"them, or randomise=a callable (model, seed) that returns a randomised model, or "
                f"models={{name: model}}"
            )
        if self.layers is None:
            return known
        if isinstance(self.layers, str) or not isinstance(self.layers, Sequence):
            raise InputTypeError(f"layers is {brief(self.layers)}; expected a list of names")
        for name in self.layers:
            if name not in known:
                raise InputError(
                    f"layers has {name!r}, which is no layer with parameters."
                    f"{nearest(name, known)} There are: {', '.join(known)}"
                )
        if not self.layers:
            raise InputError("layers is empty; expected at least one name")
        return list(self.layers)

    @contextmanager
    def _drawn(
        self, bound: BoundModel, backend: GradBackend, names: Sequence[str], number: int
    ) -> Iterator[Any]:
        """Surrounds a block in which the parameters of layers are drawn."""
        place, new = 0, {}
        for name, tensors in bound.weights().items():
            if name in names:
                drawn = [self._new(backend, t, number, place + i) for i, t in enumerate(tensors)]
                new[name] = drawn
            place += len(tensors)
        with bound.with_weights(new) as model:
            yield model

    def _new(self, backend: GradBackend, tensor: Tensor, number: int, place: int) -> Tensor:
        """Draws a parameter anew, by its place among all."""
        old = backend.to_numpy(tensor)
        drawn = _DRAWS[self.draw](old.astype(np.float64), self.seed, number, place)
        return backend.to_native(drawn, tensor, backend.dtype(tensor))


def _normal(old: Array, seed: int, number: int, place: int) -> Array:
    noise = portable_noise(seed, number, place, old.shape, WEIGHTS)
    drawn: Array = old.mean() + old.std() * noise
    return drawn


def _permuted(old: Array, seed: int, number: int, place: int) -> Array:
    order = np.argsort(uniform(seed, number, place, (old.size,), WEIGHTS, 0), kind="stable")
    return old.ravel()[order].reshape(old.shape)


_DRAWS = {"normal": _normal, "permute": _permuted}


def _mean(found: Array, axis: int) -> Array:
    """Mean of what is a number; NaN where nothing is."""
    known = ~np.isnan(found)
    sums, counts = np.where(known, found, 0).sum(axis=axis), known.sum(axis=axis)
    means: Array = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _model(method: Any) -> Any:
    """Returns the user's model, which the innermost method has."""
    inner = method.inner()
    return method.model if inner is None else _model(inner)


def _with_model(method: Any, model: Any) -> Any:
    """Returns the method on another model; itself on its own one, with what it has compiled."""
    if model is _model(method):
        return method
    inner = method.inner()
    if inner is None:
        return replace(method, model=model)
    name = next(e.name for e in fields(method) if getattr(method, e.name) is inner)
    return replace(method, **{name: _with_model(inner, model)})
