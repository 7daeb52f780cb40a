"""Writes what is generated of the checked-in pages: ``python tools/write_pages.py``."""

from __future__ import annotations

from docsite import llms, method_pages
from docsite.reference import page_name


def main() -> None:
    """Brings the pages of methods, their overview and llms.txt up to date."""
    for kind in method_pages.method_classes():
        path = method_pages.FOLDER / page_name(kind)
        text = path.read_text(encoding="utf-8")
        path.write_text(method_pages.with_generated(text, kind), encoding="utf-8")
    method_pages.GLANCE.write_text(method_pages.glance(), encoding="utf-8")
    llms.FILE.write_text(llms.in_repository(), encoding="utf-8")


if __name__ == "__main__":
    main()
