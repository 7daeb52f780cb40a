"""Kinds of arrays that have no row per sample, or no real numbers, in every framework."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import InputTypeError, ModelOutputError

X = np.random.default_rng(7).standard_normal((4, 3)).astype(np.float32)


def _torch():
    import torch

    return {"sparse": (torch.tensor(X).to_sparse(), r"a sparse tensor \(sparse_coo\).*to_dense")}


def _tensorflow():
    import tensorflow as tf

    return {
        "sparse": (tf.sparse.from_dense(X), r"a SparseTensor.*tf.sparse.to_dense\(inputs\)"),
        "ragged": (tf.ragged.constant([[1.0, 2.0], [3.0]]), r"a RaggedTensor.*inputs.to_tensor"),
    }


def _jax():
    from jax.experimental import sparse

    wanted = r"a sparse array \(BCOO\).*inputs.todense"
    return {"sparse": (sparse.BCOO.fromdense(X), wanted)}


KINDS = {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}


def test_sparse_and_ragged_inputs(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = polyattr.GradientInput(model, backend=lab.name)
    for given, message in KINDS[lab.name]().values():
        with pytest.raises(InputTypeError, match=f"^inputs is {message}"):
            method.explain(given)
        with pytest.raises(InputTypeError, match=rf"^inputs\['b'\]\[1\] is {message}"):
            method.attribute({"a": lab.tensor(X), "b": [lab.tensor(X), given]})


def _transform(lab):
    if lab.name == "torch":
        import torch

        return torch.fft.fft, torch.Tensor.real.__get__
    if lab.name == "tensorflow":
        import tensorflow as tf

        return lambda x: tf.signal.fft(tf.complex(x, 0 * x)), tf.math.real
    import jax.numpy as jnp

    return jnp.fft.fft, jnp.real


@pytest.mark.parametrize("target", [1, "sum"])
def test_complex_scores(lab, target):
    transform, real = _transform(lab)

    def total(z):
        return lab.ops.sum(transform(z))

    model = total if target == "sum" else transform
    index = None if target == "sum" else target
    with pytest.raises(ModelOutputError, match=r"the scores are complex64.*output=abs"):
        polyattr.Saliency(model, backend=lab.name).explain(lab.tensor(X), index)
    method = polyattr.GradientInput(transform, backend=lab.name, output=real)
    angles = 2 * np.pi * np.arange(3) / 3  # of the first frequency
    assert_close(lab.numpy(method.explain(lab.tensor(X), 1)), X * np.cos(angles), 1e-5)
    size = polyattr.GradientInput(transform, backend=lab.name, output=abs)
    z = np.fft.fft(X)[:, 1:2]
    slope = (z.real * np.cos(angles) - z.imag * np.sin(angles)) / np.abs(z)
    assert_close(lab.numpy(size.explain(lab.tensor(X), 1)), X * slope, 1e-5)
