"""Files that models are loaded from: kinds that plugins declare, recognised without an import."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyattr.backend.entry_points import is_installed, place_of
from polyattr.errors import PolyattrWarning, warn

GROUP = "polyattr.model_files"


def _harmless(path: Path) -> None:
    """Says of any path that nothing in it is run."""


def _chosen() -> bool:
    return True


@dataclass(frozen=True)
class ModelFile:
    """A kind of file, or of folder, that holds a model of one framework.

    A plugin names a sequence of them by an entry point of the group ``polyattr.model_files``, under
    the name of its backend. The module it stands in imports no framework: kinds are told apart by
    what is in a file, and the framework is imported by `load`.

    Attributes:
        name: What messages call it, with its article.
        recognises: Says by its content whether a path is of this kind; gets paths of any kind.
        load: ``load(path, trusted)`` returns the model, ready to be explained; `trusted` is whether
            the user lets it do what `risk` says.
        risk: Says of a path what it may do, when it is loaded or run, beside computing numbers, as
            the end of "it ..."; None where it can do nothing else. A path with a risk is loaded
            only once the user says that it is trusted.
        refusal: What to do instead, for a kind that is recognised only to say that; then `load` is
            never called.
        chosen: Says, where several frameworks load the same kind, whether the user's settings name
            this one.
    """

    name: str
    recognises: Callable[[Path], bool]
    load: Callable[[Path, bool], Any]
    risk: Callable[[Path], str | None] = _harmless
    refusal: str | None = None
    chosen: Callable[[], bool] = _chosen


def recognised(path: Path, backend: str | None = None) -> tuple[str, ModelFile] | None:
    """Finds the kind of a path, and the backend whose kind it is.

    Args:
        path: Of a file or folder.
        backend: Name of the only backend to ask; None asks all that are declared.

    Returns:
        The backend's name and the kind, or None where nobody knows it. Of several, the one that the
        user's settings choose comes first, then those whose framework is installed.
    """
    found = [
        (name, kind)
        for name, kinds in declared_files()
        if backend in {None, name}
        for kind in kinds
        if kind.recognises(path)
    ]
    installed = [entry for entry in found if is_installed(entry[0])]
    chosen = [entry for entry in installed if entry[1].chosen()]
    return next(iter([*chosen, *installed, *found]), None)


def declared_files() -> Iterator[tuple[str, Sequence[ModelFile]]]:
    """Yields the kinds of files that installed distributions declare, by backend.

    One that cannot be loaded is left out, with a warning: the file may be of another kind.
    """
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            kinds = tuple(point.load())
        except Exception as error:  # whatever the code of a plugin raises
            said = f"{type(error).__name__}: {error}"
            warn(f"{place_of(point)} cannot be loaded: {said}; its files are not", PolyattrWarning)
            continue
        yield point.name, kinds
