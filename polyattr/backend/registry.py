"""Finding backends: by name, by whose model it is, or registered by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, cast

import pluggy

from polyattr.backend.entry_points import (
    check_backend,
    declared,
    is_imported,
    is_installed,
    load,
    missing_module,
    place_of,
    provider_of,
    version_of,
)
from polyattr.backend.interface import GradBackend, HookSpecs
from polyattr.errors import (
    InputTypeError,
    PolyattrError,
    PolyattrWarning,
    UnknownBackendError,
    UnrecognisedModelError,
    nearest,
    warn,
)

_manager = pluggy.PluginManager("polyattr")
_manager.add_hookspecs(HookSpecs)

# Held while plugins are looked up or changed, never during an import, which may wait for another.
_lock = threading.RLock()

_problems: dict[str, str] = {}
"""What was found wrong with plugins, by name: they are told once, and not loaded unasked again."""
_told: set[str] = set()


@dataclass(frozen=True)
class BackendInfo:
    """What is known about one backend without importing its framework.

    Attributes:
        name: The framework's import name.
        installed: Whether the framework can be imported.
        version: The framework's version, or None.
        provider: The distribution that ships the plugin, or "registered" for one given by hand.
        problem: What is wrong with the plugin, or None: one that is broken is only used by name.

    Example:
        >>> import polyattr
        >>> polyattr.backends()["torch"].provider
        'polyattr'
    """

    name: str
    installed: bool
    version: str | None
    provider: str
    problem: str | None = None

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
            f"{i.name:<12} {_state(i):<14} from {i.provider}"
            + (f", broken: {i.problem}" if i.problem else "")
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
    points = declared()
    by_hand = [
        BackendInfo(name, True, version_of(name), "registered", _problems.get(name))
        for name, _ in _manager.list_name_plugin()
        if name not in points
    ]
    return Backends([*map(_describe, points.values()), *by_hand])


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
    check_backend(backend, f"polyattr.register({backend!r})")
    with _lock:
        if _manager.has_plugin(backend.name):
            _manager.unregister(name=backend.name)
        _forget_problem(backend.name)
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
    with _lock:
        if not isinstance(name, str) or not _manager.has_plugin(name):
            raise UnknownBackendError(f"backend {name!r} is not registered")
        _manager.unregister(name=name)
        _forget_problem(name)


def get_backend(backend: str | GradBackend) -> GradBackend:
    """Returns a backend by name, importing its plugin and framework if needed.

    Raises:
        UnknownBackendError: No plugin has that name; the nearest one is suggested.
        MissingFrameworkError: The plugin is known, the framework is not installed, or the plugin
            cannot be imported.
        InputTypeError: Neither a name nor a `GradBackend`.
    """
    if isinstance(backend, GradBackend):
        return check_backend(backend, "backend")
    if not isinstance(backend, str):
        raise InputTypeError(
            f"backend is {backend!r}; expected a name, a GradBackend instance or None"
        )
    return _registered(backend) or _load(_point(backend, declared()))


def detect(model: object, inputs: Iterable[object] = ()) -> GradBackend | None:
    """Asks the frameworks already imported whose model, or else whose inputs, these are.

    A plugin that is broken is left out, with one warning: it may be nobody's the user knows of.
    """
    for name, point in declared().items():
        if is_imported(name) and (problem := _problem(point)):
            _tell(name, problem)
    for candidate in (model, *inputs):
        failed: list[tuple[GradBackend, Exception]] = []
        owner: GradBackend | None = _manager.hook.polyattr_claim(candidate=candidate, failed=failed)
        for backend, error in failed:
            _tell_failed(backend, error, candidate)
        if owner is not None:
            return owner
    return None


def unrecognised(model: object, inputs: Iterable[object]) -> UnrecognisedModelError:
    """Builds the error for a model nobody claims: what was asked and what to do."""
    asked = ", ".join(sorted(name for name, _ in _manager.list_name_plugin()))
    kinds = ", ".join(sorted({type(leaf).__name__ for leaf in inputs})) or "none yet"
    return UnrecognisedModelError(
        f"no backend recognises this model of type {type(model).__module__}."
        f"{type(model).__qualname__} or its inputs ({kinds}). Asked: "
        f"{asked or 'nobody, no framework is imported'}. Pass backend='name' (known: "
        f"{', '.join(sorted(backends()))}) or inputs that are tensors of the model's framework"
    )


def _state(info: BackendInfo) -> str:
    return info.version or ("installed" if info.installed else "not installed")


def _describe(point: EntryPoint) -> BackendInfo:
    name, installed = point.name, is_installed(point.name)
    version = version_of(name) if installed else None
    return BackendInfo(name, installed, version, provider_of(point), _problem(point))


def _point(name: str, points: Mapping[str, EntryPoint]) -> EntryPoint:
    if name in points:
        return points[name]
    known = sorted({*points, *(known for known, _ in _manager.list_name_plugin())})
    raise UnknownBackendError(
        f"unknown backend {name!r}.{nearest(name, known)} Known: {', '.join(known)}"
    )


def _load(point: EntryPoint) -> GradBackend:
    plugin = load(point)
    with _lock:
        other = _manager.get_name(plugin)
        if other not in {None, point.name}:
            raise InputTypeError(
                f"{place_of(point)} is the object that is known as "
                f"backend {other!r}; expected an instance of its own for {point.name!r}"
            )
        if other is None and not _manager.has_plugin(point.name):  # nor by the user, meanwhile
            _manager.register(plugin, name=point.name)
        _forget_problem(point.name)
        return cast(GradBackend, _manager.get_plugin(point.name))


def _registered(name: str) -> GradBackend | None:
    """Finds a backend that is known; one that is being registered is waited for."""
    with _lock:
        return cast("GradBackend | None", _manager.get_plugin(name))


def _problem(point: EntryPoint) -> str | None:
    """Says what is wrong with a plugin; loads it, once, if its framework is imported already."""
    name = point.name
    if not is_imported(name):
        return _problems.get(name) or missing_module(point)
    if name not in _problems and _registered(name) is None:
        try:
            _load(point)
        except PolyattrError as error:
            _problems[name] = str(error)
    return _problems.get(name)


def _tell(name: str, problem: str) -> None:
    if name not in _told:
        _told.add(name)
        warn(
            f"backend {name!r} is broken and is not asked whose model this is: {problem}. Every "
            f"other backend works as before",
            PolyattrWarning,
        )


def _tell_failed(backend: GradBackend, error: Exception, candidate: object) -> None:
    name: Any = _manager.get_name(backend)
    point = declared().get(name)
    owner = place_of(point) if point else repr(backend)
    _problems[name] = (
        f"{owner}: its `claims` raised {type(error).__name__}: {error}, asked about a "
        f"{type(candidate).__name__}"
    )
    _tell(name, _problems[name])


def _forget_problem(name: str) -> None:
    _problems.pop(name, None)
    _told.discard(name)
