"""The last reference to an explainer frees it and its model, without the cyclic collector."""

import gc
import weakref

import numpy as np
import pytest
from guided import Guided
from labs.numpy_network import random_network

import polyattr

X = np.random.default_rng(1061).standard_normal((3, 4))
BACKGROUND = np.random.default_rng(1062).standard_normal((5, 4))
NETWORK = random_network(1063, 4, 5, 3, activation="tanh")

METHODS = {
    "product": polyattr.GradientInput,
    "steps": lambda model, **more: polyattr.IntegratedGradients(model, steps=4, **more),
    "auto": lambda model, **more: polyattr.IntegratedGradients(model, steps="auto", **more),
    "background": lambda model, **more: polyattr.ExpectedGradients(
        model, background=BACKGROUND, nb_samples=4, **more
    ),
    "guided": lambda model, **more: Guided(model, moves=3, **more),
    "smoothed": lambda model, **more: polyattr.VarGrad(
        of=polyattr.IntegratedGradients(model, steps=4, **more), nb_samples=4
    ),
}


@pytest.fixture
def no_collector():
    """Leaves it to reference counts alone to free what nobody uses."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Plain:
    """A callable with an array of its own, which no framework knows."""

    def __init__(self, lab):
        self.matmul, self.weight = lab.ops.matmul, lab.tensor(NETWORK.layers[0][0])

    def __call__(self, x):
        return self.matmul(x * x, self.weight)


def a_function(lab):
    body = lab.mlp(NETWORK)

    def model(x):
        return body(x)

    return model


KINDS = {"function": a_function, "callable": Plain}


def use(method, lab, call):
    x = lab.tensor(X)
    if call == "function":
        return method.function(x, 1)(x)
    return getattr(method, call)(x, 1) if call else None


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", METHODS)
def test_functions_and_callables(lab, no_collector, name, kind):
    for call in ("", "explain", "attribute", "function"):
        if (name, call) == ("auto", "function"):
            continue  # it has no function
        model = KINDS[kind](lab)
        method = METHODS[name](model, backend=lab.name)
        kept = [weakref.ref(model), weakref.ref(method)]
        use(method, lab, call)
        del model, method
        assert [reference() for reference in kept] == [None, None], call


@pytest.mark.parametrize("call", ["explain", "attribute", "function"])
def test_the_method_inside_is_freed_with_the_one_around_it(lab, no_collector, call):
    model = a_function(lab)
    inner = polyattr.IntegratedGradients(model, backend=lab.name, steps=4)
    method = polyattr.SmoothGrad(of=inner, nb_samples=2)
    kept = [weakref.ref(held) for held in (model, inner, method)]
    use(method, lab, call)
    del model, inner
    assert all(reference() is not None for reference in kept)
    del method
    assert [reference() for reference in kept] == [None] * 3


# So few points leave the map off, which `explain` says.
# What is explained are probabilities, on purpose.
@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
@pytest.mark.parametrize("call", ["", "explain", "attribute", "function"])
def test_modules(lab, no_collector, call):
    """The framework's own kind of model; what of it is a cycle by itself is not ours to free."""

    def freed(use_it):
        model = lab.network(NETWORK)
        kept = [weakref.ref(model)]
        if use_it:
            method = polyattr.IntegratedGradients(model, steps=4)
            kept.append(weakref.ref(method))
            use(method, lab, call)
            del method
        del model
        return [reference() is None for reference in kept]

    alone = freed(use_it=False)
    assert freed(use_it=True) == [*alone, True]


# What is explained are probabilities, on purpose.
@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")
@pytest.mark.parametrize("layers", [{"output_layer": "logits"}, {"input_layer": "dense0"}])
def test_explainers_at_layers(lab, no_collector, layers):
    method = polyattr.IntegratedGradients(lab.network(NETWORK), steps=4, **layers)
    kept = weakref.ref(method)
    use(method, lab, "attribute")
    del method
    assert kept() is None


def test_what_was_found_keeps_neither(lab, no_collector):
    model = a_function(lab)
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=4)
    kept = [weakref.ref(model), weakref.ref(method)]
    result = method.attribute(lab.tensor(X), 1)
    del model, method
    assert [reference() for reference in kept] == [None, None]
    assert result.scores.shape == (3,)


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_the_function_outlives_its_explainer(lab, no_collector):
    method = polyattr.IntegratedGradients(a_function(lab), backend=lab.name, steps=4)
    kept, x = weakref.ref(method), lab.tensor(X)
    expected = lab.numpy(method.explain(x, 1))
    phi = method.function(x, 1)
    del method
    assert kept() is None
    assert np.abs(lab.numpy(phi(x)) - expected).max() <= 1e-6


def test_an_error_keeps_them_no_longer_than_itself(lab, no_collector):
    model = lab.function(lambda ops, x: ops.sum(ops.sqrt(x - x)))
    method = polyattr.GradientInput(model, backend=lab.name)
    kept = weakref.ref(method)
    with pytest.raises(polyattr.NonFiniteGradientError) as caught:
        method.explain(lab.tensor(X))
    del method, model
    caught.value.__traceback__ = None
    del caught
    assert kept() is None
