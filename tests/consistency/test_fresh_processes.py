"""Each framework in a process of its own, as it would run: what the docs' table is made of."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "consistency_table.py"
# Float32: ten roundings, on networks none of whose inputs sits on a ReLU's kink. Float64: the same
# networks leave nothing but rounding.
MOST = {"float32": 1e-5, "float64": 1e-13}


@pytest.fixture(scope="module")
def table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("consistency_table", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_saved_attributions_agree(table: ModuleType, tmp_path: Path) -> None:
    found = table.measure(tmp_path)
    assert len(found) == 2 * len(table.NETWORKS) * len(table.METHODS) * 3
    too_far = {key: value for key, value in found.items() if not value <= MOST[key[0]]}
    assert not too_far


def test_the_page_has_a_row_for_every_method(table: ModuleType) -> None:
    text = table.PAGE.read_text(encoding="utf-8")
    for method in table.METHODS:
        assert text.count(f"| `{method}` |") == 4
