"""Each framework in a process of its own, as it would run: what the docs' table is made of."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from types import ModuleType

# The page has all networks; of each kind those that differ most are enough to see a difference.
NETWORKS = ("demo", "random 1", "dense 0", "dense 3")


def test_saved_attributions_agree(table: ModuleType, tmp_path: Path) -> None:
    found = table.measure(tmp_path, NETWORKS)
    assert len(found) == 2 * len(NETWORKS) * len(table.METHODS) * 3
    assert not {key: far for key, far in found.items() if not table.within(key, far)}


def test_the_page_is_what_the_tool_writes(table: ModuleType) -> None:
    """Figures may differ from one machine to another; all else may not, nor how large they are."""
    text = table.PAGE.read_text(encoding="utf-8")
    figure = re.compile(r"\b\d\.\de[+-]\d\d\b")
    names = itertools.product(table.DTYPES, table.NETWORKS, table.METHODS, table.PAIRS)
    written = table.page({(*name[:3], *name[3]): (0.0, 0.0) for name in names})
    assert figure.sub("", text) == figure.sub("", written)
    assert table.TOLERANCES == {"float32": 1e-5, "float64": 1e-13}
    assert "**The tolerance is 1e-5 in float32 and 1e-13 in float64**, because " in text
    for part in text.split("## ")[1:]:
        for method, cells in re.findall(r"^\| `(\w+)` \| (.*) \|$", part, re.MULTILINE):
            for most, every in re.findall(r"(\S+) \((\S+)\)", cells):
                assert table.within((part[:7], "", method, "", ""), (float(most), float(every)))
        assert max(float(number) for number in figure.findall(part)) > 0
