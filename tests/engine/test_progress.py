"""Progress counts samples: of arrays, of datasets, of several targets, and of calls that fail."""

from itertools import pairwise

import numpy as np
import pytest

import polyattr
from polyattr.explainer.shown.progress import Bar

X = np.random.default_rng(77).standard_normal((7, 3)).astype(np.float32)
W = np.array([[1.0, -2.0], [0.5, 1.5], [2.0, 0.25]], np.float32)


class Shown:
    """Stands for tqdm's bar: what it showed, in turn."""

    every: list["Shown"]

    def __init__(self, total, desc, unit):
        self.n, self.total, self.desc, self.unit = 0, total, desc, unit
        self.closed = False
        self.counts, self.totals, self.notes = [], [], []
        type(self).every.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def update(self, more):
        self.n += more
        self.counts.append(self.n)
        self.totals.append(self.total)

    def refresh(self):
        pass

    def set_postfix_str(self, note):
        self.notes.append(note)


@pytest.fixture
def bars(monkeypatch):
    Shown.every = []
    monkeypatch.setattr("tqdm.auto.tqdm", Shown)
    monkeypatch.setattr("polyattr.explainer.shown.progress._EVERY", -1.0)
    return Shown.every


@pytest.fixture(scope="module")
def model(lab):
    weights = lab.tensor(W)
    return lab.function(lambda ops, x: x @ weights)


@pytest.fixture
def method(lab, model):
    return polyattr.IntegratedGradients(model, backend=lab.name, steps=8, batch_size=4)


class Sized:
    """A dataset that says how many batches it has."""

    def __init__(self, lab, sizes):
        edges = np.cumsum([0, *sizes])
        self.batches = [(lab.tensor(X[a:b]), np.zeros(b - a, int)) for a, b in pairwise(edges)]

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return iter(self.batches)


@pytest.mark.parametrize("entry", ["explain", "attribute"])
def test_the_samples_of_an_array(lab, method, bars, entry):
    getattr(method, entry)(lab.tensor(X), 0, progress=True)
    (bar,) = bars
    assert (bar.desc, bar.unit, bar.closed) == ("IntegratedGradients", "sample", True)
    assert bar.counts == sorted(bar.counts)
    assert {bar.totals[0], bar.total} == {7}  # from the start
    assert bar.n == 7
    # 56 rows in tiles of four: each of the 14 brings half a sample.
    assert {1, 3, 5} <= set(bar.counts)


def test_several_targets_of_a_sample_are_one_sample(lab, method, bars):
    method.explain(lab.tensor(X), polyattr.each([0, 1]), progress=True)
    assert (bars[0].n, bars[0].total) == (7, 7)
    assert bars[0].counts == sorted(bars[0].counts)


def test_the_total_of_a_dataset_that_says_how_long_it_is(lab, method, bars):
    method.explain(Sized(lab, (3, 3, 1)), progress=True)
    (bar,) = bars
    assert bar.totals[0] == 9  # three batches like the first, which is all that is known
    assert bar.totals[-2:] == [7, 7]  # with the last, all is
    assert (bar.n, bar.total) == (7, 7)
    assert {3, 6} <= set(bar.counts)


def test_the_total_of_a_dataset_without_length(lab, method, bars):
    list(method.explain_batches(iter(Sized(lab, (4, 3))), progress=True))
    (bar,) = bars
    assert set(bar.totals) == {None}
    assert (bar.n, bar.total) == (7, 7)


def test_samples_that_are_finished_in_rounds(lab, bars):
    """A straight line needs one round, a kink more."""

    def ramp(ops, x):
        return ops.sum(ops.relu(x - 0.3) * 3.0 + x)

    x = np.abs(X)
    x[:4] = 0.1 + 0.01 * np.arange(12).reshape(4, 3)  # below the kink all along
    method = polyattr.IntegratedGradients(
        lab.function(ramp), backend=lab.name, steps="auto", tolerance=0.001, batch_size=8
    )
    result = method.attribute(lab.tensor(x), progress=True)
    spent = np.asarray(result.evaluations)
    assert spent[:4].max() < spent[4:].min()
    (bar,) = bars
    assert bar.counts == sorted(bar.counts)
    assert 4 in bar.counts
    assert bar.n == bar.total == 7
    assert any(note.startswith("round 2") for note in bar.notes)


class Breaking(Sized):
    """A dataset whose second batch cannot be read."""

    def __iter__(self):
        yield self.batches[0]
        raise OSError("the disk is gone")


def test_a_dataset_that_fails_half_way(lab, method, bars):
    """The bar stays where the call was, and is closed."""
    with pytest.raises(OSError, match="the disk is gone"):
        method.explain(Breaking(lab, (3, 3, 1)), progress=True)
    (bar,) = bars
    assert bar.closed
    assert (bar.n, bar.total) == (3, 9)
    method.explain(lab.tensor(X), 0, progress=True)
    assert bars[1].n == 7


def test_a_call_that_is_interrupted(lab, method, bars, monkeypatch):
    def interrupted(shown, more):
        shown.n += more
        if shown.n >= 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Shown, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        method.explain(lab.tensor(X), 0, progress=True)
    (bar,) = bars
    assert bar.closed
    assert (bar.n, bar.total) == (4, 7)


def test_a_second_try_counts_no_sample_twice():
    """Rows are halved when memory runs out, and the call begins anew."""
    Shown.every = []
    shown = Shown(None, "x", "sample")
    bar = Bar(shown, 2)
    for done in (0, 2, 4, 0, 1, 3, 5):
        bar(done, 5)
    assert shown.counts == [0, 2, 4, 4, 4, 4, 5]
    bar.step()
    bar(1, 4)
    assert (shown.n, shown.total) == (6, 9)
    bar.step()
    bar.end()
    assert (shown.n, shown.total) == (9, 9)


def test_values_are_those_without_a_bar(lab, method, bars):
    plain = lab.numpy(method.explain(lab.tensor(X), 1))
    shown = lab.numpy(method.explain(lab.tensor(X), 1, progress=True))
    np.testing.assert_allclose(shown, plain, rtol=1e-6)
