"""Draws the pictures of the stories: ``python benchmarks/draw_stories.py docs/stories [NAME ...]``.

Each is what the program on its page saves under the name of the page; `nox -s pages` installs what
the programs need, as their pages say.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from docsite.programs import programs

LARGEST = 150_000


def drawn(page: Path, into: Path) -> int:
    """Runs the programs of a page, and keeps the picture they save; returns its bytes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for program in programs(page.read_text(encoding="utf-8")):
            names: dict[str, object] = {"__name__": "__main__"}
            for code in program.blocks:
                # What is executed is the project's own page.
                exec(compile(code, str(page), "exec"), names)
        picture = Image.open(f"{page.stem}.png").convert("RGB")
    for colours in (None, 256, 128, 64):
        kept = picture if colours is None else picture.quantize(colours, dither=Image.Dither.NONE)
        kept.save(into, optimize=True)
        if into.stat().st_size <= LARGEST:
            break
    return into.stat().st_size


def main() -> None:
    """Draws what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="pages, without .md; all of them unless given")
    given = parser.parse_args()
    folder = given.folder.resolve()
    os.environ.setdefault("MPLBACKEND", "agg")
    pages = sorted(folder.glob("*.md"))
    for page in [p for p in pages if not given.names or p.stem in given.names]:
        size = drawn(page, page.with_suffix(".png"))
        print(f"{page.stem}: {size / 1000:.0f} kB")
        if size > LARGEST:
            raise SystemExit(f"{page.stem}.png has {size} bytes; expected at most {LARGEST}")


if __name__ == "__main__":
    main()
