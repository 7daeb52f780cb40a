"""One trained network in five builds: each in a process of its own, all with the same maps."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from efficientnet_maps import SETTINGS
from efficientnet_weights import trained_weights
from photos import photos

import polyattr

SCRIPT = Path(__file__).with_name("efficientnet_maps.py")
BUILDS = ("torch", "jax", "keras-torch", "keras-tensorflow", "keras-jax")
PHOTOS = 2
# Relative L2 distance of two maps of one photo. In float64 only rounding is left. In float32
# rounding moves activations across the kinks of 35 layers of ReLU6, where the gradient jumps.
MOST = {"float32": 5e-2, "float64": 1e-12}
# The same for the 1000 logits, which have no jumps: ten roundings.
MOST_LOGITS = {"float32": 1e-5, "float64": 1e-13}


@pytest.fixture(scope="module", params=list(MOST))
def dtype(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(dtype: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all builds have left their answers to the same question."""
    folder = tmp_path_factory.mktemp(dtype)
    images, targets = photos()
    np.savez(folder / "photos.npz", images=images[:PHOTOS], targets=targets[:PHOTOS])
    np.savez(folder / "weights.npz", **trained_weights())
    for build in BUILDS:
        started = time.monotonic()
        run_alone(build, dtype, folder)
        print(f"\n{build} in {dtype} took {time.monotonic() - started:.0f} s")  # noqa: T201
    return folder


def run_alone(build: str, dtype: str, folder: Path) -> None:
    """Explains with one build in a fresh process that is told its framework and precision."""
    environment = os.environ | {"JAX_ENABLE_X64": str(int(dtype == "float64"))}
    if build.startswith("keras-"):
        environment["KERAS_BACKEND"] = build.removeprefix("keras-")
    command = [sys.executable, str(SCRIPT), build, dtype, str(folder)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def saved_maps(folder: Path, build: str, dtype: str, method: str) -> np.ndarray:
    """Loads the maps of one build, with the channels first."""
    values = polyattr.load(folder / f"{build}-{dtype}-{method}.npz").values
    assert values.dtype == dtype
    return values.transpose(0, 3, 1, 2) if build.startswith("keras-") else values


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Returns |one - other| / |other| of the photo where it is largest."""
    assert one.shape == other.shape
    one, other = (maps.reshape(len(maps), -1).astype(np.float64) for maps in (one, other))
    return float((np.linalg.norm(one - other, axis=1) / np.linalg.norm(other, axis=1)).max())


@pytest.mark.parametrize("method", SETTINGS)
def test_maps_agree(folder: Path, dtype: str, method: str) -> None:
    maps = {build: saved_maps(folder, build, dtype, method) for build in BUILDS}
    assert all(value.shape == (PHOTOS, 3, 224, 224) for value in maps.values())
    found = {
        (one, other): distance(maps[other], maps[one])
        for one, other in itertools.combinations(BUILDS, 2)
    }
    for pair, value in found.items():
        print(f"\n{dtype} {method} {' / '.join(pair)}: {value:.1e}", end="")  # noqa: T201
    assert all(value <= MOST[dtype] for value in found.values()), found


@pytest.mark.parametrize("method", SETTINGS)
def test_maps_are_those_of_the_equations(folder: Path, dtype: str, method: str) -> None:
    with np.load(folder / f"by-hand-{dtype}.npz") as file:
        expected = file[method]
    assert distance(saved_maps(folder, "torch", dtype, method), expected) <= MOST[dtype]


def test_logits_and_scores_agree(folder: Path, dtype: str) -> None:
    targets = photos()[1][:PHOTOS]
    logits = {build: np.load(folder / f"{build}-{dtype}-logits.npy") for build in BUILDS}
    np.testing.assert_array_equal(logits["torch"].argmax(1), targets)
    for build, value in logits.items():
        assert value.dtype == dtype
        assert distance(value, logits["torch"]) <= MOST_LOGITS[dtype], build
        for method in SETTINGS:
            saved = polyattr.load(folder / f"{build}-{dtype}-{method}.npz")
            np.testing.assert_array_equal(saved.targets, targets)
            expected = value[np.arange(PHOTOS), targets]
            np.testing.assert_allclose(saved.scores, expected, rtol=MOST_LOGITS[dtype])
