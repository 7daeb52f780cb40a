"""An explainer explains its model as it is now, not as it was when the explainer was made."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr

X = single(np.random.default_rng(61).standard_normal((4, 3)))
NEW, OLD = random_network(62, 3, 6, 2), random_network(63, 3, 6, 2)


@pytest.mark.parametrize("output_layer", [None, "logits"])
def test_parameters_of_a_module(lab, output_layer):
    model = lab.network(OLD, softmax=output_layer is not None)
    method = polyattr.GradientInput(model, output_layer=output_layer)
    for network in (OLD, NEW, OLD):
        lab.set_weights(model, network)
        expected = X * network.gradient(X, one_hot([1] * 4, 2))
        assert_close(lab.numpy(method.explain(lab.tensor(X), 1)), expected)


class Holder:
    """A model that is an object with a weight."""

    def __init__(self, ops, weight):
        self.ops, self.weight = ops, weight

    def __call__(self, x):
        return self.ops.sum(x * self.weight)


def by_name(ops, weight):
    """A closure over a name that is bound anew."""

    def model(x):
        return ops.sum(x * weight)

    def rebind(new):
        nonlocal weight
        weight = new

    return model, rebind


def by_key(ops, weight):
    """A closure over a dict whose entry is replaced."""
    held = {"layers": [weight]}

    def rebind(new):
        held["layers"][0] = new

    return lambda x: ops.sum(x * held["layers"][0]), rebind


def by_attribute(ops, weight):
    """A callable object whose attribute is replaced."""
    holder = Holder(ops, weight)
    return holder, lambda new: setattr(holder, "weight", new)


def by_inner_function(ops, weight):
    """A function that calls another one, which holds the weight."""
    inner, rebind = by_name(ops, weight)
    return lambda x: inner(x) * 1.0, rebind


@pytest.mark.parametrize("kind", [by_name, by_key, by_attribute, by_inner_function])
def test_weights_a_function_refers_to(lab, kind):
    old, new = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.5, 4.0])
    model, rebind = kind(lab.ops, lab.tensor(old))
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=2)
    assert_close(lab.numpy(method.explain(lab.tensor(X))), X * old, 2e-6)
    rebind(lab.tensor(new))
    assert_close(lab.numpy(method.explain(lab.tensor(X))), X * new, 2e-6)


def test_a_plain_number_a_function_refers_to(lab):
    model, rebind = by_name(lab.ops, 2.0)
    method = polyattr.GradientInput(model, backend=lab.name)
    assert_close(lab.numpy(method.explain(lab.tensor(X))), X * 2.0, 2e-6)
    rebind(-3.0)
    assert_close(lab.numpy(method.explain(lab.tensor(X))), X * -3.0, 2e-6)
