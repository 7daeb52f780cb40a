"""Max-sensitivity: how far a map moves when the input moves a little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend
from polyattr.errors import InputError
from polyattr.explainer import Explainer
from polyattr.explainer.shown.described import described_by
from polyattr.metrics.batch import Batch, measured
from polyattr.metrics.features import MOVED, uniform
from polyattr.metrics.records.arguments import ARGUMENTS
from polyattr.metrics.records.measurement import Measurement
from polyattr.question.arrays import is_floating
from polyattr.question.checks import check_count, check_flag, check_positive
from polyattr.question.structure import flatten

Array = np.ndarray[Any, Any]


_OWN = """
Args:
    radius: r, in the units of the inputs.
    nb_samples: Neighbours drawn for each sample, two at least.
    relative: Divide by the norm of the map at x, NaN where that is 0; with False the units are
        those of attributions.
"""


@described_by(ARGUMENTS + _OWN)
def max_sensitivity(
    method: Explainer, inputs: Any, targets: Any = None, *, radius: float = 0.02,
    nb_samples: int = 10, relative: bool = True, seed: int = 0, **options: Any,
) -> Measurement:  # fmt: skip
    r"""Measures how far the map of a sample is from that of the least alike of its neighbours.

    .. math:: \max_{\|y - x\|_\infty \le r} \|\phi(y) - \phi(x)\|_2

    over `nb_samples` neighbours y drawn uniformly from the box. Yeh, Hsieh, Suggala, Inouye &
    Ravikumar, On the (In)fidelity and Sensitivity of Explanations (2019), arXiv 1901.09392. More
    draws can only raise it: it is a lower bound of the maximum. The map of each neighbour is of
    the class explained at x; methods that draw noise draw the same for both. Draws belong to
    (`seed`, sample). Costs `nb_samples` maps for each sample.

    Returns:
        A `Measurement`: `values` (N,), lower is better; their `standard_error` is the jackknife's
        of a maximum, (K - 1) / K times the distance of the largest two of K draws.

    Raises:
        InputError: A number is out of its range, or no input is floating.
        InputTypeError: `method` is no method, or an option is unknown.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.IntegratedGradients(lambda x: x.sum(1), multiply_by_inputs=False)
        >>> metrics.max_sensitivity(method, torch.tensor([[3.0, 1.0]])).values
        array([0.])
    """
    asked = _Sensitivity(radius, nb_samples, relative, seed)
    found: Measurement = measured(method, inputs, targets, None, options, asked.measure)
    return found


@dataclass(frozen=True)
class _Sensitivity:
    """The arguments."""

    radius: Any
    nb_samples: int
    relative: bool
    seed: int

    def __post_init__(self) -> None:
        check_positive("radius", self.radius)
        check_count("nb_samples", self.nb_samples, 2)
        check_count("seed", self.seed, -(2**63))
        check_flag("relative", self.relative)

    def measure(self, batch: Batch) -> Measurement:
        """Measures one batch."""
        backend = batch.backend()
        here = _leaves(batch.given)
        moved = np.stack(
            [
                _norms(backend, _leaves(batch.attribute(near).values), here)
                for near in (self._near(backend, batch, k) for k in range(self.nb_samples))
            ],
            axis=1,
        )
        if self.relative:
            size = _norms(backend, here, None)[:, None]
            moved = np.divide(moved, size, out=np.full_like(moved, np.nan), where=size != 0)
        most = np.sort(moved, axis=1)[:, ::-1]
        share = (self.nb_samples - 1) / self.nb_samples
        return Measurement(
            "max_sensitivity",
            repr(batch.method),
            most[:, 0].copy(),
            share * (most[:, 0] - most[:, 1]),
            settings=vars(self),
        )

    def _near(self, backend: GradBackend, batch: Batch, draw: int) -> Any:
        """Returns a neighbour of each sample, in the containers of the inputs.

        Raises:
            InputError: Nothing can move.
        """
        structure, leaves = flatten(batch.inputs, "inputs")
        found, number = [], 0
        for leaf in leaves:
            if not is_floating(leaf, backend):
                found.append(leaf)
                continue
            shape = tuple(leaf.shape[1:])
            drawn = [uniform(self.seed, draw, number, shape, MOVED, int(i)) for i in batch.ids]
            shift = float(self.radius) * (2 * np.stack(drawn) - 1)
            if backend.is_tensor(leaf):
                found.append(leaf + backend.to_native(shift, leaf, backend.dtype(leaf)))
            else:
                found.append(leaf + shift.astype(leaf.dtype))
            number += 1
        if not number:
            raise InputError(
                "no input is floating, so that none can move a little; expected what the model "
                "makes of tokens, as a model that begins behind its embedding takes it"
            )
        return structure.build(found)


def _leaves(values: Any) -> list[Any]:
    return [leaf for leaf in flatten(values, "values")[1] if leaf is not None]


def _norms(backend: GradBackend, maps: list[Any], others: list[Any] | None) -> Array:
    """Returns L2 norms (N,) of maps, or of their distances from others, over all inputs."""
    total: Any = 0.0
    for i, leaf in enumerate(maps):
        wide = backend.accumulator_dtype(leaf)
        apart = backend.cast(leaf, wide)
        if others is not None:
            apart = apart - backend.cast(others[i], wide)
        total = total + backend.to_numpy(backend.row_sums(apart * apart)).astype(np.float64)
    norms: Array = np.sqrt(total)
    return norms
