"""Files that are there whole, or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

from polyattr.errors import InputError

_AN_OLD_ONE = 24 * 3600
"""Seconds after which what another machine left is taken for abandoned."""


def checksum(path: Path) -> tuple[int, int]:
    """Returns the size of a file in bytes, and its CRC-32."""
    size = crc = 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            size, crc = size + len(part), zlib.crc32(part, crc)
    return size, crc


class Stage:
    """Where a process writes files before they are moved to their places on the same disk.

    Args:
        run: The folder beside the data.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        # Files, not a folder of them: to make and remove one takes as long as to write a shard.
        self._name = "~".join(("tmp", socket.gethostname(), str(os.getpid()), token_hex(4)))
        self._given: list[Path] = []

    def path(self, name: str) -> Path:
        """A file of that name, of this process alone."""
        path = self._run / f"{self._name}~{name.replace('/', '-')}"
        self._given.append(path)
        return path

    def clear(self) -> None:
        """Removes what was not moved."""
        for path in self._given:
            path.unlink(missing_ok=True)


@contextmanager
def staging(run: Path) -> Iterator[Stage]:
    """A stage beside the data, empty when its files are moved or writing has failed."""
    run.mkdir(parents=True, exist_ok=True)
    stage = Stage(run)
    try:
        yield stage
    finally:
        stage.clear()


def sweep(run: Path) -> None:
    """Removes what killed processes left half-written."""
    here = socket.gethostname()
    for path in run.glob("tmp~*"):
        _, host, pid, *_ = path.name.split("~")
        if host == here and pid.isdigit() and os.name != "nt":  # there, to ask would be to kill
            abandoned = not _lives(int(pid))
        else:
            abandoned = time.time() - path.stat().st_mtime > _AN_OLD_ONE
        if abandoned:
            path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def move(staged: Path, place: Path) -> None:
    """Moves a finished file to its place, on disk before it is seen there."""
    with staged.open("rb") as file:
        os.fsync(file.fileno())
    place.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(place)


def settle(folder: Path) -> None:
    """Has the names in a folder written to disk."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def seal(content: dict[str, Any]) -> str:
    """JSON that knows when it was changed by hand."""
    held = {"check": _digest(_plain(content)), **content}
    # A line each: with `indent`, Python's own encoder takes ten times as long as that of C.
    lines = (f"{json.dumps(name)}: {_plain(held[name])}" for name in sorted(held))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _plain(content: Any) -> str:
    return json.dumps(content, sort_keys=True)


def unseal(path: Path) -> dict[str, Any] | None:
    """Reads what `seal` made; None where it is damaged, or was changed."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        check = content.pop("check")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return content if check == _digest(_plain(content)) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_text(path: Path, text: str, stage: Stage) -> None:
    """Writes a small file at once."""
    staged = stage.path(path.name)
    staged.write_text(text, "utf-8")
    move(staged, path)


def explained_failure(error: OSError, place: Path, doing: str) -> Exception:
    """Says what a failure to write means; that of a full disk comes back as an OSError, too."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = _free(place)
        return OSError(
            error.errno,
            f"the disk is full: {doing} could not be written ({free}). What is finished stays; "
            f"make room and run the same call again, which goes on from there",
            str(place),
        )
    return InputError(
        f"{doing} could not be written to {place}: {error}. Expected a folder that can be written "
        f"to by every process"
    )


def _free(place: Path) -> str:
    at = place
    while not at.exists() and at != at.parent:
        at = at.parent
    return f"{shutil.disk_usage(at).free:,} bytes are free"
