"""Files that are no saved attribution are refused, and nothing in them is executed."""

import gc
import json
import pickle

import numpy as np
import pytest

import polyattr

RAN = []


class Trap:
    """Runs something when unpickled."""

    def __reduce__(self):
        return (RAN.append, ("executed",))


def attribution(**changes):
    fields = {
        "values": np.arange(6.0).reshape(2, 3),
        "scores": np.array([1.0, 2.0]),
        "baseline_scores": None,
        "completeness_gap": None,
        "error": np.zeros(2),
        "converged": np.ones(2, bool),
        "evaluations": np.ones(2, int),
        "targets": None,
        "method": "Saliency()",
        "seed": None,
        "backend": "none",
    }
    return polyattr.Attribution(**fields | changes)


def refused(path):
    with pytest.raises(polyattr.InputError, match="is not an attribution saved by") as caught:
        polyattr.load(path)
    assert isinstance(caught.value, ValueError)
    assert path.name in str(caught.value)
    assert RAN == []
    del caught
    gc.collect()  # a file left open would be a ResourceWarning here, and so an error


def test_a_round_trip_needs_no_framework(tmp_path):
    result = attribution(targets=np.array([4, 5]), seed=2**40)
    result.save(tmp_path / "a.npz")
    loaded = polyattr.load(tmp_path / "a.npz")
    assert (loaded.values == result.values).all()
    assert loaded.targets.tolist() == [4, 5]
    assert loaded.seed == 2**40
    assert loaded.baseline_scores is None
    assert np.asarray(loaded).shape == (2, 3)
    assert "2 samples by Saliency()" in repr(loaded)


def test_nested_containers(tmp_path):
    values = {"a": (np.ones((2, 1)), [np.zeros((2, 2))]), "b": np.full((2, 3), 2.0)}
    attribution(values=values).save(tmp_path / "a.npz")
    loaded = polyattr.load(tmp_path / "a.npz").values
    assert list(loaded) == ["a", "b"]
    assert type(loaded["a"]) is tuple
    assert type(loaded["a"][1]) is list
    assert (loaded["a"][1][0] == 0).all()
    assert (loaded["b"] == 2).all()


def test_standard_errors_are_kept_in_their_containers(tmp_path):
    values = {"a": (np.ones((2, 1)), None), "b": np.full((2, 3), 2.0, np.float32)}
    errors = {"a": (np.full((2, 1), 0.5), None), "b": np.arange(6, dtype=np.float32).reshape(2, 3)}
    attribution(values=values, standard_error=errors).save(tmp_path / "a.npz")
    loaded = polyattr.load(tmp_path / "a.npz").standard_error
    assert type(loaded["a"]) is tuple
    assert loaded["a"][0].tolist() == [[0.5], [0.5]]
    assert loaded["a"][1] is None
    assert loaded["b"].dtype == np.float32
    assert (loaded["b"] == errors["b"]).all()


def test_a_method_without_standard_errors(tmp_path):
    attribution().save(tmp_path / "a.npz")
    assert polyattr.load(tmp_path / "a.npz").standard_error is None


def test_base_values_are_the_scores_of_the_baseline():
    assert attribution().base_values is None
    assert attribution(baseline_scores=np.array([0.5, 1.0])).base_values.tolist() == [0.5, 1.0]


def test_pickled_objects(tmp_path):
    path = tmp_path / "trap.npz"
    np.savez(path, meta=np.array([Trap()], dtype=object), values_0=np.ones(3))
    refused(path)
    good = tmp_path / "good.npz"
    attribution().save(good)
    with np.load(good) as file:
        parts = dict(file)
    np.savez(path, **parts | {"scores": np.array([Trap(), Trap()], dtype=object)})
    refused(path)
    raw = tmp_path / "raw.npz"
    raw.write_bytes(pickle.dumps(Trap()))
    refused(raw)


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"PK\x03\x04 but then no archive", b"\x93NUMPY\x01\x00nothing"]
)
def test_garbage(tmp_path, content):
    path = tmp_path / "garbage.npz"
    path.write_bytes(content)
    refused(path)


def test_a_truncated_file(tmp_path):
    path = tmp_path / "short.npz"
    attribution().save(path)
    path.write_bytes(path.read_bytes()[:-40])
    refused(path)


def test_other_arrays(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, weights=np.ones(3))
    refused(path)
    np.savez(path, meta=np.array("not json"))
    refused(path)
    np.savez(path, meta=np.array(json.dumps([1, 2])))
    refused(path)
    np.savez(path, meta=np.array(json.dumps({"format": 1, "layout": "values_0"})))
    refused(path)
    single = tmp_path / "single.npy"
    np.save(single, np.ones(3))
    refused(single)


def test_a_later_format(tmp_path):
    path = tmp_path / "later.npz"
    np.savez(path, meta=np.array(json.dumps({"format": 99})))
    with pytest.raises(polyattr.InputError, match="format 99; this polyattr reads 1"):
        polyattr.load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        polyattr.load(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("name", ["table.csv", "model.pt", "map.npy", "map", "map.npz"])
def test_a_file_of_another_kind_is_not_to_be_loaded_unsafely(tmp_path, name):
    """NumPy takes it for a pickle, and says by which argument such a one is run."""
    path = tmp_path / name
    path.write_text("age,dose\n31,0.5\n")
    with pytest.raises(polyattr.InputError, match=r"no \.npz archive, nor called") as told:
        polyattr.load(path)
    assert "pickle" not in str(told.value)
    assert "what result.save(path) wrote" in str(told.value)
