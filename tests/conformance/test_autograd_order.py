"""A wrong verb is said once, by its own checks: what is made of verbs is not run then."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from polyattr.testing import BackendConformance, VerbConformance

SUITE = """
from autograd_frameworks import Sound
from polyattr.testing import {base}


class Broken(Sound):
    {fault}


class TestBroken({base}):
    backend = Broken()
    lacks = {{"bfloat16": "NumPy has no such type"}}
"""
SUMS = "def row_sums(self, tensor): return tensor.sum(axis=-1)"
# Right in every check of a verb: no verb makes so many rows.
MANY_ROWS = """def row_sums(self, tensor):
        return Sound.row_sums(self, tensor) * (1 if tensor.shape[0] < 25 else 2)"""


def run(folder, base, fault, *arguments):
    """Runs a suite in a pytest of its own; returns what failed, and all it said."""
    file = folder / "test_broken.py"
    file.write_text(SUITE.format(base=base, fault=fault), encoding="utf-8")
    paths = [str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfEs", "--tb=no"]
    done = subprocess.run(
        [*pytest_, "-c", os.devnull, "--rootdir", str(folder), str(file), *arguments],
        env=ours | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "passed" in done.stdout, done.stdout + done.stderr
    return set(re.findall(r"^FAILED \S*::(\w+)", done.stdout, flags=re.MULTILINE)), done.stdout


def test_a_wrong_verb_stops_the_suite_after_the_verbs(tmp_path):
    failed, said = run(tmp_path, "BackendConformance", SUMS)
    assert "test_row_sums" in failed
    assert all(hasattr(VerbConformance, name) for name in failed)
    assert re.search(r"made of verbs, whose own checks failed: .*\btest_row_sums\b", said)
    assert not re.search(r"calls/.*hook", said), "a check after the verbs ran"


def test_what_only_calls_show_is_found_there(tmp_path):
    failed, said = run(tmp_path, "BackendConformance", MANY_ROWS)
    assert "test_cube_on_the_unit_interval" in failed
    assert not any(hasattr(VerbConformance, name) for name in failed)
    assert "made of verbs" not in said


def test_a_check_that_is_asked_for_alone_runs(tmp_path):
    failed, said = run(tmp_path, "BackendConformance", SUMS, "-k", "values_of_several or pick")
    assert failed == {"test_values_of_several_inputs"}
    assert "made of verbs" not in said


def test_the_verbs_alone(tmp_path):
    failed, _ = run(tmp_path, "VerbConformance", SUMS)
    assert "test_row_sums" in failed


@pytest.mark.parametrize("name", ["test_pick", "test_methods_in_float64"])
def test_the_verbs_come_first_in_the_order_pytest_reads_classes(name):
    order = [part for part in reversed(BackendConformance.__mro__) if name in vars(part)]
    places = [list(reversed(BackendConformance.__mro__)).index(part) for part in order]
    of_verbs = list(reversed(BackendConformance.__mro__)).index(VerbConformance)
    assert (max(places) < of_verbs) == hasattr(VerbConformance, name)
