"""What pip installs says that it is typed, and brings the demo's weights."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BACKENDS = ("keras", "model_files", "torch", "tensorflow", "jax")
PACKAGES = ("polyattr", *(f"polyattr_{name}" for name in BACKENDS))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all files in a wheel that pip builds from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("polyattr-*.whl")
    with zipfile.ZipFile(wheel) as file:
        return set(file.namelist())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_it_is_typed(shipped: set[str], package: str) -> None:
    assert f"{package}/py.typed" in shipped


def test_every_source_file_is_shipped_and_nothing_else(shipped: set[str]) -> None:
    sources = {f"{path.relative_to(ROOT)}" for path in (ROOT / "polyattr").rglob("*.py")}
    backends = ROOT / "backends"
    sources |= {f"{path.relative_to(backends)}" for path in backends.rglob("*.py")}
    assert sources == {name for name in shipped if name.endswith(".py")}
    tops = {name.split("/")[0] for name in shipped}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert "polyattr/demo/weights.npz" in shipped
