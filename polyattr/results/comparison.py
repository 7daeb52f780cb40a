"""How much maps depend on where their paths start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.question.structure import flatten
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]


class Attributes(Protocol):
    """A method, as far as it is needed here."""

    @property
    def attribute(self) -> Callable[..., Attribution]:
        """Returns attributions of inputs (N, ...), whatever its options are called."""


@dataclass(frozen=True, repr=False)
class BaselineComparison:
    """The maps of one method from several baselines, and how far they are apart.

    Attributes:
        attributions: What each baseline gave, by its name; K of them.
        distance: (N, K, K) relative L1 distance of the maps of each sample, from 0 for equal maps
            to 2 for maps without a common part: the sum of their differences' magnitudes over the
            mean of their own.
        correlation: (N, K, K) rank correlation of the maps (Spearman's, signed values), NaN where
            one is the same everywhere. Of T targets both are (T, N, K, K).

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.IntegratedGradients(lambda x: (x**2).sum(1))
        >>> found = polyattr.compare_baselines(
        ...     method, torch.ones(1, 2), baselines={"zero": 0.0, "half": 0.5}
        ... )
        >>> found.names, found.sensitivity.round(3)
        (('zero', 'half'), array([0.286]))
    """

    attributions: Mapping[str, Attribution]
    distance: Array
    correlation: Array

    @property
    def names(self) -> tuple[str, ...]:
        """The baselines, in the order of the axes of `distance`."""
        return tuple(self.attributions)

    @property
    def sensitivity(self) -> Array:
        """Mean distance of the maps of each sample from each other (N,)."""
        first, second = np.triu_indices(len(self.names), 1)
        sensitivity: Array = self.distance[..., first, second].mean(axis=-1)
        return sensitivity

    def __repr__(self) -> str:
        width = max(map(len, self.names))
        tables = self.distance.reshape(-1, len(self.names), len(self.names))
        n, mean = len(tables), tables.mean(axis=0)
        rows = [
            f"  {name:>{width}}  {'  '.join(f'{value:.3f}' for value in values)}"
            for name, values in zip(self.names, mean, strict=True)
        ]
        head = f"<{n} maps from {len(rows)} baselines; mean relative L1 distance:"
        return "\n".join([head, *rows]) + ">"


def compare_baselines(
    method: Attributes,
    inputs: Any,
    targets: Any = None,
    *,
    baselines: Mapping[str, Any],
    **options: Any,
) -> BaselineComparison:
    """Explains the same question from several baselines, and says how much the map depends on them.

    Args:
        method: A method with baselines, such as `IntegratedGradients`.
        inputs: As for `Explainer.explain`; a dataset that can be gone through several times.
        targets: As for `Explainer.explain`.
        baselines: At least two, by names of your choice; each is what `baselines` of a call may be:
            a number, an array in the shape of one sample or of all, or one of `polyattr.baselines`.
        **options: Further arguments of the call, as for `Explainer.explain`.

    Returns:
        A `BaselineComparison`.

    Raises:
        InputTypeError: `baselines` is no dict.
        InputError: Fewer than two baselines, or inputs that can be gone through only once.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.IntegratedGradients(lambda x: (x**3).sum(1))
        >>> starts = {"zero": 0.0, "mean": polyattr.baselines.Mean()}
        >>> polyattr.compare_baselines(method, torch.tensor([[1.0, 2.0]]), baselines=starts)
        <1 maps from 2 baselines; mean relative L1 distance:
          zero  0.000  0.844
          mean  0.844  0.000>
    """
    _check(inputs, baselines)
    found = {
        str(name): method.attribute(inputs, targets, baselines=value, **options)
        for name, value in baselines.items()
    }
    return _compared(found)


def _compared(found: Mapping[str, Attribution]) -> BaselineComparison:
    """Measures how far attributions are apart."""
    maps = np.stack([_features(result) for result in found.values()], axis=1)
    shape = (*next(iter(found.values())).scores.shape, len(found), len(found))
    tables = (_distances(maps), correlations(maps))
    return BaselineComparison(found, *(table.reshape(shape) for table in tables))


def _check(inputs: Any, baselines: Any) -> None:
    """Checks that there are baselines to compare, and inputs for each.

    Raises:
        InputTypeError: No dict.
        InputError: Too few, or inputs that are used up by the first.
    """
    if not isinstance(baselines, Mapping):
        raise InputTypeError(
            f"baselines is a {type(baselines).__name__}; expected a dict of names and baselines, "
            f"such as {{'zero': 0.0, 'mean': polyattr.baselines.Mean()}}"
        )
    if len(baselines) < 2:
        raise InputError(f"baselines has {len(baselines)} entries; expected at least two")
    if hasattr(inputs, "__next__"):
        raise InputError(
            "inputs can be gone through only once, and each baseline needs them; expected "
            "list(inputs), or a dataset that can be gone through again"
        )


def _features(result: Attribution) -> Array:
    """Returns all values of each sample in one row (N, F), at one target after the other."""
    leaves = [leaf for leaf in flatten(result.to_numpy().values, "")[1] if leaf is not None]
    rows = [leaf.reshape(result.scores.size, -1) for leaf in leaves]
    return np.concatenate(rows, axis=1).astype(np.float64)


def _distances(maps: Array) -> Array:
    """Relative L1 distances (N, K, K) of maps (N, K, F); 0 between maps of zeros."""
    size = np.abs(maps).sum(axis=-1)
    mean = (size[:, :, None] + size[:, None]) / 2
    # One map after the other: all pairs at once would take K times the memory of the maps.
    apart = np.stack([np.abs(maps - one[:, None]).sum(-1) for one in maps.swapaxes(0, 1)], axis=2)
    distances: Array = np.divide(apart, mean, out=np.zeros_like(apart), where=mean > 0)
    return distances


def correlations(maps: Array) -> Array:
    """Rank correlations (N, K, K) of maps (N, K, F)."""
    ranks = np.apply_along_axis(_ranks, -1, maps)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    together = ranks @ ranks.swapaxes(1, 2)
    size = np.sqrt(np.diagonal(together, axis1=1, axis2=2))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations: Array = together / (size[:, :, None] * size[:, None])
    return correlations


def _ranks(values: Array) -> Array:
    """Ranks (F,) of values (F,), the mean of theirs for equal ones."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (counts.cumsum() - (counts - 1) / 2)[inverse.ravel()]
    return ranks
