"""A run over a data set: the answers of `attribute`, wherever rows are and whoever makes them."""

import numpy as np
import pytest
from made_models import Dense, data, doubled
from stored import COLUMNS, contents, expected, explained, files, library

import polyattr

zarr = library("zarr")
library("pyarrow")


def test_what_is_stored_is_what_attribute_says(method, x, tmp_path):
    done = explained(method, x, tmp_path / "maps.zarr", targets=1)
    told = [method.attribute(x[i : i + 16], targets=1).to_numpy() for i in range(0, len(x), 16)]
    fields = {
        "attribution": "values",
        "score": "scores",
        "baseline_score": "baseline_scores",
        "gap": "completeness_gap",
        "error": "error",
        "converged": "converged",
        "target": "targets",
    }
    for name, field in fields.items():
        whole = np.concatenate([getattr(part, field) for part in told])
        assert np.array_equal(done.column(name), whole), name
    assert done.column("id").tolist() == list(range(len(x)))
    group = zarr.open_group(str(done.path), mode="r")
    assert group.metadata.zarr_format == 3
    assert group["attribution"].chunks == (32, 6)
    assert group.attrs["polyattr"]["method"].startswith("IntegratedGradients(steps=5")
    assert done.complete
    assert f"{len(x)} rows in {done.path} (13 shards, 13 made by this call)" in repr(done)
    assert repr(done).count("largest") == 2


def test_shards_and_stores_change_nothing(method, x, tmp_path):
    first = contents(explained(method, x, tmp_path / "a.zarr"))
    assert first == contents(explained(method, x, tmp_path / "b.zarr", rows_per_shard=100))
    assert first == contents(explained(method, x, tmp_path / "c.parquet", rows_per_shard=400))
    assert first == contents(explained(method, x, tmp_path / "d", format="parquet", summary=False))


def test_a_pool_writes_the_same_files(lab, named, x, tmp_path):
    work = polyattr.worker("made_models:made_method", targets=0)
    alone = explained(work, x, tmp_path / "alone.zarr")
    pooled = explained(work, x, tmp_path / "pooled.zarr", executor=2)
    assert pooled.totals.made == 13
    assert files(alone.path) == files(pooled.path)


def test_a_finished_run_is_not_made_again(method, x, tmp_path):
    before = explained(method, x, tmp_path / "a.zarr", rows_per_shard=64)
    stamps = {p: p.stat().st_mtime_ns for p in before.path.rglob("c/*")}
    again = explained(method, x, tmp_path / "a.zarr", rows_per_shard=64)
    assert "(7 shards, 0 made by this call)" in repr(again)
    assert stamps == {p: p.stat().st_mtime_ns for p in again.path.rglob("c/*")}
    assert repr(again).splitlines()[1:4] == repr(before).splitlines()[1:4]


def sources(x, folder):
    """The same rows, kept in every way."""
    h5py, pandas, xarray = (library(name) for name in ("h5py", "pandas", "xarray"))
    import pyarrow
    from pyarrow import parquet

    np.save(folder / "x.npy", x)
    with h5py.File(folder / "x.h5", "w") as file:
        file["x"], file["other"] = x, x[:, 0]
    zarr.create_array(str(folder / "x.zarr"), data=x, chunks=(50, 6))
    columns = {name: x[:, i] for i, name in enumerate("abcdef")}
    (folder / "t.parquet").mkdir()
    table = pyarrow.table(columns)
    parquet.write_table(table[:150], folder / "t.parquet" / "0.parquet", row_group_size=70)
    parquet.write_table(table[150:], folder / "t.parquet" / "1.parquet", row_group_size=90)
    return {
        "npy": folder / "x.npy",
        "memmap": np.load(folder / "x.npy", mmap_mode="r"),
        "hdf5": (folder / "x.h5", {"inputs": "x"}),
        "zarr": str(folder / "x.zarr"),
        "parquet": folder / "t.parquet",
        "frame": pandas.DataFrame(columns),
        "xarray": xarray.DataArray(x, dims=("when", "what")),
        "batches": [x[:130], x[130:131], x[131:]],
        "pairs": [(x[:130], np.zeros(130, int)), (x[130:], np.zeros(270, int))],
    }


def test_every_source_gives_the_same(method, x, tmp_path):
    whole = contents(explained(method, x, tmp_path / "array.zarr", targets=0))
    few = {"rows_per_shard": 208}
    for name, given in sources(x, tmp_path).items():
        source, more = given if isinstance(given, tuple) else (given, {})
        source = iter(source) if name in ("batches", "pairs") else source
        more = more | few | ({} if name == "pairs" else {"targets": 0})
        done = explained(method, source, tmp_path / f"{name}.zarr", **more)
        assert contents(done) == whole, name
        assert done.rows == len(x)
        if name in ("parquet", "frame"):
            assert done.summary().names.features == tuple("abcdef")


def test_files_are_read_by_the_processes_that_explain_them(lab, named, x, tmp_path):
    work = polyattr.worker("made_models:made_method", targets=0)
    alone = contents(explained(work, x, tmp_path / "alone.zarr"))
    source = sources(x, tmp_path)["parquet"]
    done = explained(work, source, tmp_path / "pool.zarr", executor=1, rows_per_shard=208)
    assert contents(done) == alone


def test_pictures_of_a_folder(lab, tmp_path):
    image = library("PIL.Image")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5, 4, 3, 3), dtype=np.uint8)
    (tmp_path / "cats").mkdir()
    for i, picture in enumerate(pixels):
        image.fromarray(picture).save(tmp_path / "cats" / f"{i}.png")
    ops = lab.ops
    method = polyattr.GradientInput(lambda x: ops.sum(x * x), backend=lab.name)
    done = explained(method, tmp_path / "cats", tmp_path / "out.zarr")
    assert np.allclose(done.column("attribution"), 2 * (pixels / 255) ** 2, atol=1e-6)
    assert done.column("id").tolist() == [f"{i}.png" for i in range(5)]
    image.fromarray(pixels[0, :2]).save(tmp_path / "cats" / "9.png")
    with pytest.raises(polyattr.InputError, match=r"9.png is \(2, 3\) pixels.*scale them first"):
        explained(method, tmp_path / "cats", tmp_path / "more.zarr")


def test_ids_targets_and_names_of_columns(lab, method, x, tmp_path):
    labels = np.arange(len(x)) % 3
    ids = np.array([f"patient {i}" for i in range(len(x))])
    whole = explained(method, x, tmp_path / "a.zarr", ids=ids, targets=labels)
    assert whole.column("id").tolist() == ids.tolist()
    assert whole.column("target").tolist() == labels.tolist()
    assert np.array_equal(
        whole.column("attribution")[:16], expected(method, x[:16], targets=labels[:16])
    )
    table = {"x": x, "who": ids, "y": labels}
    named = {"inputs": "x", "ids": "who", "targets": "y"}
    done = explained(method, table, tmp_path / "b.zarr", **named)
    assert contents(done) == contents(whole)


def test_rows_are_chosen_by_masks_numbers_functions_and_results(method, x, tmp_path):
    mask = x[:, 0] > 0.5
    one = explained(method, x, tmp_path / "mask.zarr", where=mask)
    assert one.column("id").tolist() == np.flatnonzero(mask).tolist()
    assert np.array_equal(one.column("attribution"), expected(method, x[mask]))
    two = explained(method, x, tmp_path / "numbers.zarr", where=np.flatnonzero(mask))
    three = explained(
        method, x, tmp_path / "call.zarr", where=lambda batch: batch.inputs[:, 0] > 0.5
    )
    assert contents(one) == contents(two) == contents(three)
    whole = explained(method, x, tmp_path / "whole.zarr")
    left = explained(method, x, tmp_path / "left.zarr", where=~whole.column("converged"))
    assert left.rows == (~whole.column("converged")).sum() > 0


def test_noise_belongs_to_the_id_of_a_row(lab, x, tmp_path):
    method = polyattr.SmoothGrad(
        Dense(lab.name), backend=lab.name, nb_samples=3, shared_draws=False, operator="regression"
    )
    whole = explained(method, x, tmp_path / "a.zarr", targets=0)
    again = explained(method, x, tmp_path / "b.zarr", targets=0, rows_per_shard=400)
    assert contents(whole) == contents(again)
    back = explained(
        method, x[::-1].copy(), tmp_path / "c.zarr", targets=0, ids=np.arange(400)[::-1]
    )
    assert np.allclose(back.column("attribution")[::-1], whole.column("attribution"), atol=1e-6)


def test_float16_adds_its_rounding_to_the_error(lab, method, x, tmp_path):
    whole = explained(method, x, tmp_path / "a.zarr", targets=0)
    half = explained(method, x, tmp_path / "b.zarr", targets=0, dtype="float16")
    maps, narrow = whole.column("attribution"), half.column("attribution")
    assert narrow.dtype == np.float16
    assert np.array_equal(narrow, maps.astype(np.float16))
    off = np.abs(maps.astype(float) - narrow.astype(float)).sum(1) / np.abs(maps.astype(float)).sum(
        1
    )
    assert off.max() > 1e-5
    assert np.allclose(half.column("error") - whole.column("error"), off, rtol=1e-6, atol=1e-12)
    ops = lab.ops
    large = polyattr.GradientInput(lambda rows: ops.sum(1e6 * rows), backend=lab.name)
    with pytest.raises(polyattr.InputError, match="float16 cannot hold"):
        explained(large, x, tmp_path / "c.zarr", dtype="float16")


def test_without_maps_there_is_all_else(method, x, tmp_path):
    whole = explained(method, x, tmp_path / "a.zarr", targets=0)
    less = explained(method, x, tmp_path / "b.zarr", targets=0, maps=False)
    assert not (less.path / "attribution").exists()
    for name in set(COLUMNS) - {"attribution"}:
        assert np.array_equal(less.column(name), whole.column(name))
    assert np.array_equal(less.summary().mean, whole.summary().mean)
    with pytest.raises(polyattr.InputError, match="no column 'attribution'"):
        less.column("attribution")


def test_prepared_rows(method, x, tmp_path):
    done = explained(method, x, tmp_path / "a.zarr", targets=0, prepare=doubled)
    assert np.array_equal(done.column("attribution"), expected(method, 2 * x, targets=0))


def test_parts_of_several_machines_make_one_whole(method, x, tmp_path):
    whole = files(explained(method, x, tmp_path / "whole.zarr").path)
    for number in (2, 0):
        part = explained(method, x, tmp_path / "parts.zarr", part=(number, 3))
        assert not part.complete
        assert 0 < part.totals.rows < part.rows
    with pytest.raises(polyattr.InputError, match=r"is not finished.*expected all parts"):
        part.summary()
    last = explained(method, x, tmp_path / "parts.zarr", part=(1, 3))
    assert last.complete
    assert files(last.path) == whole


def test_progress_counts_rows(method, x, tmp_path, capsys):
    library("tqdm")
    explained(method, x, tmp_path / "a.zarr", progress=True)
    explained(method, x, tmp_path / "a.zarr", progress=True)
    shown = capsys.readouterr().err
    assert "explained: 100%" in shown
    assert "400/400" in shown
    assert "row/s" in shown
    assert "largest error" in shown


WRONG = [
    ({"steps": 3}, "explain_dataset has no argument 'steps'.*constructor"),
    ({"executor": 0}, "executor is 0; expected at least 1 process"),
    ({"executor": "spark"}, "executor is 'spark'; expected None"),
    ({"dtype": "int8"}, "dtype is 'int8'"),
    ({"maps": False, "summary": False}, "keep nothing of the maps"),
    ({"part": (3, 3)}, r"part is \(3, 3\); expected"),
    ({"rows_per_call": 0}, "rows_per_call is 0"),
    ({"where": np.zeros(400, bool)}, "where chooses no row"),
    ({"where": [400]}, "expected rows 0 to 399"),
    ({"where": np.ones(400)}, "where is an array of float64"),
    ({"ids": [1] * 400}, "same id for several rows"),
    ({"ids": [1]}, r"ids has shape \(1,\)"),
    ({"targets": [0, 1]}, r"targets has shape \(2,\)"),
    ({"inputs": "x"}, "column 'x' is asked for"),
    ({"format": "csv"}, "format is 'csv'"),
    ({"progress": 3}, "progress is 3; expected True or False"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[said[:20] for _, said in WRONG])
def test_wrong_calls(method, x, tmp_path, given, said):
    with pytest.raises(polyattr.PolyattrError, match=said):
        explained(method, x, tmp_path / "a.zarr", **given)
    assert not (tmp_path / "a.zarr").exists()


def test_wrong_sources_and_places(method, x, tmp_path):
    for source, said in [
        (3, "source is 3; expected an array"),
        (tmp_path / "nothing.npy", "where there is nothing"),
        (tmp_path, "of no kind that is known"),
        (x[:0], "source has no rows"),
        (iter([]), "source gave no batches"),
    ]:
        with pytest.raises(polyattr.PolyattrError, match=said):
            explained(method, source, tmp_path / "a.zarr")
    with pytest.raises(polyattr.InputError, match=r"ends with .zarr or .parquet"):
        explained(method, x, tmp_path / "a.csv")
    with pytest.raises(polyattr.InputTypeError, match="method is int; expected a method"):
        explained(3, x, tmp_path / "a.zarr")
    with pytest.raises(polyattr.InputError, match="where is given, and the source is an iterable"):
        explained(method, iter([x]), tmp_path / "a.zarr", where=[1])
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "notes.txt").write_text("keep")
    with pytest.raises(polyattr.InputError, match=r"exists, and there is no .*manifest.json"):
        explained(method, x, tmp_path / "mine.zarr")


def test_a_model_may_be_any_that_is_made_here(lab, tmp_path):
    x = data(40)
    ops = lab.ops
    method = polyattr.GradientInput(lambda rows: ops.sum(rows * rows), backend=lab.name)
    done = explained(method, x, tmp_path / "a.zarr")
    assert np.allclose(done.column("attribution"), 2 * x**2, rtol=1e-6)
    with pytest.raises(polyattr.InputTypeError, match="cannot be sent to another process"):
        explained(method, x, tmp_path / "b.zarr", executor=1)
