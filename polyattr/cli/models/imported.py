"""Objects of the user's modules, as in ``train:model``: importing them runs the user's own code."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from typing import Any

from polyattr.cli.exits import ModelFileError, WrongUseError
from polyattr.cli.lines import told
from polyattr.errors import nearest


def is_reference(text: str) -> bool:
    """Says whether a text is ``module:object`` rather than a path."""
    module, colon, name = text.partition(":")
    parts = [*module.split("."), *name.split(".")]
    return bool(colon) and all(part.isidentifier() for part in parts) and not os.path.exists(text)


def imported(text: str, option: str) -> Any:
    """Returns the object that ``module:object`` names; modules of the working folder come first.

    Args:
        text: The reference.
        option: Which argument of the command it is, for messages.

    Raises:
        WrongUseError: Not of that form.
        ModelFileError: The module cannot be imported, or has no such object.
    """
    if not is_reference(text):
        raise WrongUseError(f"{option} {text!r} is not module:object, such as train:model")
    module_name, _, name = text.partition(":")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not module_name.startswith(missing) or not missing:  # of what the module imports
            raise ModelFileError(
                f"{option} {text!r}: {module_name} imports {missing}, which is not installed"
            ) from error
        raise ModelFileError(
            f"{option} {text!r}: there is no module {missing!r} in {here} or among what is "
            f"installed"
        ) from error
    except Exception as error:  # whatever the user's code raises
        raise ModelFileError(f"{option} {text!r}: importing it failed: {told(error)}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            said = nearest(part, [n for n in dir(found) if not n.startswith("_")], count=1)
            raise ModelFileError(f"{option} {text!r}: {module_name} has no {name!r}.{said}")
        found = getattr(found, part)
    return found


def model_of(text: str) -> Any:
    """Returns the model that ``module:object`` names.

    The object itself; or what it returns, where it is a function all of whose parameters, of which
    there may be none, have defaults: one that makes the model.

    Raises:
        WrongUseError: Not of that form.
        ModelFileError: It cannot be imported or made, or is a class or a module.
    """
    found = imported(text, "MODEL")
    if isinstance(found, type) or inspect.ismodule(found):
        what = "a class" if isinstance(found, type) else "a module"
        raise ModelFileError(
            f"MODEL {text!r} is {what}; expected a model with its weights, or a function without "
            f"arguments that makes one"
        )
    if not _makes(found):
        return found
    try:
        made = found()
    except Exception as error:  # whatever the user's code raises
        raise ModelFileError(f"MODEL {text!r}: {text}() failed: {told(error)}") from error
    if made is None:
        raise ModelFileError(f"MODEL {text!r}: {text}() returned nothing; expected a model")
    return made


def _makes(found: Any) -> bool:
    """Says whether a function can be called without an argument, and takes none of any number."""
    if not inspect.isroutine(found):
        return False
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return False
    free = inspect.Parameter.VAR_POSITIONAL
    return all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in parameters) and not any(
        p.kind is free for p in parameters
    )
