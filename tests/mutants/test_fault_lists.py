"""The faults `run.py` plants are still faults: each names one place of the code as it is."""

from pathlib import Path

import backend_faults
import core_faults
import pytest

ROOT = Path(__file__).parents[2]
LISTS = {"core": core_faults.FAULTS, **backend_faults.FAULTS}
ALL = [
    pytest.param(*fault, id=f"{name}: {fault[0]}")
    for name, list_ in LISTS.items()
    for fault in list_
]


@pytest.mark.parametrize(("what", "file", "right", "wrong"), ALL)
def test_a_fault_changes_one_place(what, file, right, wrong):
    path = ROOT / file if file.startswith("polyattr/") else ROOT / "backends" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(right) == 1
    changed = text.replace(right, wrong)
    assert changed != text
    compile(changed, file, "exec")  # a line that is no Python would be killed by anything


@pytest.mark.parametrize("name", backend_faults.FAULTS)
def test_there_are_enough(name):
    names = [fault[0] for fault in [*core_faults.FAULTS, *backend_faults.FAULTS[name]]]
    assert len(set(names)) == len(names)
    assert len(names) >= 25
    own = [fault for fault in backend_faults.FAULTS[name] if not fault[1].startswith("polyattr/")]
    assert len(own) >= 6
