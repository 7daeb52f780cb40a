"""The project's own type check reads the types of the libraries its backends call."""

import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = Path(__file__).parents[2] / "pyproject.toml"
# A slip in a backend, by library: the name it gets wrong.
SLIPS = {
    "torch": "torch.nn.Modul",
    "jax": "jax.jitt",
    "flax": "flax.linen.Modul",
    "equinox": "equinox.Modul",
    "haiku": "haiku.transfrom",
    "matplotlib": "matplotlib.rcParam",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What mypy says about one program with all the slips."""
    folder = tmp_path_factory.mktemp("slips")
    imports = "\n".join(f"import {slip.rpartition('.')[0]}" for slip in SLIPS.values())
    program = "\n".join([imports, *SLIPS.values()]) + "\n"
    (folder / "slips.py").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", str(SETTINGS), "slips.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("library", SLIPS)
def test_a_slip_is_found(report, library):
    name = SLIPS[library].rpartition(".")[2]
    assert f'"{name}"' in report
