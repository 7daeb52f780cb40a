"""Installs the toy plugin, and runs code beside it in a fresh interpreter."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def plugin_folder(tmp_path_factory):
    """A folder into which pip has built and installed the plugin's own distribution."""
    project = tmp_path_factory.mktemp("project") / "polyattr-toy"
    shutil.copytree(HERE / "project", project)
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--target", str(target), str(project)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (target / "polyattr_toy-0.3.dist-info" / "entry_points.txt").exists()
    return target


@pytest.fixture
def run_beside(plugin_folder):
    """Runs code where plugin and toy frameworks can be imported; returns what it printed."""

    def run(code):
        path = os.pathsep.join([str(plugin_folder), str(HERE / "frameworks")])
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def toy(monkeypatch):
    """The toy framework, imported here."""
    import importlib

    monkeypatch.syspath_prepend(HERE / "frameworks")
    monkeypatch.syspath_prepend(HERE / "project")
    module = importlib.import_module("toy")
    yield module
    for name in ("toy", "polyattr_toy"):
        sys.modules.pop(name, None)


@pytest.fixture
def toy_backend(toy):
    """An instance of the plugin's backend, registered nowhere."""
    import importlib

    return importlib.import_module("polyattr_toy").ToyBackend()
