"""The path of Integrated Gradients, walked in parts: scores and attributions up to each point."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from polyattr.errors import BaselineWarning, ConvergenceWarning, InputError, InputTypeError
from polyattr.methods import IntegratedGradients
from polyattr.plots.reading.explained import numbers_of
from polyattr.results.attribution import Attribution
from polyattr.sampling import FixedNodes, Nodes, Norm, PathIntegral, Rounds, Weights, quadrature

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Walk:
    """What is known along the path of one sample.

    Attributes:
        alpha: (P,) fractions of the path, 0 and 1 included.
        rise: (P,) the score above that of the baseline.
        parts: (P, F) attributions of the path up to there.
        nodes: (K,) where gradients were taken for the whole path.
        result: The attribution of the whole path.
    """

    alpha: Array
    rise: Array
    parts: Array
    nodes: Array
    result: Attribution


def walk(method: Any, inputs: Any, targets: Any, baselines: Any, points: int, sample: int) -> Walk:
    """Attributes to the parts of one sample's path from its baseline.

    Args:
        method: An `IntegratedGradients` on the straight path.
        inputs: (N, ...) one array.
        targets: What to explain, for one sample; None for the class predicted at the input.
        baselines: In the shape of one sample, or a number; None for that of the method.
        points: How many parts.
        sample: Which of the N.

    Raises:
        InputTypeError: Another method, or inputs that are no single array.
        InputError: Another path, several baselines, or one that is not known.
    """
    _check(method)
    every = _array(inputs)
    if not -len(every) <= sample < len(every):
        raise InputError(f"there is no sample {sample}; expected one of {len(every)}, from 0")
    x = every[sample][None]
    start = _start(method, baselines, x)
    watched, seen = _watched(method)
    with warnings.catch_warnings():  # the picture says how far off it is
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", BaselineWarning)
        # As it was given: NumPy alone may not say which framework a function is of.
        first = inputs[sample % len(every) :][:1]
        whole = watched.attribute(first, targets, baselines=start).to_numpy()
        nodes = np.unique(np.concatenate(seen))
        alpha = np.linspace(0, 1, points + 1)
        along = alpha[1:].reshape(-1, *[1] * (x.ndim - 1))
        goals = _repeated(whole.targets, targets, points)
        at = (start + along * (x - start)).astype(x.dtype)
        found = watched.attribute(at, goals, baselines=start).to_numpy()
    return _walked(alpha, found, whole, nodes)


def _walked(alpha: Array, found: Attribution, whole: Attribution, nodes: Array) -> Walk:
    origin = 0.0 if found.baseline_scores is None else float(found.baseline_scores[0])
    values = np.asarray(found.values, dtype=np.float64).reshape(len(alpha) - 1, -1)
    return Walk(
        alpha,
        np.concatenate([[0.0], found.scores - origin]),
        np.concatenate([np.zeros((1, values.shape[1])), values]),
        nodes,
        whole,
    )


def _check(method: Any) -> None:
    if not isinstance(method, IntegratedGradients):
        raise InputTypeError(
            f"method is a {type(method).__name__}; expected IntegratedGradients(model, ...), whose "
            f"path is drawn"
        )
    recipe = method.recipe()
    if type(recipe) is not PathIntegral or method.domain is not None or method.tangent is not None:
        raise InputError(
            f"{method!r} does not integrate along the straight path from the baseline to the "
            f"input; expected no path=, domain= or tangent=, and multiply_by_inputs=True"
        )
    if method.input_layer is not None:
        raise InputError(
            "method attributes to a layer, and its path lies in that layer's space; expected "
            "input_layer=None, and inputs that can be interpolated, such as embeddings"
        )


def _array(inputs: Any) -> Array:
    if isinstance(inputs, dict | list | tuple):
        raise InputTypeError(
            f"inputs is a {type(inputs).__name__}; expected a single array (N, ...) for this "
            f"picture"
        )
    wide = numbers_of("inputs", inputs)
    if wide.ndim < 2 or not wide.size:
        raise InputError(
            f"inputs have shape {wide.shape}; expected (N, ...), several features each"
        )
    dtype = getattr(inputs, "dtype", None)
    doubles = str(dtype).endswith("float64")
    return wide if doubles else wide.astype(np.float32)


def _start(method: Any, baselines: Any, x: Array) -> Array:
    value = method.baseline_value if baselines is None else baselines
    if callable(value):
        raise InputError(
            f"the baseline is computed by {value!r}; expected baselines= the numbers themselves, "
            f"in the shape {x.shape[1:]} of one sample"
        )
    start = numbers_of("baselines", value)
    if start.shape == x.shape:
        start = start[0]
    try:
        return np.broadcast_to(start, x.shape[1:]).astype(x.dtype)[None]
    except ValueError:
        raise InputError(
            f"baselines of shape {start.shape} are not one for a sample of shape {x.shape[1:]}; "
            f"expected that shape, or a number"
        ) from None


def _repeated(record: Any, targets: Any, points: int) -> Any:
    """What was explained of the one sample, for all points of its path."""
    if isinstance(record, np.ndarray):
        rows = np.repeat(record, points, axis=0)
        return [tuple(row) for row in rows] if rows.ndim == 2 and rows.dtype.kind == "i" else rows
    return targets


@dataclass(frozen=True, eq=False)
class _Watched(Nodes):
    """Nodes that tell which they were."""

    of: Nodes
    seen: list[Array]

    @property
    def parts(self) -> int:  # type: ignore[override]  # those of another
        return self.of.parts

    @property
    def kept(self) -> int:  # type: ignore[override]  # those of another
        return self.of.kept

    @property
    def on_gap(self) -> bool:  # type: ignore[override]  # that of another
        return self.of.on_gap

    @property
    def inside(self) -> float:
        return self.of.inside

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """Passes rows on, and what they told back."""
        inner = self.of.rounds(n, norm)
        rows = next(inner)
        while True:
            if not rows.scores_only:
                self.seen.append(np.asarray(rows.alpha, dtype=np.float64))
            told = yield rows
            try:
                rows = inner.send(told)
            except StopIteration as end:
                weights: Weights = end.value
                return weights


def _watched(method: Any) -> tuple[Any, list[Array]]:
    """Returns a method that writes down its nodes; those of a fixed rule are known."""
    nodes = method.recipe().nodes
    if isinstance(nodes, FixedNodes):
        return method, [quadrature(nodes.rule, nodes.steps)[0]]
    seen: list[Array] = []
    plain = type(method).recipe

    class Seen(type(method)):  # type: ignore[misc]  # the class is known when it is called
        """The same method."""

        def recipe(self) -> Any:
            """The same recipe, watched."""
            own = plain(self)
            return replace(own, nodes=_Watched(own.nodes, seen))

    given = {entry.name: getattr(method, entry.name) for entry in fields(method) if entry.init}
    return Seen(**given), seen
