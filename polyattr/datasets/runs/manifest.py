"""The manifest: what was asked, so that another question is never answered into the same store."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from polyattr._version import __version__
from polyattr.backend import detect
from polyattr.backend.registry import backends
from polyattr.datasets.model.marking import innermost
from polyattr.datasets.shards.atomic import seal, staging, unseal
from polyattr.errors import InputError

FORMAT = 1


def manifest_path(run: Path) -> Path:
    """Where the manifest of a run is."""
    return run / "manifest.json"


def open_manifest(
    out: Path, run: Path, question: dict[str, Any], stamp: dict[str, Any]
) -> dict[str, Any]:
    """Writes the manifest of a new run, or compares that of an earlier one.

    Returns:
        The stamp of the source as it was when the run began.

    Raises:
        InputError: The folder holds something else, its manifest was changed, or another question
            is asked now; the differences are listed.
    """
    path = manifest_path(run)
    if not path.exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(
                f"{out} exists, and there is no {path} that says what it holds; expected a new "
                f"folder, or one of an earlier call with its '{run.name}' beside it"
            )
        _create(path, {"format": FORMAT, "question": question, "stamp": stamp})
    known = unseal(path)
    if known is None:
        raise InputError(
            f"{path} is damaged or was edited, so that nobody can tell what {out} holds; expected "
            f"it as it was written: restore it, or delete {out} and {run} to begin again"
        )
    if known["format"] != FORMAT:
        raise InputError(f"{path} has format {known['format']}; this polyattr reads {FORMAT}")
    changed = list(differences(known["question"], question))
    if changed:
        lines = "\n".join(f"  {name}: {old} before, {new} now" for name, old, new in changed)
        raise InputError(
            f"{out} holds answers to another question:\n{lines}\nExpected the same call as before, "
            f"or another folder for this one"
        )
    before: dict[str, Any] = known["stamp"]
    return before


def _create(path: Path, content: dict[str, Any]) -> None:
    """Writes a manifest, unless another process that began at the same time has."""
    with staging(path.parent) as stage:
        staged = stage.path(path.name)
        staged.write_text(seal(content), "utf-8")
        try:
            os.link(staged, path)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            staged.replace(path)


def differences(old: Any, new: Any, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Yields the name, old and new value of everything in which two questions differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            inner = f"{name}.{key}" if name else str(key)
            yield from differences(old.get(key), new.get(key), inner)
    elif old != new:
        yield name, _shown(old), _shown(new)


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def key_of(question: dict[str, Any]) -> str:
    """Returns 16 digits that records of this question carry."""
    text = json.dumps(question, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def versions(method: Any) -> dict[str, str]:
    """What rounding may depend on: releases of polyattr, NumPy, Python and the framework."""
    known = {
        "polyattr": __version__,
        "numpy": np.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
    core = innermost(method)
    asked = core.backend if core.backend is not None else detect(core.model)
    name = asked if isinstance(asked, str) else getattr(asked, "name", None)
    info = backends().get(name) if name is not None else None
    if info is not None and info.version is not None:
        known[info.name] = info.version
    return known
