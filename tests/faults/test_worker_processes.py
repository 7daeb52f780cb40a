"""Explainers in other processes: sent to spawned workers, and found again in forked ones."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from labs.closeness import assert_close
from worker_models import Dense, attribute, native_model

import polyattr

HERE = Path(__file__).parent
X = np.random.default_rng(5).standard_normal((6, 3)).astype(np.float32)
SETTINGS = {
    "IntegratedGradients": {"steps": 7, "baseline_value": 0.25, "batch_size": 12},
    "SmoothGrad": {"nb_samples": 6, "noise_source": "native", "seed": 4},
    "VarGrad": {"nb_samples": 6, "batch_size": None},
}


def made(lab):
    """Methods on the framework's own kind of model, and one on a plain picklable callable."""
    model = native_model(lab)
    native = [getattr(polyattr, name)(model, **own) for name, own in SETTINGS.items()]
    return [*native, polyattr.GradientInput(Dense(lab.name), backend=lab.name)]


# Keras 3 pickles its weights with np.array(variable), which NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")
def test_a_spawned_worker_gives_the_parents_answer(lab):
    # One worker for all: what it costs is importing the framework.
    methods = made(lab)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        sent = [pool.submit(attribute, method, lab.tensor(X), [1] * 6) for method in methods]
        found = [future.result(timeout=300) for future in sent]
    for method, result in zip(methods, found, strict=True):
        expected = method.attribute(lab.tensor(X), [1] * 6)
        assert lab.is_native(result.values)
        assert repr(result) == repr(expected)
        assert result.method == expected.method == repr(method)
        assert (result.targets == 1).all()
        # The same kernels on the same rows; an idle machine may still split a sum otherwise.
        assert_close(lab.numpy(result.values), lab.numpy(expected.values), 1e-6)
        assert_close(result.scores, expected.scores, 1e-6)


def made_here(lab):
    """A local function: a worker could not find it by name."""

    def local_model(x):
        return lab.ops.sum(x)

    return local_model


@pytest.mark.parametrize("part", ["model", "operator"])
def test_what_cannot_be_pickled_is_named(lab, part):
    """Pickle's own message names the function; the explainer it is part of adds nothing odd."""
    local = made_here(lab)
    arguments = {"model": (local, None), "operator": (Dense(lab.name), lambda m, x, t: m(x)[:, 0])}
    model, operator = arguments[part]
    method = polyattr.Saliency(model, backend=lab.name, operator=operator)
    named = {"model": r"made_here\.<locals>\.local_model", "operator": r"<locals>\.<lambda>"}[part]
    with pytest.raises((AttributeError, pickle.PicklingError), match=f"[Cc]an't .*{named}"):
        pickle.dumps(method)
    if part == "model":
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            future = pool.submit(attribute, method, X, None)
            with pytest.raises((AttributeError, pickle.PicklingError), match=named):
                future.result(timeout=300)
    assert lab.numpy(method.explain(lab.tensor(X))).shape == X.shape  # here it works as before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forks_around_a_frameworks_first_use(backend_name):
    in_an_interpreter_of_its_own("forked_around_a_framework.py", backend_name)


def test_threads_that_make_the_first_explainers(backend_name):
    in_an_interpreter_of_its_own("threads_that_come_first.py", backend_name)


def in_an_interpreter_of_its_own(script, backend_name):
    found = [str(HERE.parent), str(HERE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, found))}
    done = subprocess.run(
        [sys.executable, str(HERE / script), backend_name],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
