"""A model of the command line, with the backend that explains it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyattr.backend import BoundModel, GradBackend, backends, detect, get_backend, held_objects
from polyattr.backend.model_files import ModelFile, declared_files, recognised
from polyattr.cli.exits import ModelFileError
from polyattr.cli.lines import told
from polyattr.cli.models.imported import is_reference, model_of
from polyattr.cli.models.quiet import quiet_start
from polyattr.errors import InputError, PolyattrError


@dataclass(frozen=True)
class Loaded:
    """A model and what is known of it.

    Attributes:
        model: As the framework has it.
        backend: Of that framework.
        bound: The model as the backend binds it: it says what it takes.
        kind: What it was loaded from, in words.
    """

    model: Any
    backend: GradBackend
    bound: BoundModel
    kind: str


def load_model(text: str, backend: str | None = None, trusted: bool = False) -> Loaded:
    """Loads what MODEL names.

    Args:
        text: ``module:object``, or the path of a file or folder.
        backend: Name of the backend; None finds it.
        trusted: Whether a file may run what it holds.

    Raises:
        ModelFileError: It cannot be loaded, or has to be trusted first.
        PolyattrError: No such backend, or its framework is not installed.
    """
    if is_reference(text):
        model = model_of(text)
        native = get_backend(backend) if backend else _owner(model, text)
        kind = "an object of a module"
    else:
        native, model, kind = _from_file(Path(text), backend, trusted)
    try:
        return Loaded(model, native, native.bind(model), kind)
    except PolyattrError as error:
        raise ModelFileError(f"MODEL {text!r}: {told(error)}") from error


def _from_file(path: Path, backend: str | None, trusted: bool) -> tuple[GradBackend, Any, str]:
    if not path.exists():
        raise ModelFileError(
            f"there is no model {str(path)!r}; expected a file, a folder or module:object, such as "
            f"train:model"
        )
    found = recognised(path, backend)
    if found is None:
        raise ModelFileError(f"{str(path)!r} is no model that {_known(backend)}")
    name, kind = found
    _check(path, kind, trusted)
    with quiet_start():
        native = get_backend(name)  # says what to install where the framework is missing
    try:
        with quiet_start():
            return native, kind.load(path, trusted), kind.name
    except InputError as error:
        raise ModelFileError(f"{str(path)!r}, {kind.name}: {told(error)}") from error
    except Exception as error:  # whatever a framework raises about a broken file
        raise ModelFileError(
            f"{str(path)!r} looks like {kind.name}, and cannot be loaded: {told(error)}"
        ) from error


def _check(path: Path, kind: ModelFile, trusted: bool) -> None:
    if kind.refusal is not None:
        raise ModelFileError(f"{str(path)!r} is {kind.name}; {kind.refusal}")
    risk = kind.risk(path)
    if risk is not None and not trusted:
        raise ModelFileError(
            f"{str(path)!r} is {kind.name}, and {risk}; pass --trust if you know where it comes "
            f"from"
        )


def _known(backend: str | None) -> str:
    """What is loaded, for a message."""
    kinds = [
        kind.name
        for name, each in declared_files()
        if backend in {None, name}
        for kind in each
        if kind.refusal is None
    ]
    who = "can be loaded" if backend is None else f"{backend} loads"
    listed = ", ".join(dict.fromkeys(kinds))
    return f"{who}; expected module:object" + (f", {listed}" if listed else "")


def _owner(model: Any, text: str) -> GradBackend:
    """Whose model an object is; a plain function's is the one framework its module imported.

    Raises:
        ModelFileError: Nobody knows.
    """
    owner = detect(model, held_objects(model))
    if owner is not None:
        return owner
    loaded = [name for name, info in backends().items() if info.installed and name in sys.modules]
    if len(loaded) == 1 and callable(model):
        return get_backend(loaded[0])
    raise ModelFileError(
        f"MODEL {text!r} is a {type(model).__name__}, of no framework that is known; name it with "
        f"--backend {' or '.join(sorted(backends()))}"
    )
