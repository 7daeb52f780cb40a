"""Targets that name nothing, too much, or something ambiguous."""

import numpy as np
import pytest

import polyattr
from polyattr import InputError, InputTypeError, ModelOutputError

X = np.random.default_rng(141).standard_normal((5, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def methods(lab):
    """Explainers of models with outputs (5,), (5, 1), (5, 4) and (5, 2, 2)."""

    def make(*shape):
        weights = np.ones((3, int(np.prod(shape))))
        model = lab.function(
            lambda ops, x: ops.reshape(ops.matmul(x, ops.like(weights, x)), *shape)
        )
        return polyattr.GradientInput(model, backend=lab.name)

    return {shape: make(*shape) for shape in [(), (1,), (4,), (2, 2)]}


def refused(kind, method, targets, *parts):
    with pytest.raises(kind) as caught:
        method.explain(X, targets)
    assert isinstance(caught.value, polyattr.PolyattrError)
    assert isinstance(caught.value, TypeError if kind is InputTypeError else ValueError)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("target", [4, -1, 1000])
def test_an_index_out_of_range(methods, target):
    refused(InputError, methods[(4,)], target, f"target {target} is out of range", "0 to 3")
    many = np.array([0, 1, target, 2, 3])
    refused(InputError, methods[(4,)], many, f"target {target} is out of range", "4 entries")


def test_an_index_into_a_single_score(methods):
    refused(InputError, methods[(1,)], 1, "target 1 is out of range", "pass targets=None")


def test_indices_for_another_number_of_samples(methods):
    for targets in (np.array([0, 1, 2]), [0] * 6, np.zeros((5, 1), int)):
        shape = str(np.shape(targets))
        refused(InputError, methods[(4,)], targets, f"targets have shape {shape}", "(5,)", "(5, 4)")


def test_weights_of_another_shape(methods):
    for targets in (np.ones((5, 3)), np.ones((4, 5)), np.ones(5), 1.5, np.ones(4)):
        shape = str(np.shape(targets))
        refused(InputError, methods[(4,)], targets, f"targets have shape {shape}", "(5, 4)")


def test_weights_that_are_not_finite(methods):
    targets = np.ones((5, 4))
    targets[2, 2] = np.nan
    refused(InputError, methods[(4,)], targets, "weights contain NaN or inf")


@pytest.mark.parametrize("shape", [(), (1,)])
def test_integers_in_the_shape_of_a_score_are_ambiguous(methods, shape):
    targets = np.ones((5, *shape), int)
    refused(InputError, methods[shape], targets, "ambiguous", "pass None", "floats to weight")


def test_one_sample_and_one_index_per_score(lab):
    # xplique multiplies a single sample's scores by its class index.
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = polyattr.GradientInput(model, backend=lab.name)
    with pytest.raises(InputError, match="ambiguous"):
        method.explain(X[:1], np.array([3]))


def test_an_index_where_the_output_is_the_score(methods):
    refused(InputError, methods[()], 0, "targets are 0", "no class to index")


@pytest.mark.parametrize("targets", [(0,), (0, 1, 1), (0, 0, 0, 0)])
def test_a_tuple_of_the_wrong_length(methods, targets):
    parts = [f"{len(targets)} {'index' if len(targets) == 1 else 'indices'}", "(5, 2, 2)", "2 axes"]
    refused(InputError, methods[(2, 2)], targets, *parts)


def test_a_single_index_into_an_output_of_higher_rank(methods):
    refused(InputError, methods[(2, 2)], 1, "1 index", "2 axes", "a tuple of indices")


def test_no_target_for_an_output_of_higher_rank(methods):
    refused(ModelOutputError, methods[(2, 2)], None, "targets is None", "(5, 2, 2)", "tuple")


def test_a_tuple_with_a_bad_entry(methods):
    method = methods[(2, 2)]
    refused(InputError, method, (0, 2), "target 2 is out of range", "output axis 2", "0 to 1")
    refused(InputError, method, (0, [0, 1]), "output axis 2 have shape (2,)", "(5,)")
    refused(InputTypeError, method, (0, 1.5), "output axis 2 are float64, not integers")


@pytest.mark.parametrize("targets", ["cat", b"cat", {"class": 1}])
def test_things_that_name_no_target(methods, targets):
    refused(InputTypeError, methods[(4,)], targets, repr(targets), "class index")


def test_arrays_of_objects(methods):
    for targets in (np.array(["a"] * 5), np.array([0, 1, 2, 3, None], object), {1, 2}):
        refused(
            InputTypeError,
            methods[(4,)],
            targets,
            "targets are of type",
            "classes.index(name)",
            "class index",
        )


def test_a_ragged_list(methods):
    with pytest.raises(polyattr.PolyattrError, match="targets"):
        methods[(4,)].explain(X, [[1], [1, 2]])


def test_index_rows_for_another_number_of_samples_or_axes(methods):
    for targets in ([(0, 1)], [(0, 1)] * 4, [(0, 1, 1)] * 5):
        parts = f"targets have shape {np.shape(targets)}", "indices of shape (5, 2), 2 for each"
        refused(InputError, methods[(2, 2)], targets, *parts, "a tuple of 2, each an int or (5,)")


def test_index_rows_out_of_range(methods):
    rows = [(0, 1), (1, 0), (0, 2), (0, 0), (1, 1)]
    refused(InputError, methods[(2, 2)], rows, "target 2 is out of range", "output axis 2")


@pytest.mark.parametrize("targets", [(0, -1), [(0, -1)] * 5, (0, [0, 1, -1, 0, 0])])
def test_negative_indices_do_not_count_from_the_end(methods, targets):
    parts = "target -1 is out of range", "0 to 1", "do not count from the end; the last is 1"
    refused(InputError, methods[(2, 2)], targets, *parts)


def test_a_list_of_arrays_is_ambiguous_where_axes_and_samples_are_as_many(lab):
    model = lab.function(lambda ops, x: ops.reshape(ops.concat([x, x]), 2, 3))
    method = polyattr.GradientInput(model, backend=lab.name)
    labels = [np.array([0, 1]), np.array([1, 2])]
    with pytest.raises(InputError, match=r"a list of 2 arrays.* Pass a tuple for the one"):
        method.explain(X[:2], labels)
    assert lab.numpy(method.explain(X[:2], tuple(labels)))[0, 1] == X[0, 1]


def test_a_callable_that_returns_no_score(lab, methods):
    for target in (lambda out: out, lambda out: out[:2, 0]):
        with pytest.raises(ModelOutputError, match="the callable given as targets") as caught:
            methods[(4,)].explain(X, target)
        assert "expected one score per sample" in str(caught.value)


def test_targets_an_operator_cannot_be_given(lab):
    model = lab.function(lambda ops, x: x * x)
    method = polyattr.GradientInput(
        model, backend=lab.name, operator=lambda m, x, y: lab.ops.sum(m(x) * y)
    )
    refused(InputTypeError, method, "cat", "with an operator", "array")
    refused(ModelOutputError, method, np.ones((4, 3)), "(4, 3)", "with an operator", "(5, ...)")
