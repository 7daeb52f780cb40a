"""The question of a metric: what is explained by which method, and the maps it gave."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from polyattr.backend import GradBackend
from polyattr.errors import (
    BaselineWarning,
    ConvergenceWarning,
    InputError,
    InputTypeError,
    brief,
    nearest,
)
from polyattr.explainer import Explainer
from polyattr.explainer.binding.points import Points
from polyattr.metrics.records.measurement import Measurement, joined
from polyattr.question.datasets import Labels, batches, is_dataset
from polyattr.question.structure import flatten
from polyattr.results.attribution import Attribution
from polyattr.sampling.drawing.row_ids import RowIds
from polyattr.scores.each import Each

Array = np.ndarray[Any, Any]
Found = TypeVar("Found")

_OPTIONS = ("baselines", "forward_args", "forward_kwargs", "batched", "sample_ids")


@dataclass(frozen=True)
class Batch:
    """One batch of samples, and what is asked about their maps.

    Attributes:
        method: The explainer.
        inputs: As the user passed them.
        goals: What is explained of the samples, which no perturbation changes.
        given: What the user gave in the place of a map of the method's own; None for nothing.
        ids: (N,) what samples are called, for their draws.
        options: Further arguments of a call of the method.
    """

    method: Explainer
    inputs: Any
    goals: Any
    given: Any
    ids: Array
    options: Mapping[str, Any]

    def attribute(self, inputs: Any = None, method: Explainer | None = None) -> Attribution:
        """Explains the samples, or others in their place, by the method or another one.

        What is told of the error of maps was told when the samples themselves were explained.
        """
        x = self.inputs if inputs is None else inputs
        chosen = self.method if method is None else method
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", BaselineWarning)
            return _attributed(chosen, x, self.goals, self.options)

    def score(self, use: Callable[[Points, list[Array]], Found]) -> Found:
        """Returns what `use` makes of scores at points, and of the maps (N, ...) of each input."""
        plain = {k: v for k, v in self.options.items() if k != "sample_ids"}

        def asked(points: Points) -> Found:
            return use(points, self._maps(points))

        return self.method._score(self.inputs, self.goals, plain, asked)

    def _maps(self, points: Points) -> list[Array]:
        """The maps, (N, ...) float64 for each input that is attributed to."""
        wanted = [tuple(leaf.shape) for leaf in points.leaves]
        leaves = [leaf for leaf in flatten(self.given, "attribution")[1] if leaf is not None]
        backend = points.backend
        found = [
            np.asarray(backend.to_numpy(leaf) if backend.is_tensor(leaf) else leaf)
            for leaf in leaves
        ]
        shapes = [leaf.shape for leaf in found]
        if shapes != wanted or any(leaf.dtype.kind not in "fiub" for leaf in found):
            raise InputError(
                f"attribution has shape {_listed(shapes)}; expected numbers of shape "
                f"{_listed(wanted)}, one for each feature that is explained"
            )
        return [leaf.astype(np.float64) for leaf in found]

    def backend(self) -> GradBackend:
        """The framework that answers."""
        return self.method._calls.backend_of(self.inputs)


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes)) or "no shape"


def measured(
    method: Any,
    inputs: Any,
    targets: Any,
    attribution: Any,
    options: Mapping[str, Any],
    measure: Callable[[Batch], Measurement],
) -> Any:
    """Measures all samples, those of a dataset batch by batch.

    Args:
        method: The explainer, as the user passed it.
        inputs: As for `Explainer.explain`.
        targets: Likewise.
        attribution: A result, or maps, that are measured; None for those of the method.
        options: Further arguments of the call.
        measure: Measures one batch.

    Raises:
        InputTypeError: `method` is none, or an option of another name.
        InputError: Several targets at once, or maps of other samples.
    """
    _check(method, targets, attribution, options)
    whole = is_dataset(inputs)
    parts = batches(inputs, targets) if whole else [(inputs, targets)]
    ids, first, found = RowIds(options.get("sample_ids"), whole), 0, []
    for x, y in parts:
        n = _samples(x)
        given = _of_batch(attribution, first, n) if whole else attribution
        found.append(measure(_batch(method, x, y, given, ids.of(n), options)))
        ids.step()
        first += n
    if not found:
        raise InputError("the dataset has no batches; expected at least one")
    return joined(found)


def _batch(
    method: Explainer, inputs: Any, targets: Any, given: Any, ids: Array, options: Mapping[str, Any]
) -> Batch:
    """Explains the samples of a batch, unless their maps are `given`."""
    passed = {name: value for name, value in options.items() if name != "sample_ids"}
    if method.has_own_draws:
        passed["sample_ids"] = ids
    found = _attributed(method, inputs, targets, passed) if given is None else given
    result = found if isinstance(found, Attribution) else None
    values = found if result is None else result.values
    return Batch(method, inputs, _goals(targets, result), values, ids, passed)


def _check(method: Any, targets: Any, attribution: Any, options: Mapping[str, Any]) -> None:
    if not isinstance(method, Explainer):
        raise InputTypeError(
            f"method is {brief(method)}; expected a method with its model, such as "
            f"polyattr.IntegratedGradients(model): maps of your own go in attribution="
        )
    for name in options:
        if name not in _OPTIONS:
            raise InputTypeError(
                f"a metric has no argument {name!r}.{nearest(name, _OPTIONS)} Those that it hands "
                f"on to the method: {', '.join(_OPTIONS)}"
            )
    several = isinstance(attribution, Attribution) and attribution.scores.ndim > 1
    if isinstance(targets, Each) or several:
        raise InputError(
            "there are several targets for each sample; expected one: measure each of them in a "
            "call of its own"
        )


def _samples(inputs: Any) -> int:
    """Counts samples by the first array with rows; what is none is refused when it is explained."""
    shapes: list[Any] = [getattr(leaf, "shape", ()) for leaf in flatten(inputs, "inputs")[1]]
    return next((int(shape[0]) for shape in shapes if len(shape)), 1)


def _of_batch(attribution: Any, first: int, n: int) -> Any:
    """The part of what was given for a whole dataset that belongs to one batch."""
    if attribution is None:
        return None
    if isinstance(attribution, Attribution):
        return attribution[first : first + n]
    structure, leaves = flatten(attribution, "attribution")
    return structure.build([leaf[first : first + n] for leaf in leaves])


def _attributed(
    method: Explainer, inputs: Any, goals: Any, options: Mapping[str, Any]
) -> Attribution:
    if isinstance(goals, Labels):  # which a method may have no use for
        return method.attribute([(inputs, goals.value)], **options)
    return method.attribute(inputs, goals, **options)


def _goals(targets: Any, result: Attribution | None) -> Any:
    """What the samples are explained for, whatever a perturbation would have predicted."""
    if targets is not None and not isinstance(targets, Labels):
        return targets
    if result is not None and isinstance(result.targets, np.ndarray):
        return result.targets
    return targets
