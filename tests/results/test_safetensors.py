"""The safetensors file: bit for bit, mapped, read by others, and hostile ones refused."""

import json
import mmap
import os
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from results import library, made, same

import polyattr

DTYPES = ("float16", "float32", "float64", "bfloat16")
X = np.random.default_rng(3).standard_normal((4, 3))


def parts(path):
    """Header and data of a file, read by hand."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def assembled(path, header, data):
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def bits(array):
    """The bytes of an array, whatever its dtype."""
    return np.ascontiguousarray(array).tobytes()


# -- written and read -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.npz", "a.safetensors", "a", "a.b", "a.npz.b"])
def test_load_finds_what_save_wrote(tmp_path, name):
    made().save(tmp_path / name)
    same(polyattr.load(tmp_path / name), made())
    same(polyattr.load(str(tmp_path / name)), made())
    same(polyattr.load(os.fsencode(tmp_path / name)), made())


def test_load_is_not_led_astray_by_a_neighbour(tmp_path):
    (tmp_path / "a").write_text("notes")
    made().save(tmp_path / "a")
    same(polyattr.load(tmp_path / "a"), made())
    (tmp_path / "folder").mkdir()
    made(3).save(tmp_path / "folder")
    same(polyattr.load(tmp_path / "folder"), made(3))


def test_everything_a_result_holds(tmp_path):
    nested = {
        "values": {"a": (np.ones((2, 1)), None), 3: [np.full((2, 2, 2), 0.5, np.float16)]},
        "standard_error": {"a": (np.ones((2, 1)), None), 3: [np.zeros((2, 2, 2), np.float16)]},
        "inputs": {"a": (np.ones((2, 1)), None), 3: [np.arange(2), "mean", 1.5, True]},
        "names": polyattr.Names(rows=["a", "b"]),
        "seed": 2**63,
        "bound": None,
        "completeness_gap": None,
    }
    result = replace(made(2, **nested), targets="margin")
    for name in ("a.npz", "a.safetensors"):
        result.save(tmp_path / name)
        loaded = polyattr.load(tmp_path / name)
        same(loaded, result)
        assert loaded.inputs[3][1:] == ["mean", 1.5, True]
        assert loaded.targets == "margin"


def test_arrays_are_mapped_and_aligned_and_ones_own(tmp_path):
    path = tmp_path / "a.safetensors"
    made().save(path)
    loaded = polyattr.load(path)
    owner = loaded.values
    while isinstance(owner, np.ndarray):
        assert not owner.flags.owndata
        owner = owner.base
    assert isinstance(owner, mmap.mmap | memoryview)
    for name in ("values", "scores", "evaluations", "inputs"):
        assert getattr(loaded, name).flags.aligned, name
    loaded.values[:] = 7
    same(polyattr.load(path), made())


def test_a_mapped_file_may_be_written_again(tmp_path):
    path = tmp_path / "a.safetensors"
    made(50).save(path)
    loaded = polyattr.load(path)
    loaded[:3].save(path)
    same(loaded, made(50))
    same(polyattr.load(path), made(50)[:3])
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]


def test_what_cannot_be_written_leaves_no_file(tmp_path):
    wrong = made(values={(1, 2): np.ones((5, 3))}, standard_error=None, names=None)
    odd = made(inputs=np.array(["a"] * 5))
    for name in ("a.npz", "a.safetensors"):
        with pytest.raises(polyattr.InputError, match="keys of type str and int"):
            wrong.save(tmp_path / name)
        with pytest.raises(polyattr.InputError, match=r"inputs holds.*a file cannot keep"):
            odd.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


# -- on each framework ------------------------------------------------------------------------


def result_of(lab, dtype):
    model = lab.function(lambda ops, x: x * x)
    method = polyattr.GradientInput(model, backend=lab.name)
    return method.attribute(lab.tensor(X, dtype), 1, keep_inputs=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_keeps_its_bits(lab, tmp_path, dtype):
    with lab.double():
        result = result_of(lab, dtype)
        result.save(tmp_path / "a.safetensors")
        header, data = parts(tmp_path / "a.safetensors")
        kinds = {"float16": "F16", "float32": "F32", "float64": "F64", "bfloat16": "BF16"}
        entry = header["values_0"]
        assert entry["dtype"] == kinds[dtype]
        assert entry["shape"] == [4, 3]
        start, end = entry["data_offsets"]
        wide = lab.numpy(result.values)
        if dtype == "bfloat16":
            assert end - start == 24
            assert data[start:end] == bits((wide.view(np.uint32) >> 16).astype(np.uint16))
        else:
            assert data[start:end] == bits(wide)
        loaded = polyattr.load(tmp_path / "a.safetensors")
        assert loaded.values.dtype == ("float32" if dtype == "bfloat16" else dtype)
        assert np.array_equal(loaded.values, wide)
        assert np.array_equal(loaded.inputs, lab.numpy(result.inputs))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_frameworks_own_reader_takes_it(lab, tmp_path, dtype):
    name = {"torch": "torch", "jax": "flax", "tensorflow": "tensorflow"}[lab.name]
    reader = library(f"safetensors.{name}")
    path = tmp_path / "a.safetensors"
    with lab.double():
        result = result_of(lab, dtype)
        result.save(path)
        tensors = reader.load_file(path)
        for key, ours in (("values_0", result.values), ("inputs_0", result.inputs)):
            assert lab.is_native(tensors[key])
            assert lab.dtype(tensors[key]) == lab.dtype(ours) == dtype
            assert np.array_equal(lab.numpy(tensors[key]), lab.numpy(ours))
        assert np.array_equal(lab.numpy(tensors["scores"]), result.scores)


# -- files of strangers -----------------------------------------------------------------------


def refused(path, said=""):
    with pytest.raises(polyattr.InputError, match="is not an attribution saved by") as told:
        polyattr.load(path)
    assert said in str(told.value)


@pytest.fixture
def whole(tmp_path):
    made().save(tmp_path / "whole.safetensors")
    return tmp_path / "whole.safetensors"


def test_a_file_put_together_by_hand_is_read(whole, tmp_path):
    same(polyattr.load(assembled(tmp_path / "b.safetensors", *parts(whole))), made())


CHANGES = {
    "no whole number": {"shape": [5, 3.0]},
    "a truth value": {"shape": [5, True]},
    "negative": {"data_offsets": [-60, 0]},
    "more than there is": {"shape": [10**12, 3]},
    "other bytes": {"shape": [5, 2]},
    "an unknown dtype": {"dtype": "F8_E4M3"},
    "a dtype that is no text": {"dtype": ["F32"]},
    "another dtype": {"dtype": "F64"},
    "no shape": {"shape": None},
    "many axes": {"shape": [1] * 70 + [15]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_places_that_are_not_there(whole, tmp_path, change):
    header, data = parts(whole)
    header["values_0"] |= CHANGES[change]
    refused(assembled(tmp_path / "b.safetensors", header, data))


def test_tensors_that_share_their_bytes_or_leave_some(whole, tmp_path):
    header, data = parts(whole)
    path = tmp_path / "b.safetensors"
    for i in range(1000):
        header[f"copy_{i}"] = header["values_0"]
    refused(assembled(path, header, data), "overlap")
    refused(assembled(path, parts(whole)[0], data + b"more"), "its tensors take")
    header = parts(whole)[0]
    del header["scores"]
    refused(assembled(path, header, data))


@pytest.mark.parametrize(
    "meta",
    [
        {"format": 99},
        {"layout": "nothing"},
        {"layout": None},
        {"layout": {"plain": [1]}},
        {"method": 3},
        {"methods": [3]},
        {"methods": []},
        {"names": {"features": ["a"]}},
        {"names": {"features": "abc"}},
        {"names": {"classes": {"a": "b"}}},
        {"names": {"tokens": [["a"]]}},
        {"names": [1]},
        {"inputs": "scores"},
        {"inputs": {"plain": None}},
        {"seed": 1.5},
    ],
)
def test_settings_of_another_kind(whole, tmp_path, meta):
    header, data = parts(whole)
    known = json.loads(header["__metadata__"]["polyattr"])
    header["__metadata__"]["polyattr"] = json.dumps(known | meta)
    path = assembled(tmp_path / "b.safetensors", header, data)
    if meta == {"inputs": "scores"}:  # one number per sample is an input
        assert polyattr.load(path).inputs.shape == (5,)
        return
    with pytest.raises(polyattr.InputError, match=r"b\.safetensors"):
        polyattr.load(path)


def test_settings_that_are_none_of_the_methods(tmp_path):
    for wrong in (-1, 2, 10**12):
        path = tmp_path / "a.safetensors"
        made(settings=np.full(5, wrong)).save(path)
        refused(path, "its settings are none of its methods")


@pytest.mark.parametrize("length", [0, 1, 10**6, 2**63, 2**64 - 1])
def test_a_header_that_claims_another_length(whole, tmp_path, length):
    content = whole.read_bytes()
    path = tmp_path / "b.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + content[8:])
    refused(path)


@pytest.mark.parametrize("content", [b"", b"short", b"\x02" + bytes(7) + b"{}", bytes(100)])
def test_what_is_no_such_file(tmp_path, content):
    path = tmp_path / "b.safetensors"
    path.write_bytes(content)
    refused(path)


def test_a_layout_nested_without_end(whole, tmp_path):
    header, data = parts(whole)
    text = header["__metadata__"]["polyattr"].replace(
        '"values_0"', '{"tuple": [' * 100_000 + '"values_0"' + "]}" * 100_000
    )
    header["__metadata__"]["polyattr"] = text
    refused(assembled(tmp_path / "b.safetensors", header, data), "recursion")


def test_what_is_read_at_once_is_bounded(tmp_path, whole):
    with pytest.raises(polyattr.InputError, match="more than max_bytes=100"):
        polyattr.load(whole, max_bytes=100)
    rows = 300_000
    zeros = np.zeros((rows, 3), np.float32)
    few = dict.fromkeys(("names", "inputs", "standard_error", "settings"))
    made(rows, values=zeros, **few, methods=()).save(tmp_path / "big.safetensors")
    assert len(polyattr.load(tmp_path / "big.safetensors", max_bytes=10_000)) == rows


def test_truth_values_that_are_neither(whole, tmp_path):
    header, data = parts(whole)
    start, end = header["converged"]["data_offsets"]
    odd = data[:start] + bytes([0, 1, 2, 255, 0]) + data[end:]
    converged = polyattr.load(assembled(tmp_path / "b.safetensors", header, odd)).converged
    assert converged.tolist() == [False, True, True, True, False]
    assert (~converged).tolist() == [True, False, False, False, True]


@settings(deadline=None, max_examples=150)
@given(content=st.binary(max_size=60), cut=st.integers(0, 200), at=st.integers(0, 10_000))
def test_broken_files_are_refused_or_are_results(tmp_path_factory, content, cut, at):
    path = tmp_path_factory.mktemp("broken") / "a.safetensors"
    made(2).save(path)
    whole = path.read_bytes()
    at %= len(whole)
    path.write_bytes(whole[:at] + content + whole[at + cut :])
    loaded = None
    with suppress(polyattr.InputError):
        loaded = polyattr.load(path)
    assert loaded is None or (len(loaded) == 2 and repr(loaded))
