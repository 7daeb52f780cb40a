"""The .keras file, which each framework that Keras runs on may load."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from polyattr.backend import InputError, ModelFile
from polyattr_model_files.archives import HDF5, names_in, read_entry, starts_with

_PARTS = {"metadata.json", "config.json", "model.weights.h5"}
_HARDENED = (3, 13, 2)
"""Before it files could run code in safe mode, too: CVE-2025-1550, -8747, -49655, 2026-1462."""
_RUNNING = re.compile(
    rb'"(?:class_name|registered_name)"\s*:\s*"(?:[^"]*>)?(Lambda|__lambda__|TFSMLayer)"'
)


def keras_file(backend: str) -> ModelFile:
    """The kind as one framework loads it."""
    return ModelFile(
        "a .keras file",
        lambda path: set(names_in(path)) >= _PARTS,
        load=lambda path, trusted: _load(path, trusted, backend),
        risk=_risk,
        chosen=lambda: _chosen() == backend,
    )


def keras_h5() -> ModelFile:
    """The older file of Keras, which it loads without its safe mode."""
    return ModelFile(
        "an HDF5 file",
        lambda path: starts_with(path, HDF5),
        load=_load,
        refusal="Keras loads it without safe mode, or it holds weights alone: load it in Python "
        "and save it anew with model.save('model.keras')",
    )


def _risk(path: Path) -> str | None:
    """Says what a file holds that its safe mode is for, or that this release's does not see."""
    if found := _RUNNING.search(read_entry(path, "config.json")):
        kind = found[1].decode()
        said = "a TFSMLayer, which loads a program from elsewhere"
        return f"has {'a Lambda layer, which holds Python code' if kind != 'TFSMLayer' else said}"
    try:
        version = importlib.metadata.version("keras")
    except importlib.metadata.PackageNotFoundError:
        return None
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if numbers < _HARDENED:
        return f"may run code: the safe mode of Keras {version} has known holes, closed in 3.13.2"
    return None


def _load(path: Path, trusted: bool, backend: str = "") -> Any:
    """Loads a model, in safe mode unless it is trusted.

    Raises:
        InputError: Keras runs on another framework in this process, or its safe mode refuses.
    """
    if sys.modules.get("keras") is None:
        os.environ["KERAS_BACKEND"] = backend
    import keras

    running = keras.config.backend()
    if running != backend:
        raise InputError(
            f"Keras runs on {running} in this process; expected {backend}: set "
            f"KERAS_BACKEND={backend}"
        )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=not trusted)
    except ValueError as error:
        if trusted or "safe" not in str(error):
            raise
        raise InputError(f"the safe mode of Keras refuses it: {error}") from error


def _chosen() -> str:
    """Names the framework that Keras would run on by the user's settings, without importing it."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "config"):
        return str(keras.config.backend())
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return str(json.loads((home / "keras.json").read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return "tensorflow"
