"""How much memory a file may take."""

from __future__ import annotations

from pathlib import Path

from polyattr.cli.exits import InputFileError
from polyattr.cli.inputs.samples import Reading


def check_size(path: Path, taken: int, reading: Reading) -> None:
    """Checks how much memory a file takes, before it is taken.

    Raises:
        InputFileError: More than the user allows.
    """
    if taken > reading.max_bytes:
        raise InputFileError(
            f"{str(path)!r} claims {taken:,} bytes, more than --max-bytes {reading.max_bytes:,}; "
            f"raise it if the file is yours"
        )
