"""The .keras file: loaded in safe mode, and what safe mode is for asks to be trusted."""

import json
import os
import zipfile

import numpy as np
import pytest
from users import BIAS, WEIGHTS, check_linear, write_picture, write_table

import polyattr

keras = pytest.importorskip("keras")
BACKEND = os.environ["KERAS_BACKEND"]
OPTIONS = ("--id-column", "id", "--target", "0", "--json")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Keras uses


@pytest.fixture
def table(folder):
    return write_table(folder)


def test_keras_runs_where_it_was_asked_to():
    assert keras.config.backend() == BACKEND


def keras_linear(*before):
    layers = [keras.Input((3,)), *before, keras.layers.Dense(2, name="logits")]
    model = keras.Sequential(layers)
    model.layers[-1].set_weights([WEIGHTS, BIAS])
    return model


def test_a_keras_file_needs_no_trust(run, table):
    keras_linear().save("model.keras")
    told = run("explain", "model.keras", table, *OPTIONS).json
    check_linear(told)
    assert told["backend"] == BACKEND
    assert told["model"]["kind"] == "a .keras file"


def test_a_keras_file_of_an_older_keras_is_trusted_first(run, table, monkeypatch):
    keras_linear().save("model.keras")
    monkeypatch.setattr("importlib.metadata.version", lambda _: "3.12.0")
    asked = ("explain", "model.keras", table, *OPTIONS)
    run(*asked).refused(4, "the safe mode of Keras 3.12.0 has known holes", "--trust")


def test_a_lambda_layer_is_code(run, folder, table):
    keras_linear(keras.layers.Lambda(lambda x: 2 * x, name="twice")).save("model.keras")
    asked = ("explain", "model.keras", table, *OPTIONS)
    run(*asked).refused(4, "has a Lambda layer, which holds Python code", "--trust")
    check_linear(run(*asked, "--trust").json, factor=2)


def test_a_lambda_layer_that_is_hidden_is_refused_by_keras(run, folder, table):
    keras_linear(keras.layers.Lambda(lambda x: 2 * x)).save("model.keras")
    with zipfile.ZipFile("model.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    # The same text in JSON, which a search for the name does not find.
    parts["config.json"] = parts["config.json"].replace(b"ambda", b"\\u0061mbda")
    with zipfile.ZipFile("hidden.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert json.loads(parts["config.json"])
    done = run("explain", "hidden.keras", table, *OPTIONS)
    done.refused(4, "a .keras file")
    assert "safe" in done.err


def test_keras_on_another_framework_than_asked_for(run, table):
    other = {"jax": "torch", "torch": "jax", "tensorflow": "jax"}[BACKEND]
    keras_linear().save("model.keras")
    done = run("explain", "model.keras", table, *OPTIONS, "--backend", other)
    assert done.code in (1, 4)  # not installed, or Keras runs on the other one here
    assert done.err.count("\n") == 1


def test_a_saved_model_of_keras(run, table):
    if BACKEND != "tensorflow":
        return  # the export of this framework is the same file, and takes TensorFlow beside it
    keras_linear().export("saved", verbose=False)
    asked = ("explain", "saved", table, *OPTIONS)
    run(*asked).refused(4, "a SavedModel", "--trust")
    check_linear(run(*asked, "--trust").json)


@pytest.mark.parametrize("last", [True, False])
def test_pictures_in_the_size_the_model_says(run, folder, last):
    shape = (4, 6, 3) if last else (3, 4, 6)
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1)])
    weights = np.random.default_rng(0).standard_normal((72, 1))
    model.layers[-1].set_weights([weights, np.zeros(1)])
    model.save("model.keras")
    pixels = write_picture(folder / "a.png", size=(6, 4)) / 255
    told = run(
        "explain", "model.keras", "a.png", "--scale", "unit", "--json", "--out", "a.npz"
    ).json
    seen = pixels if last else pixels.transpose(2, 0, 1)
    assert told["samples"][0]["score"] == pytest.approx((seen.ravel() @ weights).item(), rel=1e-4)
    assert told["samples"][0]["name"] == "a.png"
    values = polyattr.load(folder / "a.npz").values
    np.testing.assert_allclose(values[0], seen * weights.reshape(shape), rtol=1e-4, atol=1e-6)
    run("explain", "model.keras", "a.png").refused(2, "--scale unit (0 to 1)")
