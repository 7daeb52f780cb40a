"""The summary of all rows: means, quantiles, the worst, each class, and rows of a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.optional import library
from polyattr.datasets.summaries import buckets
from polyattr.datasets.summaries.partial import MOST_FEATURES
from polyattr.errors import InputError
from polyattr.results.attribution import Attribution
from polyattr.results.names import Names

Array = np.ndarray[Any, Any]

_ACCURACY = 0.005


@dataclass(frozen=True, repr=False)
class Whole:
    """What is known of all rows.

    Attributes:
        shape: Of one map.
        classes: (C,) the targets there are.
        counts: (C,) rows of each.
        sums: (C, F) of the attributions.
        magnitudes: (C, F) of their magnitudes.
        buckets: Places and counts, or None where there are too many features.
        worst: The rows with the largest error, the worst first.
    """

    shape: tuple[int, ...]
    classes: Array
    counts: Array
    sums: Array
    magnitudes: Array
    buckets: tuple[Array, Array] | None
    worst: Attribution

    def mean(self, sums: Array) -> Array:
        """Sums (C, F) over all classes, for each row."""
        rows = max(int(self.counts.sum()), 1)
        return np.asarray(sums.sum(axis=0) / rows).reshape(self.shape)


@dataclass(frozen=True, repr=False)
class Summary(Attribution):
    """An even sample of the rows of a data set, which also knows about all of them.

    As an `Attribution` it holds about a thousand rows with their inputs, chosen by a number that is
    mixed from their place, so that ``polyattr.plots.summary`` draws it; the properties below are
    over all rows whose map is finite. Takes the arguments of `Attribution` and raises its errors.

    Attributes:
        whole: What is known of all rows.

    Example:
        >>> import ddsketch, numpy as np, polyattr, torch, zarr
        >>> data = np.arange(6, dtype=np.float32).reshape(3, 2)
        >>> method = polyattr.GradientInput(torch.nn.Flatten())
        >>> done = polyattr.explain_dataset(method, data, "whole.zarr", targets=1)
        >>> done.summary().mean, done.summary().quantile(0.5).round(1)
        (array([0., 3.]), array([0., 3.]))
    """

    whole: Whole = field(default=None)  # type: ignore[assignment]  # fields before it have defaults

    @property
    def mean(self) -> Array:
        """The mean attribution of each feature, (...) as one map."""
        return self.whole.mean(self.whole.sums)

    @property
    def mean_magnitude(self) -> Array:
        """The mean absolute attribution of each feature, (...) as one map."""
        return self.whole.mean(self.whole.magnitudes)

    @property
    def worst_rows(self) -> Attribution:
        """The rows with the largest `error`, the worst first; `names.rows` are their ids."""
        return self.whole.worst

    @property
    def classes(self) -> dict[int, int]:
        """How many rows each target has; -1 where it is no class."""
        return dict(zip(self.whole.classes.tolist(), self.whole.counts.tolist(), strict=True))

    def mean_of(self, target: int, *, magnitude: bool = False) -> Array:
        """Returns the mean attribution over the rows of one target.

        Args:
            target: Index of a class.
            magnitude: Whether of the absolute attributions.

        Returns:
            An array (...) in the shape of one map.

        Raises:
            InputError: No row has that target, or classes were not told apart: there are more than
                4,096 features.

        Example:
            >>> import ddsketch, numpy as np, polyattr, torch, zarr
            >>> data = np.arange(6, dtype=np.float32).reshape(3, 2)
            >>> method = polyattr.GradientInput(torch.nn.Flatten())
            >>> done = polyattr.explain_dataset(method, data, "classes.zarr", targets=1)
            >>> done.summary().mean_of(1)
            array([0., 3.])
        """
        whole = self.whole
        where = np.flatnonzero(whole.classes == target)
        if not len(where):
            known = ", ".join(map(str, whole.classes[:12]))
            raise InputError(f"no row has the target {target}; expected one of {known}")
        sums = (whole.magnitudes if magnitude else whole.sums)[where[0]]
        return np.asarray(sums / whole.counts[where[0]]).reshape(whole.shape)

    def quantile(self, q: float) -> Array:
        """Returns what a share of all rows does not exceed, for each feature.

        Args:
            q: The share, from 0 to 1.

        Returns:
            An array (...) in the shape of one map, to a relative 1.3 %.

        Raises:
            InputError: `q` is out of range, or there are more than 4,096 features.
            MissingExtraError: ddsketch is not installed.

        Example:
            >>> import ddsketch, numpy as np, polyattr, torch, zarr
            >>> data = np.arange(6, dtype=np.float32).reshape(3, 2)
            >>> method = polyattr.GradientInput(torch.nn.Flatten())
            >>> done = polyattr.explain_dataset(method, data, "quantiles.zarr", targets=1)
            >>> done.summary().quantile(1.0).round(1)
            array([0., 5.])
        """
        if not isinstance(q, int | float) or not 0 <= q <= 1:
            raise InputError(f"q is {q!r}; expected a share from 0 to 1")
        if self.whole.buckets is None:
            raise InputError(f"quantiles are kept of at most {MOST_FEATURES:,} features")
        found = [sketch.get_quantile_value(q) for sketch in self.sketches()]
        return np.array([np.nan if f is None else f for f in found]).reshape(self.whole.shape)

    def sketches(self) -> list[Any]:
        """Returns a DDSketch of each feature, counted through, which can be merged with others.

        Raises:
            MissingExtraError: ddsketch is not installed.

        Example:
            >>> import ddsketch, numpy as np, polyattr, torch, zarr
            >>> data = np.arange(6, dtype=np.float32).reshape(3, 2)
            >>> method = polyattr.GradientInput(torch.nn.Flatten())
            >>> done = polyattr.explain_dataset(method, data, "sketches.zarr", targets=1)
            >>> len(done.summary().sketches())
            2
        """
        kind = library("ddsketch", "quantiles", "zarr").DDSketch
        size = int(np.prod(self.whole.shape, dtype=int))
        made = [kind(_ACCURACY) for _ in range(size)]
        places, counts = self.whole.buckets or (np.empty(0, int), np.empty(0, int))
        values = buckets.middles(places & ((1 << buckets.BITS) - 1))
        for place, value, count in zip(places >> buckets.BITS, values, counts, strict=True):
            made[place].add(float(value), float(count))
        return made


def read_summary(
    folder: Path, shards: int, facts: dict[str, Any], features: list[str] | None
) -> Summary:
    """Adds up what the shards left, in their order.

    Raises:
        InputError: They left nothing.
    """
    paths = [folder / f"{number:06d}.npz" for number in range(shards)]
    if not all(path.exists() for path in paths):
        raise InputError("there is no summary of this run; expected one made with summary=True")
    added = _Added()
    for path in paths:
        with np.load(path) as held:
            added.add({name: held[name] for name in held.files})
    worst = _attribution(added.worst, facts, features)
    sample = _attribution(added.joined(), facts, features)
    own = {entry: getattr(sample, entry) for entry in sample.__dataclass_fields__}
    return Summary(**own, whole=added.whole(worst))


@dataclass
class _Added:
    """Sums over shards."""

    shape: tuple[int, ...] = ()
    sums: dict[int, list[Any]] = field(default_factory=dict)
    buckets: tuple[Array, Array] | None = None
    worst: dict[str, Array] = field(default_factory=dict)
    samples: list[dict[str, Array]] = field(default_factory=list)

    def add(self, held: dict[str, Array]) -> None:
        self.shape = tuple(int(size) for size in held["shape"])
        for i, target in enumerate(held["class"].tolist()):
            one = [int(held["class_rows"][i]), held["sum"][i], held["sum_abs"][i]]
            known = self.sums.get(target)
            self.sums[target] = (
                one if known is None else [a + b for a, b in zip(known, one, strict=True)]
            )
        if "bucket" in held:
            own = held["bucket"].astype(np.int64), held["count"].astype(np.int64)
            self.buckets = own if self.buckets is None else buckets.add(self.buckets, own)
        worst = {n.removeprefix("worst_"): v for n, v in held.items() if n.startswith("worst_")}
        most = max(len(worst["error"]), len(self.worst.get("error", ())))
        if self.worst:
            worst = {name: np.concatenate([self.worst[name], worst[name]]) for name in worst}
        order = np.argsort(-np.nan_to_num(worst["error"], nan=np.inf), kind="stable")[:most]
        self.worst = {name: array[order] for name, array in worst.items()}
        sample = {n.removeprefix("sample_"): v for n, v in held.items() if n.startswith("sample_")}
        if sample:
            self.samples.append(sample)

    def joined(self) -> dict[str, Array]:
        if not self.samples:  # of a few rows none may have been drawn
            return self.worst
        return {n: np.concatenate([s[n] for s in self.samples]) for n in self.samples[0]}

    def whole(self, worst: Attribution) -> Whole:
        classes = sorted(self.sums)
        counts, sums, magnitudes = (
            np.array([self.sums[target][i] for target in classes]) for i in range(3)
        )
        found = np.array(classes)
        return Whole(self.shape, found, counts, sums, magnitudes, self.buckets, worst)


def _attribution(
    held: dict[str, Array], facts: dict[str, Any], features: list[str] | None
) -> Attribution:
    maps, inputs = held["attribution"], held.get("inputs")
    target, unknown = held["target"], np.zeros(len(maps), np.int64)
    names = Names(rows=held["id"], features=features if maps.ndim == 2 else None)
    gone = [np.isnan(held[name]).all() for name in ("baseline_score", "gap")]
    return Attribution(
        values=maps,
        scores=held["score"],
        baseline_scores=None if gone[0] else held["baseline_score"],
        completeness_gap=None if gone[1] else held["gap"],
        error=held["error"],
        converged=held["converged"],
        evaluations=held.get("evaluations", unknown),
        targets=None if (target == -1).all() else target,
        method=facts["method"],
        seed=facts["seed"],
        backend=facts["backend"],
        names=names,
        inputs=inputs if inputs is not None and inputs.shape == maps.shape else None,
        signed=facts["signed"],
    )
