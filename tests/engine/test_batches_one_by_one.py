"""`explain_batches` and `attribute_batches`: one batch at a time, however long the dataset is."""

import itertools

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

RNG = np.random.default_rng(231)
X, W = RNG.standard_normal((7, 3)), RNG.standard_normal((3, 4))
Y = np.array([3, 0, 1, 1, 2, 2, 0])
EXPECTED = X * W[:, Y].T
PIECES = [(0, 3), (3, 4), (4, 7)]


@pytest.fixture(scope="module")
def method(lab):
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(W, x)))
    return polyattr.IntegratedGradients(model, backend=lab.name, steps=2, batch_size=4)


class Watched:
    """A dataset that counts how far it was read."""

    def __init__(self, lab, pieces=PIECES, targets=True):
        self.lab, self.pieces, self.targets, self.read = lab, pieces, targets, 0

    def __iter__(self):
        for start, stop in self.pieces:
            self.read += 1
            x = self.lab.tensor(X[start:stop])
            yield (x, Y[start:stop]) if self.targets else x


def test_a_batch_is_read_when_its_turn_comes(lab, method):
    dataset = Watched(lab)
    results = method.explain_batches(dataset)
    assert iter(results) is results
    assert dataset.read == 0
    for number, (start, stop) in enumerate(PIECES, start=1):
        values = next(results)
        assert dataset.read == number
        assert lab.is_native(values)
        assert_close(lab.numpy(values), EXPECTED[start:stop])
    with pytest.raises(StopIteration):
        next(results)


def test_a_dataset_without_end(lab, method):
    dataset = Watched(lab, itertools.cycle(PIECES))
    results = list(itertools.islice(method.attribute_batches(dataset), 5))
    assert [len(result.scores) for result in results] == [3, 1, 3, 3, 1]
    assert dataset.read == 5


def test_whole_and_in_parts(lab, method):
    whole = method.attribute(Watched(lab))
    values = [lab.numpy(part) for part in method.explain_batches(Watched(lab))]
    np.testing.assert_array_equal(np.concatenate(values), lab.numpy(whole.values))
    parts = list(method.attribute_batches(Watched(lab)))
    np.testing.assert_array_equal(
        np.concatenate([lab.numpy(part.values) for part in parts]), lab.numpy(whole.values)
    )
    for name in ("scores", "baseline_scores", "completeness_gap", "error", "evaluations"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    assert np.concatenate([part.targets for part in parts]).tolist() == Y.tolist()
    assert_close(whole.scores, (X @ W)[np.arange(7), Y])
    assert {part.method for part in parts} == {repr(method)}


def test_targets_and_options_hold_for_every_batch(lab, method):
    found = method.explain_batches(Watched(lab), 2, baselines=1.0)
    for values, (start, stop) in zip(found, PIECES, strict=True):
        assert_close(lab.numpy(values), (X[start:stop] - 1.0) * W[:, 2])
    predicted = method.attribute_batches(Watched(lab, targets=False))
    expected = (X @ W).argmax(axis=1)
    assert [result.targets.tolist() for result in predicted] == [
        expected[a:b].tolist() for a, b in PIECES
    ]


def test_a_tensor_is_a_dataset_of_one_batch(lab, method):
    (values,) = method.explain_batches(lab.tensor(X), Y)
    assert_close(lab.numpy(values), EXPECTED)
    (result,) = method.attribute_batches(lab.tensor(X), Y)
    assert_close(result.scores, (X @ W)[np.arange(7), Y])


def test_a_dataset_without_batches_has_no_results(lab, method):
    assert list(method.explain_batches(iter([]))) == []
    assert list(method.attribute_batches(iter([]))) == []


WRONG = {
    "an unknown argument": ({"baseline": 0.0}, polyattr.InputTypeError, "'baselines'"),
    "a flag that is none": ({"progress": "yes"}, polyattr.InputTypeError, "progress is 'yes'"),
    "args that are no tuple": ({"forward_args": 3}, polyattr.InputTypeError, "forward_args"),
    "kwargs that are no dict": ({"forward_kwargs": 3}, polyattr.InputTypeError, "forward_kwargs"),
    "nothing of that name": ({"batched": "mask"}, polyattr.InputError, "batched names 'mask'"),
    "targets for all samples": ({"targets": Y}, polyattr.InputError, "inputs are a dataset"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("entry", ["explain_batches", "attribute_batches"])
def test_wrong_arguments_fail_at_the_call(lab, method, entry, name):
    options, kind, text = WRONG[name]
    dataset = Watched(lab)
    with pytest.raises(kind, match=text):
        getattr(method, entry)(dataset, **options)  # not at the first batch
    assert dataset.read == 0


def test_a_baseline_for_a_method_without_one_fails_at_the_call(lab):
    method = polyattr.Saliency(lab.function(lambda ops, x: ops.sum(x)), backend=lab.name)
    with pytest.raises(polyattr.InputError, match="Saliency has no baseline"):
        method.explain_batches(Watched(lab), baselines=0.0)


def test_a_wrong_batch_is_met_in_its_turn(lab, method):
    bad = X[3:4].copy()
    bad[0, 1] = np.nan
    results = method.explain_batches([(X[:3], Y[:3]), (bad, Y[3:4]), (X[4:], Y[4:])])
    assert_close(lab.numpy(next(results)), EXPECTED[:3])
    with pytest.raises(polyattr.InputError, match="contains nan"):
        next(results)
    assert_close(lab.numpy(method.explain(lab.tensor(X), Y)), EXPECTED)


@pytest.mark.parametrize("how", ["closed", "forgotten", "raised"])
def test_an_iteration_that_is_left_half_way(lab, method, how):
    """The explainer works as before, also while a started iteration waits."""
    results = method.explain_batches(Watched(lab), progress=how == "closed")
    next(results)
    assert_close(lab.numpy(method.explain(lab.tensor(X), Y)), EXPECTED)
    if how == "raised":
        broken = method.explain_batches(failing(lab))
        next(broken)
        with pytest.raises(KeyboardInterrupt):
            next(broken)
        with pytest.raises(StopIteration):
            next(broken)
    elif how == "closed":
        results.close()
    del results
    assert_close(lab.numpy(method.explain(lab.tensor(X), Y)), EXPECTED)
    parts = [lab.numpy(part) for part in method.explain_batches(Watched(lab))]
    assert_close(np.concatenate(parts), EXPECTED)


def failing(lab):
    yield lab.tensor(X[:3]), Y[:3]
    raise KeyboardInterrupt


def test_two_iterations_side_by_side(lab, method):
    one, two = method.explain_batches(Watched(lab)), method.explain_batches(Watched(lab), 1)
    for own, first, (start, stop) in zip(one, two, PIECES, strict=True):
        assert_close(lab.numpy(own), EXPECTED[start:stop])
        assert_close(lab.numpy(first), X[start:stop] * W[:, 1])


@pytest.mark.parametrize("entry", ["explain_batches", "attribute_batches"])
def test_a_progress_bar_over_all_batches(lab, method, entry, capsys):
    values = list(getattr(method, entry)(Watched(lab), progress=True))
    assert len(values) == 3
    told = capsys.readouterr().err
    assert "IntegratedGradients" in told
    assert "7/7" in told  # 3, 1 and 3 samples
    assert "sample/s" in told
