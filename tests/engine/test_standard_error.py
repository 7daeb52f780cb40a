"""The standard error of each value goes wherever the value goes."""

from dataclasses import replace

import numpy as np
import pytest

import polyattr
from polyattr.backend.registry import get_backend
from polyattr.results.joining import join

X = np.random.default_rng(821).standard_normal((4, 3))


def pair(ops, left, right):
    return ops.sum(left * right)


@pytest.fixture
def result(lab):
    method = polyattr.GradientInput(lab.function(pair), backend=lab.name)
    found = method.attribute((lab.tensor(X), lab.tensor(2 * X)))
    return replace(found, standard_error=(lab.tensor(X * X), lab.tensor(abs(X))))


def test_to_the_host_and_to_a_file(lab, result, tmp_path):
    host = result.to_numpy()
    result.save(tmp_path / "map.npz")
    loaded = polyattr.load(tmp_path / "map.npz")
    for kept in (host.standard_error, loaded.standard_error):
        assert type(kept) is tuple
        for array, tensor in zip(kept, result.standard_error, strict=True):
            assert type(array) is np.ndarray
            assert (array == lab.numpy(tensor)).all()


def test_half_precision_to_a_file(lab, tmp_path):
    method = polyattr.Saliency(lab.function(lambda ops, x: ops.sum(x)), backend=lab.name)
    x = lab.tensor(X, "bfloat16")
    replace(method.attribute(x), standard_error=x).save(tmp_path / "map.npz")
    loaded = polyattr.load(tmp_path / "map.npz").standard_error
    assert loaded.dtype == np.float32
    assert (loaded == lab.numpy(x)).all()


def test_batches_are_joined(lab, result):
    backend = get_backend(lab.name)
    joined = join([(backend, result), (backend, result)])
    for whole, part in zip(joined.standard_error, result.standard_error, strict=True):
        assert lab.is_native(whole)
        assert (lab.numpy(whole) == np.concatenate([lab.numpy(part)] * 2)).all()
    assert joined.values[0].shape == joined.standard_error[0].shape
    without = replace(result, standard_error=None)
    assert join([(backend, without), (backend, without)]).standard_error is None


@pytest.mark.parametrize("later", ["none", "other containers"])
def test_batches_that_cannot_be_joined(lab, result, later):
    backend = get_backend(lab.name)
    errors = None if later == "none" else list(result.standard_error)
    other = replace(result, standard_error=errors)
    with pytest.raises(polyattr.InputError, match=r"standard_error.*in batch 2 of the dataset"):
        join([(backend, result), (backend, other)])
