"""Plugins as distributions declare them: listed without an import, loaded and checked on demand."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from importlib.metadata import EntryPoint
from typing import Any

from polyattr.backend.interface import INTERFACE_VERSION, GradBackend
from polyattr.errors import InputTypeError, MissingFrameworkError

GROUP = "polyattr.backends"


def declared() -> dict[str, EntryPoint]:
    """Scans the installed distributions for plugins, by the name of their framework."""
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}


def is_imported(name: str) -> bool:
    """Says whether a module is imported; None among the modules stands for one that may not be."""
    return sys.modules.get(name) is not None


def is_installed(name: str) -> bool:
    """Says whether a module can be imported, by its top package: looking further imports that."""
    if is_imported(name):
        return True
    try:
        return importlib.util.find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):  # no name of a module, or a module without a specification
        return False


def version_of(name: str) -> str | None:
    """Returns the version of an installed framework, or None where it says none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return getattr(sys.modules.get(name), "__version__", None)


def provider_of(point: EntryPoint) -> str:
    """Names the distribution that ships a plugin."""
    return point.dist.name if point.dist else "unknown"


def place_of(point: EntryPoint) -> str:
    """Says where a plugin is declared, as messages do."""
    return f"{provider_of(point)}'s entry point {point.value!r}"


def missing_module(point: EntryPoint) -> str | None:
    """Says that a plugin's own package is not there, as far as can be told without importing it."""
    package = point.value.partition(":")[0].partition(".")[0].strip()
    return None if is_installed(package) else f"{place_of(point)} names no module that is installed"


def load(point: EntryPoint) -> GradBackend:
    """Imports a plugin and its framework.

    Raises:
        MissingFrameworkError: The framework is not installed, or the plugin cannot be imported.
        InputTypeError: What the plugin names is no backend, or one for another interface.
    """
    if not is_installed(point.name):
        raise MissingFrameworkError(
            f"backend {point.name!r} is known but {point.name} is not installed: {_cure(point)}"
        )
    try:
        plugin = point.load()
    except Exception as error:  # whatever the code of a plugin raises
        raise MissingFrameworkError(
            f"{place_of(point)} cannot be loaded: {type(error).__name__}: {error}; mend or "
            f"reinstall {provider_of(point)}"
        ) from error
    return check_backend(plugin, place_of(point))


def check_backend(backend: Any, where: str) -> GradBackend:
    """Returns the backend if it is one that can be used.

    Args:
        backend: What was given.
        where: Where it was given, for messages.

    Raises:
        InputTypeError: Not a `GradBackend`, without a name, or for another interface.
    """
    if not isinstance(backend, GradBackend):
        raise InputTypeError(
            f"{where} is {type(backend).__name__}; expected an instance of polyattr.GradBackend"
        )
    kind, name = type(backend).__name__, getattr(backend, "name", None)
    if not isinstance(name, str):
        raise InputTypeError(f"{where}: {kind} has no `name` of type str")
    if not name.strip():
        raise InputTypeError(
            f"{where}: the `name` of {kind} is {name!r}; expected the import name of its framework"
        )
    _check_version(backend, where)
    return backend


def _check_version(backend: GradBackend, where: str) -> None:
    version: object = getattr(backend, "interface", None)
    if version is None:
        raise InputTypeError(
            f"{where} states no interface version; {type(backend).__name__} needs "
            f"interface = {INTERFACE_VERSION}"
        )
    if type(version) is not int:
        raise InputTypeError(
            f"{where}: interface is {version!r}, a {type(version).__name__}; expected the int "
            f"{INTERFACE_VERSION}"
        )
    if version != INTERFACE_VERSION:
        raise InputTypeError(
            f"{where} speaks version {version} of the backend interface, this polyattr "
            f"speaks {INTERFACE_VERSION}; install the release of the plugin that matches"
        )


def _cure(point: EntryPoint) -> str:
    extras = point.dist.metadata.get_all("Provides-Extra") or [] if point.dist else []
    if point.dist and point.name in extras:
        return f'pip install "{point.dist.name}[{point.name}]"'
    return f"pip install {point.name}"
