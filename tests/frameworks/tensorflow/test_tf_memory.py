"""What a call does when there is no memory left."""

import numpy as np
import pytest
import tensorflow as tf

import polyattr

X = np.array([[0.5, -1.0], [1.5, 2.0], [-0.25, 1.0], [3.0, 0.75], [-2.0, 1.25]], np.float32)


def test_the_allocators_own_error_halves_the_tile():
    sizes = []

    def model(x):
        sizes.append(x.shape[0])
        scores = tf.reduce_sum(x**3, axis=1)
        if x.shape[0] > 4:  # half a petabyte, which no address space has
            scores += tf.sort(tf.random.stateless_normal((2**24, 2**23), (1, 2)))[0, 0]
        return scores

    path = polyattr.IntegratedGradients(
        model, backend="tensorflow", steps=3, rule="simpson", batch_size=9
    )
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
            raise tf.errors.InvalidArgumentError(None, None, "matrix size-incompatible")
        return tf.reduce_sum(x**3, axis=1)

    with pytest.raises(tf.errors.InvalidArgumentError, match="size-incompatible"):
        polyattr.Saliency(model, backend="tensorflow", batch_size=5).explain(X)
    assert set(sizes) == {2, 5}
