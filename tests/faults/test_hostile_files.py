"""Files made to harm: nothing is executed, and memory is bounded before it is taken."""

import io
import json
import zipfile

import numpy as np
import pytest

import polyattr

META = {
    "format": 1,
    "layout": "values_0",
    "method": "",
    "seed": None,
    "backend": "",
    "targets": None,
}


def entry(array):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def archive(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(f"{name}.npy", content)
    return path


def test_a_header_that_claims_more_than_there_is(tmp_path):
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(stream, header)
    hostile = {"meta": entry(np.array(json.dumps(META))), "values_0": stream.getvalue() + bytes(80)}
    with pytest.raises(polyattr.InputError, match="claims 8000000000000 bytes"):
        polyattr.load(archive(tmp_path / "claims.npz", hostile))


def test_a_small_file_that_unfolds_to_much(tmp_path):
    zeros = {"meta": entry(np.array(json.dumps(META))), "values_0": entry(np.zeros(4_000_000))}
    path = archive(tmp_path / "bomb.npz", zeros)
    assert path.stat().st_size < 100_000
    with pytest.raises(polyattr.InputError, match="max_bytes=1000000"):
        polyattr.load(path, max_bytes=1_000_000)


def test_objects_are_refused(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.array([print], dtype=object), allow_pickle=True)
    hostile = {"meta": entry(np.array(json.dumps(META))), "values_0": stream.getvalue()}
    with pytest.raises(polyattr.InputError, match="is not an attribution saved by polyattr"):
        polyattr.load(archive(tmp_path / "objects.npz", hostile))


WHOLE = {
    "values_0": np.ones((2, 3)),
    "scores": np.ones(2),
    "baseline_scores": np.zeros(2),
    "completeness_gap": np.zeros(2),
    "error": np.zeros(2),
    "converged": np.ones(2, bool),
    "evaluations": np.full(2, 5),
    "targets": np.array([1, 0]),
}


def written(path, arrays=WHOLE, **meta):
    entries = {name: entry(array) for name, array in arrays.items()}
    return archive(path, {"meta": entry(np.array(json.dumps(META | meta))), **entries})


def refused(path, reason):
    with pytest.raises(polyattr.InputError, match="is not an attribution saved by") as told:
        polyattr.load(path)
    assert reason in str(told.value)


def test_the_whole_file_is_read(tmp_path):
    loaded = polyattr.load(written(tmp_path / "whole.npz"))
    assert (loaded.targets == [1, 0]).all()
    assert loaded.evaluations.tolist() == [5, 5]
    assert loaded.standard_error is None  # as in every file written before there were any


@pytest.mark.parametrize(
    ("layout", "errors"),
    [
        ("errors", np.ones((2, 4))),
        ("errors", np.ones(2)),
        ("errors", np.ones((2, 3), int)),
        ("errors", np.full((2, 3), "a")),
        ({"tuple": ["errors"]}, np.ones((2, 3))),
        ("nothing", np.ones((2, 3))),
    ],
)
def test_standard_errors_that_do_not_belong_to_the_values(tmp_path, layout, errors):
    arrays = WHOLE | {"errors": errors}
    refused(written(tmp_path / "errors.npz", arrays, standard_error=layout), "")
    fitting = WHOLE | {"errors": np.ones((2, 3))}
    whole = written(tmp_path / "fitting.npz", fitting, standard_error="errors")
    assert (polyattr.load(whole).standard_error == 1).all()


@pytest.mark.parametrize("name", ["values_0", "scores", "error", "converged", "evaluations"])
def test_an_array_that_is_missing_or_has_another_name(tmp_path, name):
    rest = {key: array for key, array in WHOLE.items() if key != name}
    refused(written(tmp_path / "less.npz", rest), name)
    misnamed = rest | {f"{name}x": WHOLE[name]}
    refused(written(tmp_path / "misnamed.npz", misnamed), name)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(
    "other", [np.ones(3), np.ones((3, 2)), np.array(1.0), np.array(["a", "b"]), np.ones(2, complex)]
)
def test_an_array_of_another_shape_or_kind(tmp_path, name, other):
    refused(written(tmp_path / "other.npz", WHOLE | {name: other}), "its ")


@pytest.mark.parametrize(
    "meta",
    [
        {"method": 3},
        {"backend": None},
        {"seed": "0"},
        {"layout": "values_1"},
        {"layout": {"dict": [["a", "nothing"]]}},
        {"layout": {"tuple": []}},
        {"layout": None},
    ],
)
def test_settings_of_another_kind(tmp_path, meta):
    refused(written(tmp_path / "meta.npz", **meta), "")


def test_a_layout_nested_without_end(tmp_path):
    text = json.dumps(META)
    for depth in (10, 100_000):
        nest = '{"tuple": [' * depth + '"values_0"' + "]}" * depth
        meta = entry(np.array(text.replace('"values_0"', nest)))
        arrays = {name: entry(array) for name, array in WHOLE.items()}
        path = archive(tmp_path / "deep.npz", {"meta": meta} | arrays)
        if depth == 10:
            assert len(polyattr.load(path).values) == 1
        else:
            refused(path, "recursion")


def test_any_end_cut_off(tmp_path):
    whole = written(tmp_path / "whole.npz").read_bytes()
    for length in range(0, len(whole), 7):
        path = tmp_path / "cut.npz"
        path.write_bytes(whole[:length])
        refused(path, "")


def test_arrays_that_share_their_bytes(tmp_path):
    # A bomb of another kind: many names in the directory for one and the same piece of the file.
    path = written(tmp_path / "shared.npz", WHOLE | {"values_0": np.zeros((2, 50_000))})
    with zipfile.ZipFile(path, "a") as file:
        (piece,) = (info for info in file.infolist() if info.filename == "values_0.npy")
        for copy in range(50):
            other = zipfile.ZipInfo(f"values_{copy + 1}.npy")
            for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(other, name, getattr(piece, name))
            file.filelist.append(other)
            file.NameToInfo[other.filename] = other
        file._didModify = True
    with pytest.raises(polyattr.InputError):
        polyattr.load(path, max_bytes=2_000_000)
