"""Infidelity: how far a map is from telling what a perturbation of the input does to the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.errors import InputError
from polyattr.explainer import Explainer
from polyattr.explainer.binding.points import Points, Take
from polyattr.explainer.shown.described import described_by
from polyattr.methods.gradient_input import Product
from polyattr.metrics.batch import Batch, measured
from polyattr.metrics.features import ADDED, REMOVED, Features, read_features, uniform
from polyattr.metrics.records.arguments import ARGUMENTS
from polyattr.metrics.records.measurement import Measurement
from polyattr.question.checks import check_count, check_flag, check_fraction, check_positive
from polyattr.sampling.noise import portable_noise

Array = np.ndarray[Any, Any]

PERTURBATIONS = ("removal", "gaussian")


_OWN = """
Args:
    perturbation: "removal" replaces a random part of the features, I = x - replacement there;
        "gaussian" subtracts normal noise from all.
    fraction: The part that "removal" replaces, at least one feature.
    noise: Standard deviation of "gaussian", in the units of the inputs.
    nb_samples: Draws for each sample, two at least.
    per_unit: Whether attributions are per unit of the input, as gradients are, or in units of
        the score, as products of them with x - replacement are, which are divided by that.
        None knows it of every method of polyattr.
    normalise: Multiply each map by the number that fits best, so that only its proportions
        count; as for maps without units, such as `Saliency`.
"""


@described_by(ARGUMENTS + _OWN)
def infidelity(
    method: Explainer, inputs: Any, targets: Any = None, *, attribution: Any = None,
    perturbation: str = "removal", fraction: float = 0.1, noise: float = 0.2,
    replacement: Any = 0.0, nb_samples: int = 50, channel_axis: int | None = None,
    per_unit: bool | None = None, normalise: bool = False, seed: int = 0, **options: Any,
) -> Measurement:  # fmt: skip
    r"""Compares what a map promises of random perturbations with what they do to the score.

    .. math:: E_I \left( I^T \phi(x) - (f(x) - f(x - I)) \right)^2

    Yeh, Hsieh, Suggala, Inouye & Ravikumar, On the (In)fidelity and Sensitivity of Explanations
    (2019), arXiv 1901.09392; in squared units of the score. Draws belong to (`seed`, sample), so
    that samples are independent of each other, and other samples and `batch_size` change nothing.

    Returns:
        A `Measurement`: `values` (N,), lower is better, and a `standard_error` from the draws.

    Raises:
        InputError: `perturbation` is unknown, a number is out of its range, or shapes do not fit.
        InputTypeError: `method` is no method, or an option is unknown.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.GradientInput(lambda x: (x**2).sum(1))
        >>> metrics.infidelity(method, torch.tensor([[3.0]])).values
        array([81.])
    """
    asked = _Infidelity(
        perturbation, fraction, noise, replacement, nb_samples, channel_axis, per_unit, normalise,
        seed,
    )  # fmt: skip
    found: Measurement = measured(method, inputs, targets, attribution, options, asked.measure)
    return found


@dataclass(frozen=True)
class _Infidelity:
    """The arguments."""

    perturbation: str
    fraction: Any
    noise: Any
    replacement: Any
    nb_samples: int
    channel_axis: int | None
    per_unit: bool | None
    normalise: bool
    seed: int

    def __post_init__(self) -> None:
        if not isinstance(self.perturbation, str) or self.perturbation not in PERTURBATIONS:
            raise InputError(
                f"perturbation is {self.perturbation!r}; expected 'removal' of a part of the "
                f"features, or 'gaussian' noise"
            )
        check_positive("fraction", check_fraction("fraction", self.fraction))
        check_positive("noise", self.noise)
        check_count("nb_samples", self.nb_samples, 2)
        check_count("seed", self.seed, -(2**63))
        check_flag("normalise", self.normalise)
        if self.per_unit is not None:
            check_flag("per_unit", self.per_unit)

    def measure(self, batch: Batch) -> Measurement:
        """Measures one batch."""
        per_unit = self.per_unit
        if per_unit is None:
            recipe = batch.method.recipes()[-1]
            per_unit = not (recipe.complete or isinstance(recipe, Product))
        promised, happened = batch.score(
            lambda points, maps: _Draws(self, points, maps, batch.ids, per_unit).run()
        )
        if self.normalise:
            promised = promised * _best_factor(promised, happened)
        squared = (promised - happened) ** 2
        return Measurement(
            "infidelity",
            repr(batch.method),
            squared.mean(axis=1),
            squared.std(axis=1, ddof=1) / np.sqrt(self.nb_samples),
            settings=vars(self) | {"per_unit": per_unit},
        )


def _best_factor(promised: Array, happened: Array) -> Array:
    """The factor (N, 1) of each map with the least infidelity; 0 for a map of zeros."""
    size = (promised**2).sum(axis=1, keepdims=True)
    fit = (promised * happened).sum(axis=1, keepdims=True)
    factors: Array = np.zeros_like(fit)
    np.divide(fit, size, out=factors, where=size != 0)
    return factors


class _Draws:
    """Perturbations of one batch: what the maps promise of them, and what happens."""

    def __init__(
        self, asked: _Infidelity, points: Points, maps: list[Array], ids: Array, per_unit: bool
    ) -> None:
        self.asked, self.points, self.ids = asked, points, ids
        self.start = points.replacement(asked.replacement, "replacement")
        self.features: Features = read_features(maps, asked.channel_axis)
        self.maps = self._per_unit(maps, per_unit)
        gaussian = asked.perturbation == "gaussian"
        self._perturb: Callable[[int, int], list[Array]] = self._noisy if gaussian else self._parts

    def _per_unit(self, maps: list[Array], per_unit: bool) -> list[Tensor]:
        """Brings maps to the device, as what one unit of each feature adds to the score."""
        backend, found = self.points.backend, []
        for map_, x, start in zip(maps, self.points.leaves, self.start, strict=True):
            if not per_unit:
                moved = backend.to_numpy(x).astype(np.float64) - backend.to_numpy(start)
                # A feature that is its replacement does not move when it is removed.
                map_ = np.divide(map_, moved, out=np.zeros_like(map_), where=moved != 0)
            found.append(backend.to_native(map_, x, backend.accumulator_dtype(x)))
        return found

    def _parts(self, sample: int, draw: int) -> list[Array]:
        """Which features are removed: 1 there, (1, ...) for each input."""
        count = self.features.total
        most = max(1, round(float(self.asked.fraction) * count))
        row = int(self.ids[sample])
        drawn = uniform(self.asked.seed, draw, 0, (count,), REMOVED, row)
        mask = np.zeros((1, count), dtype=np.float32)
        mask[0, np.argpartition(drawn, most - 1)[:most]] = 1
        return self.features.apart(mask)

    def _noisy(self, sample: int, draw: int) -> list[Array]:
        """What is subtracted, (1, ...) for each input."""
        seed, row = self.asked.seed, int(self.ids[sample])
        each = enumerate(self.features.shapes)
        return [
            float(self.asked.noise) * portable_noise(seed, draw, i, shape, ADDED, row)[None]
            for i, shape in each
        ]

    def run(self) -> tuple[Array, Array]:
        """Returns what was promised and what happened to the score, (N, K) both."""
        points, k = self.points, self.asked.nb_samples
        n, promised = points.n, np.empty(points.n * k)
        backend, leaves = points.backend, points.leaves
        before = points.scores_at(leaves)

        def place(rows: Array, take: Take) -> list[Tensor]:
            each = [self._perturb(int(row) // k, int(row) % k) for row in rows]
            found, total = [], None
            for i, (x, map_) in enumerate(zip(take(leaves), take(self.maps), strict=True)):
                wide = backend.dtype(map_)
                part = backend.to_native(np.concatenate([one[i] for one in each]), x, wide)
                moved = part
                if self.asked.perturbation == "removal":
                    shared = int(self.start[i].shape[0]) == 1
                    start = self.start[i] if shared else take([self.start[i]])[0]
                    moved = part * (backend.cast(x, wide) - backend.cast(start, wide))
                found.append(backend.cast(backend.cast(x, wide) - moved, backend.dtype(x)))
                dot = backend.row_sums(map_ * moved)
                total = dot if total is None else total + dot
            promised[rows] = backend.to_numpy(total)
            return found

        after = points.scores(np.repeat(np.arange(n), k), place).reshape(n, k)
        return promised.reshape(n, k), before[:, None] - after
