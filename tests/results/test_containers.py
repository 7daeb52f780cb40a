"""A result as a container: what is cut is cut everywhere, and in any order with saving."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from results import made, same, settings_of

import polyattr
from polyattr.results.fields import PER_SAMPLE

N = 5
POSITIONS = st.lists(st.integers(-N, N - 1), max_size=7)
MASKS = st.lists(st.booleans(), min_size=N, max_size=N).map(np.array)
SLICES = st.slices(N)
INDICES = st.one_of(POSITIONS, POSITIONS.map(lambda p: np.array(p, int)), MASKS, SLICES)
SUFFIXES = st.sampled_from([".npz", ".safetensors", ""])


@settings(deadline=None)
@given(index=INDICES, targets=st.sampled_from([None, 2]))
def test_an_index_cuts_everything_with_an_axis_of_samples(index, targets):
    whole = made(N, targets)
    part = whole[index]
    places = np.arange(N)[index] if not isinstance(index, list) else np.array(index, int)
    assert len(part) == len(places)
    for name in PER_SAMPLE:
        if name != "settings":
            expected = getattr(whole, name)[..., places]
            assert np.array_equal(getattr(part, name), expected), name
    assert settings_of(part) == [
        whole.methods[i] for i in whole.settings[..., places].ravel().tolist()
    ]
    for name in ("values", "standard_error"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[..., places, :])
    assert np.array_equal(part.inputs, whole.inputs[places])
    assert part.names.rows == tuple(whole.names.rows[i] for i in places)
    assert part.names.features == ("a", "b", "c")


@settings(deadline=None, max_examples=40)
@given(index=INDICES, again=st.integers(0, 3), suffix=SUFFIXES, targets=st.sampled_from([None, 2]))
def test_cutting_saving_and_loading_in_any_order(tmp_path_factory, index, again, suffix, targets):
    path = tmp_path_factory.mktemp("files") / f"result{suffix}"
    whole = made(N, targets)

    def kept(result):
        result.save(path)
        return polyattr.load(path)

    same(kept(whole)[index], whole[index])
    same(kept(whole[index]), whole[index])
    same(kept(kept(whole)[index])[:again], whole[index][:again])


@settings(deadline=None)
@given(first=MASKS, count=st.integers(1, 7))
def test_cutting_twice_is_cutting_once(first, count):
    whole = made(N)
    same(whole[first][:count], whole[np.flatnonzero(first)[:count]])


def test_a_single_number_is_a_result_of_one_sample():
    whole = made(N)
    for index in (2, -3, np.int64(2), np.array(2)):
        assert len(whole[index]) == 1
        assert whole[index].scores.tolist() == [whole.scores[2]]
        assert whole[index].names.rows == ("row 2",)


def test_iteration_yields_every_sample_in_turn():
    whole = made(N)
    parts = list(whole)
    assert [len(part) for part in parts] == [1] * N
    assert [part.scores[0] for part in parts] == whole.scores.tolist()
    assert [part.scores[0] for part in reversed(whole)] == whole.scores[::-1].tolist()


def test_samples_that_have_not_converged():
    whole = made(N)
    part = whole[~whole.converged]
    assert len(part) == int((~whole.converged).sum())
    assert not part.converged.any()


def test_the_worst_come_first_and_what_is_not_known_before_them():
    error = np.array([0.1, 0.5, np.nan, 0.3, 0.5])
    assert made(error=error).worst(3).names.rows == ("row 2", "row 1", "row 4")
    assert len(made(error=error).worst(99)) == N
    several = np.array([[0.1, 0.2, 0.3, 0.4, 0.9], [0.8, 0.0, 0.0, 0.0, 0.0]])
    assert made(targets=2, error=several).worst(2).names.rows == ("row 4", "row 0")


def test_sorting_by_any_number_per_sample():
    whole = made(N)
    for name in ("scores", "completeness_gap", "targets", "baseline_scores", "converged"):
        for reverse in (None, False, True):
            found = getattr(whole.sort(name, reverse=reverse), name)
            ordered = np.sort(getattr(whole, name))
            assert np.array_equal(found, ordered[::-1] if reverse else ordered), (name, reverse)
    for name in ("error", "bound", "evaluations"):
        assert np.array_equal(getattr(whole.sort(name), name), np.sort(getattr(whole, name))[::-1])
    assert np.array_equal(whole.sort("error", reverse=False).error, np.sort(whole.error))
    ties = made(error=np.zeros(N))
    assert ties.sort().names.rows == ties.names.rows


def test_nan_counts_as_larger_than_any_number():
    error = np.array([0.1, np.nan, np.inf, 0.3, np.nan])
    assert made(error=error).sort().names.rows == ("row 1", "row 4", "row 2", "row 3", "row 0")
    upwards = made(error=error).sort(reverse=False)
    assert upwards.names.rows == ("row 0", "row 3", "row 2", "row 1", "row 4")


def test_one_of_several_targets():
    asked = np.array([[0] * N, [2] * N])
    whole = replace(made(targets=2), targets=asked)
    for choice in (1, -1, "z"):
        part = whole.target(choice)
        assert part.scores.shape == (N,)
        for name in PER_SAMPLE:
            if name != "settings":
                assert np.array_equal(getattr(part, name), getattr(whole, name)[1]), name
        assert np.array_equal(part.values, whole.values[1])
        assert np.array_equal(part.inputs, whole.inputs)
        assert settings_of(part) == [whole.methods[i] for i in whole.settings[1]]
    same(whole.target(0)[[1, 3]], whole[[1, 3]].target(0))


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (5, "no sample 5 among 5; expected positions from -5 to 4"),
        (-6, "no sample -6"),
        ([0, 9], "no sample 9"),
        ([True, False], "a mask has 2 truth values for 5 samples"),
        (np.zeros((5, 2), bool), r"shape \(5, 2\); expected one axis"),
        (slice(None, None, 0), "step of 0"),
        (1.5, "indexed with 1.5"),
        ("row 2", r"indexed with 'row 2'.*by its name is result\[result.names.rows.index\(name\)"),
        ((1, 2), r"tuple \(1, 2\), which names several axes"),
        (None, "indexed with None"),
        (True, "indexed with True"),
        ([1.0, 2.0], "expected a number, a slice"),
        (slice("a"), "sliced with 'a'"),
    ],
)
def test_wrong_indices(index, said):
    with pytest.raises(polyattr.PolyattrError, match=said):
        made(N)[index]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda r: r.sort("errors"), "cannot be sorted by 'errors'.*Did you mean 'error'"),
        (lambda r: r.sort("values"), "one number per sample: scores"),
        (lambda r: r.sort(reverse="yes"), "reverse is 'yes'"),
        (lambda r: r.worst(0), "count is 0; expected at least 1"),
        (lambda r: r.worst(1.5), "count is 1.5"),
        (lambda r: r.target(0), "one target for each sample"),
        (lambda r: r.named(features="abc"), "names.features is 'abc'; expected a sequence"),
        (lambda r: r.named(features=["a"]), "names.features has 1 entries for 5 samples"),
        (lambda r: r.named(rows=["a"]), "names.rows has 1 entries"),
        (lambda r: r.named(["a"]), r"expected polyattr.Names"),
    ],
)
def test_wrong_calls(call, said):
    with pytest.raises(polyattr.PolyattrError, match=said):
        call(made(N))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (2, "target is 2, but there are 2"),
        (-3, "target is -3; expected at least -2"),
        ("q", "no class is named 'q'"),
        ("x", "class 'x' is none of the targets"),
        (1.0, "target is 1.0"),
    ],
)
def test_wrong_targets(target, said):
    whole = replace(made(targets=2), targets=np.array([[1] * N, [2] * N]))
    with pytest.raises(polyattr.PolyattrError, match=said):
        whole.target(target)


def test_an_empty_result_is_a_result(tmp_path):
    empty = made(N)[[]]
    assert len(empty) == 0
    assert list(empty) == []
    assert "0 samples" in repr(empty)
    assert len(empty.worst(3)) == len(empty.sort()) == 0
    for name in ("empty.npz", "empty.safetensors"):
        empty.save(tmp_path / name)
        same(polyattr.load(tmp_path / name), empty)
    with pytest.raises(polyattr.InputError, match="the result is empty"):
        empty[0]


# -- on each framework ------------------------------------------------------------------------


X = np.random.default_rng(4).standard_normal((6, 3))


def explained(lab, x=X, targets=None, **options):
    model = lab.function(lambda ops, x: x * x * x)
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=7)
    return method.attribute(lab.tensor(x), targets, **options)


def test_native_tensors_are_cut_where_they_are(lab):
    whole = explained(lab, keep_inputs=True)
    host = whole.to_numpy()
    for index in (2, slice(1, 5, 2), [3, 0, 0], whole.scores > 0):
        part = whole[index]
        assert lab.is_native(part.values)
        assert lab.is_native(part.standard_error)
        assert lab.is_native(part.inputs)
        assert lab.dtype(part.values) == "float32"
        same(part, host[index])
        assert np.array_equal(lab.numpy(part.inputs), X.astype(np.float32)[part_of(index)])
    mask = lab.tensor(np.zeros(6)) == lab.tensor(np.array([0, 1, 1, 0, 1, 1.0]))
    assert whole[mask].scores.tolist() == whole.scores[[0, 3]].tolist()


def part_of(index):
    return [index] if isinstance(index, int) else index


def test_samples_of_several_targets(lab):
    whole = explained(lab, targets=polyattr.each([2, 0]), keep_inputs=True)
    assert whole.scores.shape == (2, 6)
    part = whole[[4, 1]]
    assert lab.is_native(part.values)
    same(part, whole.to_numpy()[[4, 1]])
    assert lab.is_native(whole.target(1).values)
    same(part.target(1), explained(lab, X[[4, 1]], 0, keep_inputs=True))
    assert [sample.scores.shape for sample in whole] == [(2, 1)] * 6


def test_several_inputs(lab):
    inputs = {"left": lab.tensor(X), "right": lab.tensor(X + 1)}

    def called(ops, inputs):
        return ops.sum(inputs["left"] * inputs["left"] * inputs["right"])

    model = lab.function(called)
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=5)
    whole = method.attribute(inputs, keep_inputs=True)
    part = whole[[5, 2]]
    assert list(part.values) == list(part.inputs) == ["left", "right"]
    cut = {name: lab.tensor(array[[5, 2]]) for name, array in (("left", X), ("right", X + 1))}
    same(part, method.attribute(cut, keep_inputs=True))


def test_copies_and_pickles(lab):
    whole = explained(lab, keep_inputs=True, names={"rows": list("abcdef")})
    for other in (copy.copy(whole), copy.deepcopy(whole), pickle.loads(pickle.dumps(whole))):
        same(other, whole)
        assert lab.is_native(other.values)
        same(other[2:4], whole[2:4])


def test_half_precision_stays(lab):
    model = lab.function(lambda ops, x: x * x)
    method = polyattr.GradientInput(model, backend=lab.name)
    part = method.attribute(lab.tensor(X, "bfloat16"), 0)[1:3]
    assert lab.dtype(part.values) == "bfloat16"


@pytest.mark.parametrize("number", [2**63, 2**64 - 1])
def test_large_unsigned_positions_are_no_negative_ones(lab, number):
    result = polyattr.Saliency(lambda x: x).attribute(lab.tensor(np.ones((3, 2), np.float32)), 0)
    with pytest.raises(polyattr.InputError, match=f"no sample {number} among 3"):
        result[np.array([number], np.uint64)]
