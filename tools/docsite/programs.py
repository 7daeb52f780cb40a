"""The programs on a page: its blocks of Python, run in order, and what they print."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from docsite.markdown import blocks

FRAMEWORKS = ("torch", "jax", "tensorflow")
# How a page says, to its readers and to the tests, that it takes more than the extras of polyattr.
NEEDS = re.compile(r"^> \*\*Needs\*\*: `(pip install [^`]+)`", re.MULTILINE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass
class Program:
    """Blocks that run one after the other in one process.

    Attributes:
        blocks: Their code.
        printed: What the page says each prints; None where it says nothing.
    """

    blocks: list[str] = field(default_factory=list)
    printed: list[str | None] = field(default_factory=list)

    @property
    def frameworks(self) -> list[str]:
        """The frameworks it imports, the first one first; Keras alone is on TensorFlow."""
        names = [name for code in self.blocks for name in imported(code)]
        found = list(dict.fromkeys(name for name in names if name in FRAMEWORKS))
        return found or ["tensorflow"] * ("keras" in names)


def programs(text: str) -> list[Program]:
    """The programs of a page.

    A block that imports a framework begins one, any other goes on with the one above. A block of
    `text` right below one of Python is what that prints.
    """
    found: list[Program] = []
    before = ""
    for block in blocks(text):
        if block.language == "python":
            if not found or not {*FRAMEWORKS, "keras"}.isdisjoint(imported(block.code)):
                found.append(Program())
            found[-1].blocks.append(block.code)
            found[-1].printed.append(None)
        elif block.language == "text" and before == "python":
            found[-1].printed[-1] = block.code
        before = block.language
    return found


def imported(code: str) -> list[str]:
    """The packages a block imports, outside of its functions or inside, in order."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module.partition(".")[0])
    return found


def differs(printed: str, said: str) -> str:
    """How what was printed differs from what the page says; empty where it does not.

    Words have to be the same, numbers to 2 % and 0.002: their last digits belong to a release and
    a processor. A line of three dots stands for any lines.
    """
    lines, expected = _lines(printed), _lines(said)
    if "..." in expected:
        head = expected.index("...")
        tail = len(expected) - head - 1
        lines = [*lines[:head], "...", *(lines[-tail:] if tail else [])]
    if len(lines) != len(expected):
        return f"prints {len(lines)} lines, the page has {len(expected)}:\n{printed}"
    for found, known in zip(lines, expected, strict=True):
        same = _NUMBER.sub("#", found).split() == _NUMBER.sub("#", known).split()
        pairs = zip(_NUMBER.findall(found), _NUMBER.findall(known), strict=False)
        close = all(abs(float(a) - float(b)) <= 0.002 + 0.02 * abs(float(b)) for a, b in pairs)
        if not (same and close):
            return f"prints {found!r}, the page has {known!r}"
    return ""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def main() -> None:
    """Runs the blocks of a JSON file in one namespace; prints what each printed, as JSON."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    names: dict[str, object] = {"__name__": "__main__"}
    printed = []
    for number, code in enumerate(given):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            # What is executed is the project's own page.
            exec(compile(code, f"block {number + 1}", "exec"), names)
        printed.append(out.getvalue())
    Path(sys.argv[2]).write_text(json.dumps(printed), encoding="utf-8")


if __name__ == "__main__":
    main()
