"""The result object: to NumPy, to a file and back, and as text."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

X = np.random.default_rng(121).standard_normal((4, 3))
FACTS = ["scores", "baseline_scores", "completeness_gap", "error", "converged", "evaluations"]


def pair(ops, left, right):
    return ops.sum(left * left * right)


def same_facts(loaded, result):
    for name in FACTS:
        ours, theirs = getattr(loaded, name), getattr(result, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert ours.dtype == theirs.dtype
            assert np.array_equal(ours, theirs)
    for name in ("method", "seed", "backend"):
        assert getattr(loaded, name) == getattr(result, name)


def test_one_array(lab, tmp_path):
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(np.eye(3), x)))
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=3, rule="left")
    result = method.attribute(lab.tensor(X), [0, 1, 2, 0])
    assert lab.is_native(result.values)
    array = np.asarray(result)
    assert_close(array, X * np.eye(3)[[0, 1, 2, 0]], 1e-6)
    assert np.asarray(result, dtype=np.float64).dtype == np.float64
    host = result.to_numpy()
    assert isinstance(host.values, np.ndarray)
    assert (host.values == array).all()
    assert np.abs(host).sum() == np.abs(array).sum()  # NumPy functions take the result itself
    same_facts(host, result)
    assert host.to_numpy() is host

    result.save(tmp_path / "map.npz")
    loaded = polyattr.load(tmp_path / "map.npz")
    assert loaded.values.dtype == np.float32
    assert (loaded.values == array).all()
    assert loaded.targets.tolist() == [0, 1, 2, 0]
    same_facts(loaded, result)
    loaded.save(tmp_path / "again.npz")
    same_facts(polyattr.load(tmp_path / "again.npz"), result)
    with np.load(tmp_path / "map.npz", allow_pickle=False) as plain:
        assert (plain["values_0"] == array).all()


@pytest.mark.parametrize("kind", [tuple, list, dict])
def test_containers(lab, tmp_path, kind):
    arrays = {"left": lab.tensor(X), "right": lab.tensor(X * 2)}
    inputs = arrays if kind is dict else kind(arrays.values())
    method = polyattr.SmoothGrad(lab.function(pair), backend=lab.name, nb_samples=3, seed=5)
    result = method.attribute(inputs)
    result.save(str(tmp_path / "maps"))  # .npz is appended
    loaded = polyattr.load(str(tmp_path / "maps.npz"))
    assert type(loaded.values) is kind
    keys = ["left", "right"] if kind is dict else [0, 1]
    for key in keys:
        assert (loaded.values[key] == lab.numpy(result.values[key])).all()
    same_facts(loaded, result)
    assert loaded.seed == 5
    with pytest.raises(polyattr.InputError, match=r"holds (tuple|list|dict)\(.*choose one input"):
        np.asarray(result)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_dtypes(lab, tmp_path, dtype):
    with lab.double():
        model = lab.function(lambda ops, x: ops.sum(x * x))
        result = polyattr.GradientInput(model, backend=lab.name).attribute(lab.tensor(X, dtype))
        values = lab.numpy(result.values)
        result.save(tmp_path / "map.npz")
    loaded = polyattr.load(tmp_path / "map.npz").values
    assert loaded.dtype == ("float32" if dtype == "bfloat16" else dtype)
    assert (loaded == values).all()


@pytest.mark.parametrize("key", [0, (1, 2), np.int64(3)], ids=["int", "tuple", "numpy"])
def test_a_key_is_restored_or_refused(lab, tmp_path, key):
    model = lab.function(lambda ops, inputs: ops.sum(inputs[key]))
    result = polyattr.Saliency(model, backend=lab.name).attribute({key: lab.tensor(X)})
    try:
        result.save(tmp_path / "map.npz")
    except polyattr.PolyattrError:
        return  # rather than a file nobody can read
    assert list(polyattr.load(tmp_path / "map.npz").values) == [key]


def test_callable_targets_are_kept_by_name(lab, tmp_path):
    def margin(outputs):
        return outputs[:, 0] - outputs[:, 1]

    model = lab.function(lambda ops, x: x * x)
    result = polyattr.Saliency(model, backend=lab.name).attribute(lab.tensor(X), margin)
    result.save(tmp_path / "map.npz")
    assert polyattr.load(tmp_path / "map.npz").targets == "margin"


def test_text(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x * x))
    result = polyattr.IntegratedGradients(
        model, backend=lab.name, rule="left", steps=10, batch_size=16
    ).attribute(lab.tensor(np.ones((2, 1))))
    text = repr(result)
    for part in ("2 samples", "IntegratedGradients(", "steps=10", "rule='left'", lab.name):
        assert part in text
    assert f"largest error {result.error.max():.3g}" in text
    assert "largest gap 0.145" in text
    assert "batch_size=16" in result.method
    noisy = polyattr.VarGrad(model, backend=lab.name, nb_samples=7, noise=0.5, seed=3)
    assert repr(noisy).startswith("VarGrad(nb_samples=7, noise=0.5, seed=3")
