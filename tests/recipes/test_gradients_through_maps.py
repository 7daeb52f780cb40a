"""A gradient through an attribution: right, or refused or told of in words that name `function`."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

X = np.array([[1.0, 2.0], [0.5, -1.0]])


def cubes(ops, x):
    return ops.sum(x * x * x)


def test_the_function_has_the_right_one_everywhere(lab):
    # x . grad of x^3 is 3 x^3; its derivative 9 x^2.
    with lab.double():
        method = polyattr.GradientInput(lab.function(cubes), backend=lab.name)
        phi = method.function(lab.tensor(X, "float64"))
        _, (slope,) = lab.differentiated(lambda x: lab.ops.total(lab.ops.sum(phi(x))))(X)
    assert_close(slope, 9 * X**2, 1e-12)


def test_explain_is_right_or_says_so_in_words(lab):
    method = polyattr.GradientInput(lab.function(cubes), backend=lab.name)
    if lab.name == "tensorflow":
        import tensorflow as tf

        x = lab.tensor(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(method.explain(x))
        assert_close(tape.gradient(total, x).numpy(), 9 * X**2)
        return
    if lab.name == "jax":
        import jax

        with pytest.raises(polyattr.PolyattrError, match=r"method\.function"):
            jax.grad(lambda x: method.explain(x).sum())(lab.tensor(X))
        return
    x = lab.tensor(X).requires_grad_()
    text = r"attributions are detached.*method\.function\(example, targets\)"
    with pytest.warns(polyattr.QuestionWarning, match=text) as said:
        found = method.explain(x)
    assert len(said) == 1
    assert not found.requires_grad
    method.explain(x * 2.0)  # said once: a second warning would be an error here


def test_who_differentiates_nothing_is_not_told(lab):
    if lab.name == "torch":
        import torch

        x = lab.tensor(X).requires_grad_()
        for calm in (torch.no_grad, torch.inference_mode):
            with calm():
                polyattr.GradientInput(lab.function(cubes), backend="torch").explain(x)
    polyattr.GradientInput(lab.function(cubes), backend=lab.name).explain(lab.tensor(X))
