"""What the sources say below the values they name: constants and names of types."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import polyattr


@cache
def documented_values(room: str) -> dict[str, str]:
    """The string below each assignment in the modules of a package of polyattr, by name."""
    found: dict[str, str] = {}
    for path in sorted((Path(polyattr.__path__[0]) / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        body = ast.parse(text).body
        for node, after in zip(body, [*body[1:], None], strict=True):
            if not isinstance(node, ast.Assign | ast.AnnAssign):
                continue
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id[0] != "_":
                said = _string(after)
                if said:
                    found.setdefault(target.id, said)
    return found


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""
