"""Draws the gallery of the docs: ``python benchmarks/draw_gallery.py docs/gallery``.

Further arguments name pictures; ``--eyes FOLDER`` writes them as well in grey, and as they look to
those who do not tell red from green. `nox -s gallery` installs what this needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

from gallery.eyes import write_seen, write_small
from gallery.pictures import PICTURES

LARGEST = 150_000


def main() -> None:
    """Draws what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(PICTURES), help=", ".join(PICTURES))
    parser.add_argument("--eyes", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.names:
        started, path = perf_counter(), given.folder / f"{name}.png"
        size = write_small(PICTURES[name](), path)
        print(f"{path}: {size / 1000:.0f} kB, {perf_counter() - started:.0f} s")
        if size > LARGEST:
            raise SystemExit(f"{path} has {size} bytes; expected at most {LARGEST}")
        if given.eyes is not None:
            write_seen(path, given.eyes)


if __name__ == "__main__":
    main()
