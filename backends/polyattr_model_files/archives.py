"""Looks into files by their first bytes and, of archives, by the names in them; runs nothing."""

from __future__ import annotations

import zipfile
from pathlib import Path

HDF5 = b"\x89HDF\r\n\x1a\n"
_MOST = 1 << 24
"""Bytes of one entry that are looked at: what describes a model is far shorter."""


def names_in(path: Path) -> list[str]:
    """Lists what is in a zip archive; nothing for what is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError):
        return []


def read_entry(path: Path, name: str) -> bytes:
    """Returns an entry of a zip archive, empty where it is not there, broken or very long."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as entry:
            content = entry.read(_MOST + 1)
    except Exception:  # an archive can be broken in ways of zipfile, zlib and struct
        return b""
    return content if len(content) <= _MOST else b""


def starts_with(path: Path, *heads: bytes) -> bool:
    """Says whether a file begins with one of some bytes."""
    try:
        with path.open("rb") as handle:
            return handle.read(16).startswith(heads)
    except OSError:  # a folder, or nothing there
        return False
