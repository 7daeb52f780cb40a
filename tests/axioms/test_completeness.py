"""Attributions of Integrated Gradients sum to f(x) - f(b) within the error they state."""

import numpy as np
import pytest
from drawn_networks import LINEAR_SHAPES, SMOOTH_SHAPES, Shape, assert_same, cases, examples
from hypothesis import given
from hypothesis import strategies as st

# Of float32 sums and products of a few dozen terms, relative to the largest possible term.
ROUNDING = {"float64": 1e-13, "float32": 1e-5}
ONE_HIDDEN = (Shape((3, 5, 2), ("relu",)), Shape((4, 8, 2), ("relu",), weighted=True))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@examples(12)
@given(data=st.data())
def test_the_gap_is_what_is_missing(lab, bench, dtype, data):
    case = data.draw(cases(lab))
    result = bench.attribute(case, "IntegratedGradients", dtype=dtype)
    reached, start = case.scores(), case.scores(case.baselines)
    size = case.size("IntegratedGradients")[:, 0] * case.shape.features + 5
    rounding = ROUNDING[dtype]
    assert_same(result.scores, reached, size + np.abs(reached), rounding)
    assert_same(result.baseline_scores, start, size + np.abs(start), rounding)
    missing = result.values.astype(np.float64).sum(axis=1) - (reached - start)
    assert_same(result.completeness_gap, missing, size + np.abs(reached) + np.abs(start), rounding)


@examples(12)
@given(data=st.data())
def test_the_error_is_no_less_than_the_gap(lab, bench, data):
    case = data.draw(cases(lab))
    result = bench.attribute(case, "IntegratedGradients")
    size = np.abs(result.values).sum(axis=1)
    scores = np.maximum(np.abs(result.scores), np.abs(result.baseline_scores))
    # The errors of the features add up to no less; what rounding of the scores explains is not one.
    rounding = 1e-8 if case.x.dtype == np.float64 and result.values.dtype == np.float64 else 1e-3
    least = np.abs(result.completeness_gap) - rounding * scores
    assert (result.error * size >= least * (1 - 1e-6)).all()
    stated = np.sqrt(2 / np.pi) * result.standard_error.sum(axis=1)
    assert (result.error * size >= stated * (1 - 1e-5)).all()
    assert (result.converged == (result.error <= 0.05)).all()


@examples(12)
@given(data=st.data())
def test_smooth_networks_leave_no_gap(lab, bench, data):
    # Poles of tanh and of the root lie far enough from the path for 64 nodes at these slopes.
    case = data.draw(cases(lab, SMOOTH_SHAPES, spreads=(0.25, 1.0)))
    result = bench.attribute(case, "IntegratedGradients", steps=64)
    size = case.size("IntegratedGradients")[:, 0]
    assert_same(result.completeness_gap, np.zeros(case.shape.n), size, 1e-8)
    assert_same(result.values.sum(axis=1), case.scores() - case.scores(case.baselines), size, 1e-8)


@pytest.mark.parametrize("rule", ["left", "right", "midpoint", "trapezoid"])
@examples(8)
@given(data=st.data())
def test_one_hidden_relu_layer_stays_within_its_bound(lab, bench, rule, data):
    # Each hidden unit has one kink on the path, where the slope jumps; a composite rule misses at
    # most one interval of every jump.
    case = data.draw(cases(lab, ONE_HIDDEN))
    result = bench.attribute(case, "IntegratedGradients", rule=rule, steps=9)
    (first, _), (second, _) = case.layers
    along = (case.x - case.baselines) @ first
    jumps = np.abs(along * (case.goal @ second.T)).sum(axis=1)
    interval = 1 / 8 if rule == "trapezoid" else 1 / 9
    assert (np.abs(result.completeness_gap) <= interval * jumps * (1 + 1e-9) + 1e-12).all()


@pytest.mark.parametrize(
    "rule", ["left", "right", "midpoint", "trapezoid", "simpson", "clenshaw-curtis"]
)
@examples(6)
@given(data=st.data())
def test_linear_models_are_complete_under_every_rule(lab, bench, rule, data):
    case = data.draw(cases(lab, LINEAR_SHAPES))
    values = bench.values(case, "IntegratedGradients", rule=rule, steps=4)
    gradient = case.goal @ case.layers[0][0].T
    assert_same(
        values, (case.x - case.baselines) * gradient, case.size("IntegratedGradients"), 1e-13
    )


@examples(12)
@given(data=st.data())
def test_nothing_moved_nothing_attributed(lab, bench, data):
    case = data.draw(cases(lab))
    result = bench.attribute(case.but(baselines=case.x), "IntegratedGradients")
    assert (result.values == 0).all()
    assert_same(result.completeness_gap, np.zeros(case.shape.n), 1.0, 1e-12)
    assert result.converged.all()
