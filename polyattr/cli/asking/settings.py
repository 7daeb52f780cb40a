"""Settings of a method, as options and ``--set`` name them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

import polyattr
from polyattr.cli.exits import WrongUseError
from polyattr.errors import nearest
from polyattr.explainer.base import MethodBase

Options = Mapping[str, Any]
_SAME = ("steps", "tolerance", "rule", "nb_samples", "noise", "seed", "batch_size", "output")
"""Options that are settings of the same name."""
_OPTIONS = {"baseline_value": "--baseline"}


def settings_of(kind: type[MethodBase], options: Options) -> dict[str, Any]:
    """Reads the method's arguments, all but those that are files.

    Raises:
        WrongUseError: The method has no such argument.
    """
    found = {n: literal(options[n]) for n in _SAME if options[n] is not None}
    if options["output_layer"] is not None:
        layer = options["output_layer"]
        found["output_layer"] = int(layer) if layer.lstrip("-").isdecimal() else layer
    found |= read_settings(options["settings"])
    known = set(found)
    known |= {"baseline_value"} if options["baseline"] is not None else set()
    known |= {"background"} if options["background"] is not None else set()
    check_settings(kind, dict.fromkeys(sorted(known)))
    if hasattr(kind, "background") and options["background"] is None:
        raise WrongUseError(
            f"{kind.__name__} draws its baselines from data; name some with --background FILE"
        )
    return found


def plain_setting(value: Any) -> Any:
    """A setting as JSON has it; what it does not know as it is written."""
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def read_settings(entries: tuple[str, ...]) -> dict[str, Any]:
    """Reads ``name=value`` settings; values are Python literals, or else texts.

    Raises:
        WrongUseError: One is not of that form.
    """
    found: dict[str, Any] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name.strip().isidentifier():
            raise WrongUseError(f"--set {entry!r} is not NAME=VALUE, such as --set max_steps=256")
        found[name.strip()] = literal(value.strip())
    return found


def literal(text: str) -> Any:
    """Reads a number, truth value, tuple or None; anything else is the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def check_settings(kind: type[MethodBase], settings: dict[str, Any]) -> None:
    """Checks that a method has the arguments it is given.

    Raises:
        WrongUseError: It has not.
    """
    known = [name for name in inspect.signature(kind).parameters if name != "model"]
    for name in settings:
        if name not in known:
            option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise WrongUseError(
                f"{kind.__name__} has no {name}, which {option} sets.{nearest(name, known)} Its "
                f"own settings: {', '.join(own_settings(kind)) or 'none'}"
            )


def own_settings(kind: type[MethodBase]) -> list[str]:
    """Names the arguments a method has beside those that all have."""
    shared = set(inspect.signature(polyattr.Saliency).parameters)
    return [name for name in inspect.signature(kind).parameters if name not in shared]
