"""What does not matter gets exactly nothing; what alone made the difference gets all of it."""

import numpy as np
import pytest
from drawn_networks import LINEAR_SHAPES, METHODS, assert_same, cases, examples, few, forward
from hypothesis import assume, given
from hypothesis import strategies as st

# The axioms hold with few points, too, whose maps are off, as `explain` says.
pytestmark = pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")


def with_first_layer(case, change):
    """The case with another first weight matrix."""
    (weight, bias), *rest = case.layers
    return case.but(layers=((change(weight.copy()), bias), *rest))


def without_last_feature(ops, layers, activations, x):
    """The network, blind to its last feature: no weight connects it at all."""
    (weight, bias), *rest = layers
    return forward(ops, ((weight[:-1], bias), *rest), activations, x[:, :-1])


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_a_feature_of_zero_weight_gets_exactly_zero(lab, bench, method, data):
    case = data.draw(cases(lab))
    ignored = data.draw(st.integers(0, case.shape.features - 1))

    def silence(weight):
        weight[ignored] = 0
        return weight

    values = bench.values(with_first_layer(case, silence), method)
    assert (values[:, ignored] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_a_feature_the_model_never_reads_gets_exactly_zero(lab, bench, method, data):
    case = data.draw(cases(lab, few(lab)))
    values = bench.values(case, method, without_last_feature)
    assert (values[:, -1] == 0).all()


@examples(8)
@given(data=st.data())
def test_the_one_feature_that_moved_gets_the_whole_difference(lab, bench, data):
    case = data.draw(cases(lab))
    moved = data.draw(st.integers(0, case.shape.features - 1))
    start = case.x.copy()
    start[:, moved] = case.baselines[:, moved]
    case = case.but(baselines=start)
    difference = case.scores() - case.scores(start)
    assume(np.abs(difference).max() > 1e-3)
    result = bench.attribute(case, "IntegratedGradients")
    others = np.delete(result.values, moved, axis=1)
    assert (others == 0).all()
    received = result.values[:, moved] - result.completeness_gap
    assert_same(received, difference, case.size("IntegratedGradients")[:, 0] + np.abs(difference))


@examples(8)
@given(data=st.data())
def test_every_feature_a_linear_score_depends_on_gets_something(lab, bench, data):
    case = data.draw(cases(lab, LINEAR_SHAPES, zeros=0.0))
    gradient = case.goal @ case.layers[0][0].T
    for method in METHODS:
        values = bench.values(case, method)
        if method == "VarGrad":  # equal gradients, up to how a matrix product rounds its rows
            assert_same(values, 0 * gradient, case.size(method), 1e-28)
        else:
            assert (values[gradient != 0] != 0).all()


@examples(8)
@given(data=st.data())
def test_an_input_of_zero_gets_exactly_zero_where_inputs_are_factors(lab, bench, data):
    case = data.draw(cases(lab, zeros=0.3))
    product = bench.values(case, "GradientInput")
    path = bench.values(case.but(baselines=0 * case.x), "IntegratedGradients")
    assert (product[case.x == 0] == 0).all()
    assert (path[case.x == 0] == 0).all()
