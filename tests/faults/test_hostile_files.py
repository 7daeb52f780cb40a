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
