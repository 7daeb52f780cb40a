"""Writes what is generated of the checked-in pages: ``python tools/write_pages.py``."""

from __future__ import annotations

from docsite import llms


def main() -> None:
    """Brings llms.txt up to date."""
    llms.FILE.write_text(llms.in_repository(), encoding="utf-8")


if __name__ == "__main__":
    main()
