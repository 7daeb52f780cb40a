"""What a call does when there is no memory left."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import polyattr

X = np.array([[0.5, -1.0], [1.5, 2.0], [-0.25, 1.0], [3.0, 0.75], [-2.0, 1.25]], np.float32)


def test_the_allocators_own_error_halves_the_tile():
    sizes = []

    def model(x):
        sizes.append(x.shape[0])
        if x.shape[0] > 4:
            with jax.ensure_compile_time_eval():
                jnp.zeros(2**47)  # half a petabyte, which no address space has
        return (x**3).sum(axis=1)

    path = polyattr.IntegratedGradients(model, backend="jax", steps=3, rule="simpson", batch_size=9)
    # Simpson's rule integrates the derivative 3 t^2 exactly.
    np.testing.assert_allclose(path.explain(X), X**3, rtol=1e-5)
    assert max(sizes) > 4
    sizes.clear()
    np.testing.assert_allclose(path.explain(X[:3]), X[:3] ** 3, rtol=1e-5)
    assert max(sizes, default=0) <= 4  # the next call remembers


def test_another_status_is_the_users():
    sizes = []

    def model(x):
        sizes.append(x.shape[0])
        if x.shape[0] > 2:
            raise jax.errors.JaxRuntimeError("INVALID_ARGUMENT: shapes do not match")
        return (x**3).sum(axis=1)

    with pytest.raises(jax.errors.JaxRuntimeError, match="INVALID_ARGUMENT"):
        polyattr.Saliency(model, backend="jax", batch_size=5).explain(X)
    assert set(sizes) == {2, 5}
