"""Checks of every method on the backend: closed forms, NumPy's figures, any batch size, float64."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from polyattr.sampling.quadrature import RULES
from polyattr.testing import expect
from polyattr.testing.harness import FLOATS, ROUNDING, Array, Harness, eighths, order_one
from polyattr.testing.models import cube, linear, rational, square
from polyattr.testing.reference import METHODS, arguments, attributions
from polyattr.testing.scored import Scored

_NETWORK = rational(1)
_X = order_one(5, 4, seed=2)
_CLASSES = np.array([0, 2, 1, 1, 0])


@functools.cache
def _wanted(name: str) -> Array:
    """What a method must find for `_CLASSES` of `_NETWORK` at `_X`."""

    def gradient(points: Array) -> Array:
        return _NETWORK.gradient(points, _CLASSES)

    def score(points: Array) -> Array:
        scores: Array = _NETWORK.outputs(points)[np.arange(len(points)), _CLASSES]
        return scores

    return attributions(name, Scored(score, gradient), _X)


class MethodChecks(Harness):
    """Numbers."""

    @pytest.mark.parametrize("batch_size", [1, 3, 7, None])
    @pytest.mark.parametrize("name", METHODS)
    def test_methods_whatever_the_batch_size(self, name: str, batch_size: int | None) -> None:
        """All methods agree with NumPy, noise included, however rows are cut into calls."""
        x = self.native(_X)
        model = self.model(_NETWORK.native(self.backend, x))
        made = self.method(name, model, _X, batch_size=batch_size)
        found = made.explain(x, _CLASSES)
        expect.close(self.host(found), _wanted(name), 1e-5, name)

    @pytest.mark.parametrize("name", METHODS)
    def test_methods_in_float64(self, name: str) -> None:
        """With float64 inputs everything is computed in float64, to 1e-14."""
        with self.numbers("float64"):
            x = self.native(_X, "float64")
            model = self.model(_NETWORK.native(self.backend, x))
            made = self.method(name, model, _X, batch_size=7)
            found = made.explain(x, _CLASSES)
            expect.equal(self.backend.dtype(found), "float64", "dtype")
            expect.close(self.host(found), _wanted(name), 1e-14, name)

    @pytest.mark.parametrize("name", METHODS)
    def test_methods_on_a_compiled_model(self, name: str) -> None:
        """A model the user has compiled gives what it gives uncompiled."""
        x = self.native(_X)
        model = self.compiled(_NETWORK.native(self.backend, x))
        if model is None:
            pytest.skip("the subclass has no compiled(function) hook")
        made = self.method(name, model, _X, batch_size=7)
        found = made.explain(x, _CLASSES)
        expect.close(self.host(found), _wanted(name), 1e-5, name)

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("name", METHODS)
    def test_the_dtype_stays(self, name: str, dtype: str) -> None:
        """Attributions have the dtype of the inputs; sums of half numbers are kept in float32."""
        with self.numbers(dtype):
            x = eighths(3, 4, seed=5)
            model = self.model(square(self.backend))
            found = self.method(name, model, x).explain(self.native(x, dtype))
            expect.equal(self.backend.dtype(found), dtype, "dtype")
            squares = Scored(lambda points: (points**2).sum(axis=1), lambda points: 2 * points)
            wanted = attributions(name, squares, x)
            # The gradient of each noisy copy is rounded to the dtype before it is squared.
            expect.close(self.host(found), wanted, max(4 * ROUNDING[dtype], 1e-14), name)

    @pytest.mark.parametrize(("points", "value"), [(10, 1.0061728), (50, 1.0002082)])
    def test_cube_on_the_unit_interval(self, points: int, value: float) -> None:
        """The trapezoid rule with h = 1 / (n - 1) integrates 3 t^2 to 1 + h^2 / 2."""
        made = self.explainer(
            "IntegratedGradients", self.model(cube(self.backend)), steps=points, rule="trapezoid"
        )
        found = self.host(made.explain(self.native([[1.0]])))
        expect.close(found, [[value]], 3e-7, "integral")

    @pytest.mark.parametrize("rule", RULES)
    def test_linear_models_are_exact(self, rule: str) -> None:
        """Every rule integrates a constant gradient to w (x - b), to rounding."""
        x, start, weights = eighths(3, 2, 2), eighths(3, 2, 2, seed=1), eighths(2, 2, seed=2)
        native = self.native(x)
        model = self.model(linear(self.backend, weights, native))
        made = self.explainer("IntegratedGradients", model, rule=rule, steps=5, batch_size=4)
        result = made.attribute(native, baselines=self.native(start))
        expect.close(self.host(result.values), weights * (x - start), 1e-6, f"rule {rule}")
        scores = (weights * x).sum(axis=(1, 2))
        expect.close(result.scores, scores, 1e-6, "scores")
        worst = np.abs(np.asarray(result.completeness_gap)).max() / np.abs(scores).max()
        expect.true(worst <= 1e-6, f"completeness gap of a linear model is {worst:.3g}")

    @pytest.mark.parametrize("batch_size", [3, None])
    def test_the_gradient_of_a_linear_model_has_no_variance(self, batch_size: int | None) -> None:
        """VarGrad is 0 exactly, SmoothGrad the weights and SquareGrad their squares."""
        weights = order_one(3, seed=6)
        x = self.native(order_one(4, 3))
        model = self.model(linear(self.backend, weights, x))

        def explain(name: str) -> Array:
            made = self.explainer(name, model, nb_samples=9, noise=2.0, batch_size=batch_size)
            return self.host(made.explain(x))

        expect.same(explain("VarGrad"), np.zeros((4, 3)), "VarGrad")
        rows = np.broadcast_to(weights, (4, 3))
        expect.close(explain("SmoothGrad"), rows, 1e-6, "SmoothGrad")
        expect.close(explain("SquareGrad"), rows**2, 1e-6, "SquareGrad")

    def test_what_attribute_reports(self) -> None:
        """Scores at both ends of the path, the gap between them, and what was spent."""
        settings = arguments("IntegratedGradients", _X)
        x = self.native(_X)
        model = self.model(_NETWORK.native(self.backend, x))
        made = self.explainer("IntegratedGradients", model, batch_size=7, **settings)
        result = made.attribute(x, _CLASSES)
        rows = np.arange(len(_X))
        scores = _NETWORK.outputs(_X)[rows, _CLASSES]
        origin = np.full_like(_X, settings["baseline_value"])
        start = _NETWORK.outputs(origin)[rows, _CLASSES]
        expect.close(result.scores, scores, 1e-5, "scores")
        expect.close(result.baseline_scores, start, 1e-5, "scores of the baselines")
        gap = _wanted("IntegratedGradients").sum(axis=1) - (scores - start)
        expect.close(result.completeness_gap, gap, 1e-3, "completeness gap")
        expect.same(result.evaluations, [settings["steps"]] * len(_X), "evaluations")
        expect.equal(result.backend, self.backend.name, "backend")
