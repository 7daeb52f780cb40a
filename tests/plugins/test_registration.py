"""Backends made known by hand, and who is asked for whose model."""

import sys

import numpy as np
import pytest

import polyattr
from polyattr import InputTypeError, PolyattrError, UnknownBackendError, UnrecognisedModelError
from polyattr.backend.registry import detect, get_backend


@pytest.fixture
def registered(toy_backend):
    polyattr.register(toy_backend)
    yield toy_backend
    if "toy" in polyattr.backends():
        polyattr.unregister("toy")


@pytest.fixture
def model(toy):
    return toy.Model(np.array([[1.0], [2.0]]), np.array([[3.0], [0.0]]))


X = np.array([[1.0, -2.0], [0.5, 4.0]])


def test_a_registered_backend_is_found_by_name_and_by_detection(registered, model):
    assert get_backend("toy") is registered
    assert detect(model) is registered
    result = polyattr.GradientInput(model).attribute(X)
    np.testing.assert_allclose(result.values, X * (2 * X * [1, 2] + [3, 0]))
    assert result.backend == "toy"


def test_it_is_listed_as_registered_by_hand(registered):
    info = polyattr.backends()["toy"]
    assert (info.installed, info.version, info.provider) == (True, "7.1", "registered")
    assert info.devices == ["abacus"]
    assert "registered" in repr(polyattr.backends())
    assert len(polyattr.backends()) == len(list(polyattr.backends()))


def test_a_backend_of_the_same_name_is_replaced(registered, toy_backend):
    replacement = type(toy_backend)()
    assert polyattr.register(replacement) is replacement
    assert get_backend("toy") is replacement


def test_unregistered_it_is_forgotten(toy_backend, model):
    polyattr.register(toy_backend)
    polyattr.unregister("toy")
    assert "toy" not in polyattr.backends()
    assert detect(model) is None
    with pytest.raises(UnknownBackendError, match="unknown backend 'toy'"):
        polyattr.Saliency(model, backend="toy")
    with pytest.raises(UnknownBackendError, match="'toy' is not registered"):
        polyattr.unregister("toy")


def test_an_instance_serves_without_being_registered(toy_backend, model):
    explainer = polyattr.Saliency(model, backend=toy_backend)
    np.testing.assert_allclose(explainer.explain(X), abs(2 * X * [1, 2] + [3, 0]))
    assert "toy" not in polyattr.backends()


class Nameless:
    pass


@pytest.mark.parametrize("what", ["a class", "an object", "a name"])
def test_what_is_no_backend_is_refused(toy_backend, what):
    given = {"a class": type(toy_backend), "an object": Nameless(), "a name": "toy"}[what]
    with pytest.raises(InputTypeError, match=r"expected an instance of polyattr\.GradBackend"):
        polyattr.register(given)


def test_another_version_of_the_interface_is_refused(toy_backend):
    toy_backend.interface = 99
    with pytest.raises(InputTypeError, match="speaks version 99"):
        polyattr.register(toy_backend)
    with pytest.raises(InputTypeError, match="speaks version 99"):
        polyattr.Saliency(lambda x: x, backend=toy_backend)


def test_a_backend_needs_a_name(toy_backend):
    toy_backend.name = None
    with pytest.raises(PolyattrError, match="has no `name`"):
        polyattr.register(toy_backend)


@pytest.mark.parametrize("given", [3, b"jax", ("jax",)])
def test_a_backend_is_a_name_or_an_instance(given):
    with pytest.raises(InputTypeError, match="expected a name, a GradBackend instance or None"):
        polyattr.Saliency(lambda x: x, backend=given)


@pytest.mark.parametrize(
    ("given", "guess"), [("troch", "torch"), ("tensorfow", "tensorflow"), ("jx", "jax")]
)
def test_a_misspelt_backend_is_guessed(given, guess):
    with pytest.raises(UnknownBackendError, match=f"Did you mean '{guess}'"):
        polyattr.Saliency(lambda x: x, backend=given)
    with pytest.raises(UnknownBackendError, match="Known: jax, tensorflow, torch"):
        polyattr.Saliency(lambda x: x, backend="mxnet")


@pytest.fixture
def pair(toy_backend):
    """Two backends that note what they are asked; one owns strings, the other numbers."""
    asked = []

    class Noting(type(toy_backend)):
        def __init__(self, name, kind):
            self.name, self.kind = name, kind

        def claims(self, candidate):
            asked.append((self.name, candidate))
            return isinstance(candidate, self.kind)

    backends = [polyattr.register(Noting(*each)) for each in (("words", str), ("numbers", float))]
    yield backends, asked
    for backend in backends:
        polyattr.unregister(backend.name)


def test_the_model_decides_before_its_inputs(pair):
    (words, numbers), asked = pair
    assert detect("model", [1.5]) is words
    assert ("numbers", 1.5) not in asked
    assert detect(1.5, ["input"]) is numbers
    assert detect(object(), [2, 1.5, "input"]) is numbers
    assert detect(object(), ["input", 1.5]) is words
    assert detect(object(), [b"neither"]) is None
    assert detect(object()) is None


def test_a_model_nobody_knows_is_told_who_was_asked(pair):
    with pytest.raises(UnrecognisedModelError) as caught:
        polyattr.Saliency(lambda x: x).explain(X)
    message = str(caught.value)
    assert "builtins.function or its inputs (ndarray)" in message
    assert "numbers" in message.split("Asked: ")[1]
    assert "words" in message.split("Asked: ")[1]
    assert "Pass backend='name' (known: jax," in message


def test_frameworks_that_are_not_imported_are_not_asked(pair, monkeypatch):
    loaded = []
    monkeypatch.setattr(polyattr.backend.registry, "_load", loaded.append)
    for name in ("torch", "tensorflow", "jax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert detect(object(), [object()]) is None
    assert loaded == []


def test_a_backend_that_states_no_interface_version_is_refused(toy_backend, monkeypatch):
    monkeypatch.delattr(type(toy_backend), "interface")
    with pytest.raises(polyattr.InputTypeError, match="states no interface version"):
        polyattr.register(toy_backend)
