"""Maps from several baselines, and how far they are apart."""

import functools

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.baselines import Constant, Mean

X = np.random.default_rng(1202).standard_normal((4, 6)).astype(np.float32)


def squares(ops, x):
    return ops.sum(x * x)


def linear(ops, x):
    return ops.sum(x)


@functools.cache
def method_of(lab, body):
    return polyattr.IntegratedGradients(lab.function(body), backend=lab.name, rule="midpoint")


def compared(lab, body, baselines, x=X):
    method = method_of(lab, body)
    return polyattr.compare_baselines(method, lab.tensor(x), baselines=baselines)


def test_distances_are_those_of_the_maps(lab):
    """Of a sum of squares the map is x^2 - b^2."""
    found = compared(lab, squares, {"zero": 0.0, "one": Constant(1.0), "mean": Mean()})
    assert found.names == ("zero", "one", "mean")
    mean = X.mean(1, keepdims=True)
    maps = np.stack([X**2, X**2 - 1, X**2 - mean**2])
    size = np.abs(maps).sum(-1)
    expected = np.abs(maps[:, None] - maps).sum(-1) / ((size[:, None] + size) / 2)
    assert_close(found.distance, np.moveaxis(expected, 2, 0))
    assert_close(found.sensitivity, expected[[0, 0, 1], [1, 2, 2]].mean(0))
    # The same is taken off every feature: ranks do not change.
    assert_close(found.correlation, np.ones((4, 3, 3)))
    assert_close(lab.numpy(found.attributions["one"].values), maps[1])


def test_a_rank_correlation_is_that_of_ranks_with_ties(lab):
    x = np.array([[1.0, 2.0, 2.0, 5.0]], np.float32)
    found = compared(lab, linear, {"a": 0.0, "b": np.array([0.0, 2.0, 0.0, 9.0], np.float32)}, x)
    ranks = np.array([[1, 2.5, 2.5, 4], [3, 2, 4, 1]])
    assert_close(found.correlation[0], np.corrcoef(ranks))


def test_equal_maps_are_at_no_distance_and_constant_ones_have_no_ranks(lab):
    found = compared(lab, linear, {"a": 0.0, "b": 0.0, "same": X}, X)
    assert (found.distance[:, 0, 1] == 0).all()
    assert (found.distance[:, 0, 2] == 2).all()
    assert np.isnan(found.correlation[:, 2]).all()
    assert "2.000" in repr(found)


def test_other_libraries_names_and_wrong_arguments_are_told(lab):
    method = polyattr.IntegratedGradients(lab.function(linear), backend=lab.name)
    x = lab.tensor(X)
    with pytest.raises(polyattr.InputTypeError, match="baselines is a list; expected a dict"):
        polyattr.compare_baselines(method, x, baselines=[0.0, 1.0])
    with pytest.raises(polyattr.InputError, match="has 1 entries; expected at least two"):
        polyattr.compare_baselines(method, x, baselines={"zero": 0.0})
    with pytest.raises(polyattr.InputError, match="only once"):
        polyattr.compare_baselines(method, iter([x]), baselines={"a": 0.0, "b": 1.0})
    with pytest.raises(polyattr.InputError, match="Saliency has no baseline"):
        polyattr.compare_baselines(
            polyattr.Saliency(lab.function(linear), backend=lab.name),
            x,
            baselines={"a": 0.0, "b": 1.0},
        )


def test_a_dataset_is_gone_through_for_each(lab):
    class Batches:
        def __iter__(self):
            yield from (lab.tensor(X[:3].copy()), lab.tensor(X[3:].copy()))

    method = method_of(lab, squares)
    named = {"zero": 0.0, "one": 1.0}
    whole = polyattr.compare_baselines(method, lab.tensor(X), baselines=named)
    parts = polyattr.compare_baselines(method, Batches(), baselines=named)
    assert_close(parts.distance, whole.distance)


def test_several_targets_have_tables_of_their_own(lab):
    def both(ops, x):
        return ops.matmul(x * x, ops.like(np.eye(6)[:, :2], x))

    method = polyattr.IntegratedGradients(lab.function(both), backend=lab.name, rule="midpoint")
    named = {"zero": 0.0, "one": 1.0, "two": 2.0}
    x = lab.tensor(X)
    every = polyattr.compare_baselines(method, x, polyattr.each([1, 0]), baselines=named)
    assert every.distance.shape == (2, 4, 3, 3)
    # Of each target a single feature has an attribution, x^2 - b^2.
    for row, feature in zip(every.distance, (1, 0), strict=True):
        square = X[:, feature].astype(np.float64) ** 2
        mean = (np.abs(square) + np.abs(square - 4)) / 2
        assert_close(row[:, 0, 2], 4 / mean)
    assert every.sensitivity.shape == (2, 4)
    assert repr(every).startswith("<8 maps from 3 baselines")
