"""One pass over all rows: means, quantiles, the worst, classes, and an even sample."""

import numpy as np
import pytest
from made_models import data
from stored import explained, library

import polyattr
from polyattr.datasets.summaries import buckets
from polyattr.datasets.summaries.partial import Wanted, sampled

library("zarr")


@pytest.fixture
def done(method, x, tmp_path):
    return explained(method, x, tmp_path / "a.zarr")


def test_means_are_those_of_all_rows(done):
    maps, targets = done.column("attribution").astype(float), done.column("target")
    found = done.summary()
    assert np.allclose(found.mean, maps.mean(0), rtol=1e-12)
    assert np.allclose(found.mean_magnitude, np.abs(maps).mean(0), rtol=1e-12)
    assert found.classes == {int(t): int((targets == t).sum()) for t in np.unique(targets)}
    assert len(found.classes) > 1
    for target in found.classes:
        own = maps[targets == target]
        assert np.allclose(found.mean_of(target), own.mean(0), rtol=1e-12)
        assert np.allclose(found.mean_of(target, magnitude=True), np.abs(own).mean(0), rtol=1e-12)
    with pytest.raises(polyattr.InputError, match="no row has the target 7; expected one of"):
        found.mean_of(7)


def test_quantiles_are_those_of_a_sketch(done):
    library("ddsketch")
    maps = done.column("attribution").astype(float)
    found = done.summary()
    for q in (0.0, 0.05, 0.5, 0.95, 1.0):
        exact = np.quantile(maps, q, axis=0, method="lower")
        assert np.allclose(found.quantile(q), exact, rtol=0.014, atol=1e-12)
    merged = found.sketches()[0]
    merged.merge(found.sketches()[0])
    assert merged.count == 2 * len(maps)
    with pytest.raises(polyattr.InputError, match="q is 2; expected a share"):
        found.quantile(2)


def test_the_worst_are_found_in_all_shards(done):
    error = done.column("error")
    worst = done.summary().worst_rows
    order = np.argsort(-error, kind="stable")[:20]
    assert worst.names.rows == tuple(map(str, order))
    assert np.array_equal(worst.error, error[order])
    assert np.array_equal(worst.values, done.column("attribution")[order])


def test_the_sample_is_even_whole_and_drawn(done, x):
    plots, found = library("matplotlib"), done.summary()
    assert plots
    assert len(found) == len(x)  # fewer than a thousand: all of them
    assert np.array_equal(found.inputs, x)
    assert np.array_equal(found.values, done.column("attribution"))
    ax = polyattr.plots.summary(found)
    order = np.argsort(-found.mean_magnitude)
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert shown[0].endswith(str(order[0]))
    assert "400 samples" in ax.get_title(loc="left")
    assert len(found[found.error > 0]) > 0


def test_samples_do_not_depend_on_shards():
    wanted = Wanted(100_000, sample=500)
    whole = sampled(0, 100_000, wanted, 40)
    parts = [sampled(i, i + 777, wanted, 40) + i for i in range(0, 100_000, 777)]
    joined = np.concatenate(parts)
    assert np.array_equal(joined[joined < 100_000], whole)
    assert 400 < len(whole) < 600
    halves = np.histogram(whole, 10, (0, 100_000))[0]
    assert halves.min() > 25
    assert len(sampled(0, 100_000, wanted, 2**20)) < 100  # of large rows fewer


def test_shards_change_a_summary_by_rounding_alone(method, x, tmp_path):
    one = explained(method, x, tmp_path / "a.zarr").summary()
    other = explained(method, x, tmp_path / "b.zarr", rows_per_shard=400).summary()
    assert np.allclose(one.mean, other.mean, rtol=1e-12)
    assert np.array_equal(one.whole.buckets[1], other.whole.buckets[1])
    assert one.worst_rows.names.rows == other.worst_rows.names.rows


def test_counts_in_buckets():
    values = np.array([[1.0, -3.0], [1.0, np.nan], [0.0, np.inf], [1.009, 2e38]], np.float32)
    places, counts = buckets.count(values)
    codes, columns = places & (2**buckets.BITS - 1), places >> buckets.BITS
    middles = buckets.middles(codes)
    assert columns.tolist() == [0, 0, 1, 1]
    assert counts.tolist() == [1, 3, 1, 1]
    assert np.allclose(middles, [0.0, 1.0, 2e38, -3.0], rtol=buckets.WIDTH)
    double = buckets.add((places, counts), (places, counts))
    assert np.array_equal(double[1], 2 * counts)
    rng = np.random.default_rng(0)
    many = rng.standard_normal((500, 130)) * 10.0 ** rng.integers(-20, 20, (500, 130))
    places, counts = buckets.count(many)
    assert counts.sum() == many.size
    assert (np.bincount(places >> buckets.BITS, counts) == 500).all()


def test_many_features_have_means_and_no_quantiles(lab, tmp_path):
    x = np.random.default_rng(0).random((20, 5000), dtype=np.float32)
    method = polyattr.GradientInput(lambda rows: lab.ops.sum(rows * rows), backend=lab.name)
    found = explained(method, x, tmp_path / "a.zarr").summary()
    assert np.allclose(found.mean, (2 * x.astype(float) ** 2).mean(0), rtol=1e-6)
    with pytest.raises(polyattr.InputError, match="quantiles are kept of at most 4,096 features"):
        found.quantile(0.5)


def test_no_summary_was_asked_for(method, tmp_path):
    done = explained(method, data(20), tmp_path / "a.zarr", summary=False)
    with pytest.raises(polyattr.InputError, match="expected one made with summary=True"):
        done.summary()
