"""Where a worker's model comes from: named, made by a function, or sent along."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from polyattr.errors import InputError, InputTypeError, brief


def check_factory(factory: object, method: object) -> None:
    """Checks how a model is named, without making it.

    Raises:
        InputError: A text that is not ``"module:function"``, or no such module is found here.
        InputTypeError: None, or a class that makes no method where none is named.
    """
    if factory is None:
        raise InputTypeError("factory is None; expected 'module:function', a function or a model")
    if method is None and isinstance(factory, type):
        raise InputTypeError(
            f"factory is the class {factory.__name__} and there is no method; expected "
            f"worker(factory, method, ...)"
        )
    if not isinstance(factory, str):
        return
    module, colon, name = factory.partition(":")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise InputError(
            f"factory is {factory!r}; expected 'module:function', as in 'my_models:load', a "
            f"function that makes the model, or the model"
        )
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise InputError(
            f"factory is {factory!r}, and there is no module {module!r} here; expected one that "
            f"every process can import, by PYTHONPATH or installed"
        )


def made_by(factory: object) -> Any:
    """Returns the model: what a factory makes, or what is none as it is.

    Raises:
        InputError: Its module has no such name.
    """
    found: Any = factory
    if isinstance(factory, str):
        module, _, name = factory.partition(":")
        found = import_module(module)
        for part in name.split("."):
            if not hasattr(found, part):
                raise InputError(f"factory is {factory!r}, and {module} has no {name}")
            found = getattr(found, part)
    return found() if _makes(found) else found


def _makes(found: Any) -> bool:
    """Says whether something is called to get a model: a model that is a function takes inputs."""
    if not (inspect.isfunction(found) or isinstance(found, type | partial)):
        return False
    made: Callable[..., Any] = found
    try:
        listed = inspect.signature(made).parameters.values()
    except ValueError:
        return False
    open_ended = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not p.empty or p.kind in open_ended for p in listed)


def said(factory: object) -> str:
    """Says a factory in few words."""
    if isinstance(factory, str):
        return factory
    module, name = (getattr(factory, part, None) for part in ("__module__", "__qualname__"))
    return f"{module}:{name}" if name else brief(factory)
