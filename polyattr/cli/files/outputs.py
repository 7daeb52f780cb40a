"""Where results, pictures and reports go."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from polyattr.cli.exits import OutputFileError, WrongUseError
from polyattr.cli.lines import told
from polyattr.errors import MissingExtraError
from polyattr.results.attribution import Attribution

RESULTS = (".npz", ".safetensors")
PICTURES = (".png", ".pdf", ".svg")
PAGES = (".html", ".htm")


@dataclass(frozen=True)
class Outputs:
    """Files to write, checked.

    Attributes:
        paths: Where, each of a kind by its ending.
        title: Of a report.
    """

    paths: tuple[Path, ...]
    title: str | None = None

    def write(self, result: Attribution) -> None:
        """Writes them, each as a whole or not at all.

        Raises:
            OutputFileError: One cannot be written.
        """
        for path in self.paths:
            _atomically(path, partial(self._one, result, path.suffix.lower()))

    def _one(self, result: Attribution, ending: str, part: Path) -> None:
        if ending in RESULTS:
            result.save(part)
        elif ending in PICTURES:
            result.plot().savefig(part, dpi=150, bbox_inches="tight")
        else:
            from polyattr.reports import write_report  # late: it draws

            write_report(result, part, title=self.title)


def checked(
    paths: Sequence[Path],
    endings: Sequence[str],
    force: bool,
    keep: Sequence[Path] = (),
    title: str | None = None,
) -> Outputs:
    """Checks files to write, before there is anything to write.

    Args:
        paths: Where.
        endings: What they may end with.
        force: Whether files that are there are replaced.
        keep: Files that are read, and never replaced.
        title: Of a report.

    Raises:
        OutputFileError: One is there already, or cannot be written.
        WrongUseError: An ending that nothing is written as, or the same file twice.
        MissingExtraError: What draws is not installed.
    """
    for number, path in enumerate(paths):
        if path.suffix.lower() not in endings:
            raise WrongUseError(
                f"{str(path)!r} ends with no kind that is written; expected {', '.join(endings)}"
            )
        if path in paths[:number]:
            raise WrongUseError(f"{str(path)!r} is given twice; expected a name for each file")
        _check_place(path, force, keep)
    written = {path.suffix.lower() for path in paths}
    if written & {*PICTURES} and not _installed("matplotlib"):
        raise MissingExtraError("a picture", "cli")
    if written & {*PAGES} and not (_installed("matplotlib") and _installed("jinja2")):
        raise MissingExtraError("a report", "report")
    return Outputs(tuple(paths), title)


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # it may not be imported
        return False


def _check_place(path: Path, force: bool, keep: Sequence[Path]) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise OutputFileError(
            f"{str(path)!r} cannot be written: there is no folder {str(folder)!r}"
        )
    if path.is_dir():
        raise OutputFileError(f"{str(path)!r} cannot be written: it is a folder")
    if not os.access(folder, os.W_OK):
        raise OutputFileError(f"{str(path)!r} cannot be written: {str(folder)!r} is read-only")
    if any(path.exists() and each.exists() and path.samefile(each) for each in keep):
        raise OutputFileError(f"{str(path)!r} is read by this command; expected another name")
    if path.exists() and not force:
        raise OutputFileError(f"{str(path)!r} is there already; pass --force to replace it")


def _atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Has a file written beside its place, and moved there.

    Raises:
        OutputFileError: It cannot be written.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        write(part)
        os.replace(part, path)
    except OSError as error:
        said = error.strerror or told(error)
        raise OutputFileError(f"{str(path)!r} cannot be written: {said}") from error
    finally:
        with suppress(OSError):
            part.unlink()
