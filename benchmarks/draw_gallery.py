"""Draws the gallery of the docs: ``python benchmarks/draw_gallery.py docs/gallery``.

Further arguments name pictures; ``--eyes FOLDER`` writes them as well in grey, and as they look to
those who do not tell red from green. `nox -s gallery` installs what this needs. ``--methods`` draws
those of the pages of methods instead, and measures what these state: it takes the demo's digits
alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import perf_counter

from gallery import methods
from gallery.eyes import write_seen, write_small
from gallery.pictures import PICTURES

LARGEST = 150_000


def main() -> None:
    """Draws what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(PICTURES), help=", ".join(PICTURES))
    parser.add_argument("--eyes", type=Path)
    parser.add_argument("--methods", action="store_true", help="the pictures of docs/methods")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    pictures = methods.pictures() if given.methods else PICTURES
    if given.methods:
        given.names = list(pictures)
        figures = json.dumps(methods.measured(), indent=1)
        (given.folder / "measured.json").write_text(f"{figures}\n", encoding="utf-8")
    for name in given.names:
        started, path = perf_counter(), given.folder / f"{name}.png"
        size = write_small(pictures[name](), path)
        print(f"{path}: {size / 1000:.0f} kB, {perf_counter() - started:.0f} s")
        if size > LARGEST:
            raise SystemExit(f"{path} has {size} bytes; expected at most {LARGEST}")
        if given.eyes is not None:
            write_seen(path, given.eyes)


if __name__ == "__main__":
    main()
