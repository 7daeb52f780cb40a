"""The arguments all methods share, and the base of each method's own."""

from __future__ import annotations

import inspect
import numbers
from dataclasses import dataclass
from typing import Any, TypedDict

from polyattr.backend import GradBackend
from polyattr.errors import InputError, InputTypeError, nearest
from polyattr.question.checks import check_flag
from polyattr.scores.scorer import Operator
from polyattr.scores.tasks import check_operator


class Common(TypedDict, total=False):
    """The keyword arguments every method takes; see `Explainer`."""

    backend: str | GradBackend | None
    output_layer: Any
    input_layer: Any
    attribute_to_layer_input: bool
    batch_size: int | str | None
    operator: Operator | str | None
    output: Any


@dataclass(frozen=True)
class Settings:
    """A method's own arguments; immutable, shown in its repr."""


def check_common(method: type, common: Common) -> None:
    """Checks names and values of the shared arguments.

    Raises:
        InputTypeError: An argument no method has, or of the wrong type.
        InputError: A value out of range.
    """
    own = [p for p in inspect.signature(method).parameters if p not in {"model", "common"}]
    known = [*own, *Common.__annotations__]
    unknown = set(common) - set(known)
    if unknown:
        name = min(unknown)
        raise InputTypeError(
            f"{method.__name__} has no argument {name!r}.{nearest(name, known)} Its arguments: "
            f"{', '.join(known)}"
        )
    size = common.get("batch_size", "auto")
    known_kind = size is None or isinstance(size, numbers.Integral | str)
    if not known_kind or isinstance(size, bool) or (isinstance(size, str) and size != "auto"):
        raise InputTypeError(f"batch_size is {size!r}; expected an int, 'auto' or None")
    if isinstance(size, numbers.Integral) and size < 1:
        raise InputError(f"batch_size is {size}; expected at least 1 row per gradient call")
    check_flag("attribute_to_layer_input", common.get("attribute_to_layer_input", False))
    check_operator(common.get("operator"))
