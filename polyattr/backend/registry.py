"""Finding backends: entry points, detection of a model's framework, registration by hand."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import pluggy

from polyattr.backend.interface import INTERFACE_VERSION, GradBackend, HookSpecs
from polyattr.errors import (
    InputTypeError,
    MissingFrameworkError,
    UnknownBackendError,
    UnrecognisedModelError,
    nearest,
)

GROUP = "polyattr.backends"

_manager = pluggy.PluginManager("polyattr")
_manager.add_hookspecs(HookSpecs)


@dataclass(frozen=True)
class BackendInfo:
    """What is known about one backend without importing its framework.

    Attributes:
        name: The framework's import name.
        installed: Whether the framework can be imported.
        version: The framework's version, or None.
        provider: The distribution that ships the plugin, or "registered" for one given by hand.

    Example:
        >>> import polyattr
        >>> polyattr.backends()["torch"].provider
        'polyattr'
    """

    name: str
    installed: bool
    version: str | None
    provider: str

    @property
    def devices(self) -> list[str]:
        """The devices the framework sees; asking imports the framework.

        Raises:
            PolyattrError: The plugin does not fit this polyattr.
        """
        return get_backend(self.name).devices() if self.installed else []


class Backends(Mapping[str, BackendInfo]):
    """The known backends by name; prints as a table."""

    def __init__(self, infos: Iterable[BackendInfo]) -> None:
        self._infos = {info.name: info for info in infos}

    def __getitem__(self, name: str) -> BackendInfo:
        return self._infos[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._infos)

    def __len__(self) -> int:
        return len(self._infos)

    def __repr__(self) -> str:
        rows = [
            f"{i.name:<12} {i.version or 'not installed':<14} from {i.provider}"
            for i in self._infos.values()
        ]
        return "\n".join(rows)


def backends() -> Backends:
    """Lists every backend that is known, whether or not its framework is installed.

    Returns:
        A mapping from name to `BackendInfo`; no framework is imported.

    Example:
        >>> import polyattr
        >>> sorted(polyattr.backends())
        ['jax', 'tensorflow', 'torch']
    """
    infos = [_describe(name, point) for name, point in _entry_points().items()]
    by_hand = [
        BackendInfo(name, True, getattr(sys.modules.get(name), "__version__", None), "registered")
        for name, _ in _manager.list_name_plugin()
        if name not in _entry_points()
    ]
    return Backends(infos + by_hand)


def register(backend: GradBackend) -> GradBackend:
    """Makes a backend known for this process; one of the same name is replaced.

    Args:
        backend: An instance of a `GradBackend` subclass.

    Returns:
        The same backend.

    Raises:
        InputTypeError: Not a `GradBackend`, without a `name`, or written for another version of
            the interface.

    Example:
        >>> import polyattr
        >>> from polyattr_torch import TorchBackend
        >>> class Mine(TorchBackend):
        ...     name = "mine"
        >>> polyattr.register(Mine())
        <Mine 'mine'>
        >>> polyattr.unregister("mine")
    """
    _check_backend(backend, f"polyattr.register({backend!r})")
    if _manager.has_plugin(backend.name):
        _manager.unregister(name=backend.name)
    _manager.register(backend, name=backend.name)
    return backend


def unregister(name: str) -> None:
    """Forgets a backend made known by `register`.

    Args:
        name: The backend's name.

    Raises:
        UnknownBackendError: Nothing of that name is registered.

    Example:
        >>> import polyattr
        >>> polyattr.unregister("mine")
        Traceback (most recent call last):
        polyattr.errors.UnknownBackendError: backend 'mine' is not registered
    """
    if not isinstance(name, str) or not _manager.has_plugin(name):
        raise UnknownBackendError(f"backend {name!r} is not registered")
    _manager.unregister(name=name)


def get_backend(backend: str | GradBackend) -> GradBackend:
    """Returns a backend by name, importing its plugin and framework if needed.

    Raises:
        UnknownBackendError: No plugin has that name; the nearest one is suggested.
        MissingFrameworkError: The plugin is known, the framework is not installed.
        InputTypeError: Neither a name nor a `GradBackend`.
    """
    if isinstance(backend, GradBackend):
        _check_backend(backend, "backend")
        return backend
    if not isinstance(backend, str):
        raise InputTypeError(
            f"backend is {backend!r}; expected a name, a GradBackend instance or None"
        )
    if not _manager.has_plugin(backend):
        _load(backend)
    plugin: Any = _manager.get_plugin(backend)
    return cast(GradBackend, plugin)


def detect(model: object, inputs: Iterable[object] = ()) -> GradBackend | None:
    """Asks the frameworks already imported whose model, or else whose inputs, these are."""
    for name in _entry_points():
        if name in sys.modules and not _manager.has_plugin(name):
            _load(name)
    for candidate in (model, *inputs):
        owner: GradBackend | None = _manager.hook.polyattr_claim(candidate=candidate)
        if owner is not None:
            return owner
    return None


def unrecognised(model: object, inputs: Iterable[object]) -> UnrecognisedModelError:
    """Builds the error for a model nobody claims: what was asked and what to do."""
    asked = sorted(name for name, _ in _manager.list_name_plugin())
    kinds = ", ".join(sorted({type(leaf).__name__ for leaf in inputs})) or "none yet"
    return UnrecognisedModelError(
        f"no backend recognises this model of type {type(model).__module__}."
        f"{type(model).__qualname__} or its inputs ({kinds}). Asked: "
        f"{', '.join(asked) or 'nobody, no framework is imported'}. Pass backend='name' (known: "
        f"{', '.join(sorted(backends()))}) or inputs that are tensors of the model's framework"
    )


def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}


def _describe(name: str, point: importlib.metadata.EntryPoint) -> BackendInfo:
    installed = name in sys.modules or importlib.util.find_spec(name) is not None
    provider = point.dist.name if point.dist else "unknown"
    return BackendInfo(name, installed, _version(name) if installed else None, provider)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return getattr(sys.modules.get(name), "__version__", None)


def _load(name: str) -> None:
    points = _entry_points()
    if name not in points:
        raise UnknownBackendError(
            f"unknown backend {name!r}.{nearest(name, backends())} "
            f"Known: {', '.join(sorted(backends()))}"
        )
    if name not in sys.modules and importlib.util.find_spec(name) is None:
        raise MissingFrameworkError(
            f"backend {name!r} is known but {name} is not installed: {_cure(name, points[name])}"
        )
    plugin = points[name].load()
    _check_backend(plugin, f"entry point {points[name].value!r}")
    _manager.register(plugin, name=name)


def _cure(name: str, point: importlib.metadata.EntryPoint) -> str:
    extras = point.dist.metadata.get_all("Provides-Extra") or [] if point.dist else []
    if point.dist and name in extras:
        return f'pip install "{point.dist.name}[{name}]"'
    return f"pip install {name}"


def _check_backend(backend: Any, where: str) -> None:
    if not isinstance(backend, GradBackend):
        raise InputTypeError(
            f"{where} is {type(backend).__name__}; expected an instance of polyattr.GradBackend"
        )
    if not isinstance(getattr(backend, "name", None), str):
        raise InputTypeError(f"{where}: {type(backend).__name__} has no `name` of type str")
    version = getattr(backend, "interface", None)
    if version is None:
        raise InputTypeError(
            f"{where} states no interface version; {type(backend).__name__} needs "
            f"interface = {INTERFACE_VERSION}"
        )
    if version != INTERFACE_VERSION:
        raise InputTypeError(
            f"{where} speaks version {version} of the backend interface, this polyattr "
            f"speaks {INTERFACE_VERSION}; install the release of the plugin that matches"
        )
