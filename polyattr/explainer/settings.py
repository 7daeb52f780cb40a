"""Arguments of a method as fields: each written once, with its default and its check."""

from __future__ import annotations

import inspect
import numbers
import sys
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from functools import wraps
from typing import Any, TypeVar

from polyattr.errors import InputError, InputTypeError, nearest
from polyattr.explainer.options import CALL_ARGUMENTS
from polyattr.explainer.shown.described import WRITTEN, Plain, describe
from polyattr.question.foreign.arguments import our_argument, our_place
from polyattr.sampling.recipe import Recipe

Value = TypeVar("Value")
Check = Callable[[str, Any], Any]
"""``check(name, value)`` returns the value as it is kept, or raises."""

MODEL = "model"


def setting(*, default: Value, check: Check | None = None) -> Value:
    """A field of a method: an argument with a default and, if given, a check.

    Args:
        default: What the argument is if not given.
        check: ``check(name, value)`` returns the value as it is kept, or raises an error that names
            the argument.

    Returns:
        A dataclass field, for the type checker a value of the field's type.

    Example:
        >>> import polyattr
        >>> class Twice(polyattr.GradientInput):
        ...     times: int = polyattr.setting(default=2)
        >>> Twice(abs)
        Twice(times=2)
    """
    made: Value = field(default=default, metadata={"check": check})
    return made


def finish_class(cls: Any, root: Any) -> None:
    """Makes a dataclass of a method's class: keyword-only, frozen, wrong names told apart.

    Args:
        cls: The class.
        root: The class whose fields all methods have.
    """
    setattr(cls, WRITTEN, vars(cls).get("__doc__"))
    cls.__doc__ = cls.__doc__ or cls.__name__  # or a dataclass writes one
    dataclass(frozen=True, kw_only=True, eq=False, repr=False)(cls)
    made: Any = vars(cls)["__init__"]

    @wraps(made)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        _check_names(cls, kwargs)
        _check_model(cls, args, kwargs)
        made(self, *args, **kwargs)

    shared = frozenset(entry.name for entry in fields(root))
    init.__signature__ = _ordered(inspect.signature(made), shared)  # type: ignore[attr-defined]  # `inspect` honours it
    cls.__init__ = init
    if sys.flags.optimize < 2:  # which takes docstrings away
        describe(cls)


def _ordered(signature: inspect.Signature, shared: frozenset[str]) -> inspect.Signature:
    """The model first, then a method's own arguments, then those all methods have."""
    listed = list(signature.parameters.values())
    first = [p for p in listed if p.name in {"self", MODEL}]
    own = [p for p in listed if p not in first and p.name not in shared]
    rest = [p for p in listed if p not in first and p.name in shared]
    shown = [p.replace(annotation=_shown(p.annotation)) for p in [*first, *own, *rest]]
    return signature.replace(parameters=shown, return_annotation=inspect.Signature.empty)


def _shown(annotation: Any) -> Any:
    return Plain(annotation) if isinstance(annotation, str) else annotation


def _check_names(method: type, given: dict[str, Any]) -> None:
    """Checks that a method has the arguments it is given.

    Raises:
        InputTypeError: It has not; the nearest name is suggested.
    """
    known = [name for name in inspect.signature(method).parameters if name != MODEL]
    unknown = set(given) - set(known) - {MODEL}
    if unknown:
        name = min(unknown)
        hint = our_argument(name, method.__name__)
        if name in CALL_ARGUMENTS:
            hint = our_place(name, method.__name__, "call")
        raise InputTypeError(
            f"{method.__name__} has no argument {name!r}.{hint or nearest(name, known)} Its "
            f"arguments: {', '.join(known)}"
        )


def _check_model(method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Checks that the model, and nothing but the model, is given by position.

    Raises:
        InputTypeError: It is missing, or something stands behind it.
    """
    if len(args) > 1:
        known = [name for name in inspect.signature(method).parameters if name != MODEL]
        raise InputTypeError(
            f"{method.__name__} is given {len(args)} arguments by position; expected the model "
            f"alone, and by name what else there is: {', '.join(f'{name}=' for name in known)}"
        )
    needed = any(entry.name == MODEL and entry.default is MISSING for entry in fields(method))
    if needed and not args and MODEL not in kwargs:
        raise InputTypeError(
            f"{method.__name__} is given no model; expected {method.__name__}(model, ...), and "
            f"inputs and targets in its calls"
        )


def check_fields(method: Any) -> None:
    """Runs the checks of all fields, and keeps what they return.

    Raises:
        InputTypeError: A value of the wrong type.
        InputError: A value out of range.
    """
    for entry in fields(method):
        check = entry.metadata.get("check")
        if check is not None:
            object.__setattr__(method, entry.name, check(entry.name, getattr(method, entry.name)))


def is_default(entry: Any, value: Any) -> bool:
    """Says whether a field has the value it has when not given."""
    default = entry.default
    plain = isinstance(default, str | bool | int | float | None)
    return value is default or (plain and type(value) is type(default) and value == default)


def check_batch_size(name: str, size: Any) -> Any:
    """Checks for a whole number of at least 1, "auto" or None.

    Raises:
        InputTypeError: None of them.
        InputError: Below 1.
    """
    known_kind = size is None or isinstance(size, numbers.Integral | str)
    if not known_kind or isinstance(size, bool) or (isinstance(size, str) and size != "auto"):
        raise InputTypeError(f"{name} is {size!r}; expected an int, 'auto' or None")
    if isinstance(size, numbers.Integral) and size < 1:
        raise InputError(f"{name} is {size}; expected at least 1 row per gradient call")
    return size


def check_on_nonfinite(name: str, value: object) -> object:
    """Checks for what is done about gradients that are not finite.

    Raises:
        InputError: Neither "raise" nor "mark".
    """
    if not isinstance(value, str) or value not in ("raise", "mark"):
        raise InputError(
            f"{name} is {value!r}; expected 'raise' (an error names samples and points) or 'mark' "
            f"(their attributions are NaN, and a warning names them)"
        )
    return value


def check_recipes(name: str, recipes: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
    """Checks recipes of a method called `name`, which kernels are kept by.

    Raises:
        InputTypeError: One of them cannot be hashed, or is none.
    """
    for recipe in recipes:
        if not isinstance(recipe, Recipe):
            raise InputTypeError(f"recipe() of {name} gave {recipe!r}; expected a Recipe")
        beside = set(vars(recipe)) - {entry.name for entry in fields(recipe)}
        if beside:
            raise InputTypeError(
                f"the recipe of {name} has {min(beside)!r}, which is no field; "
                f"expected a frozen dataclass, compared by its fields"
            )
        if not (recipe.one_round or recipe.statistic.counts_each_sample):
            raise InputTypeError(
                f"the recipe of {name} takes a {type(recipe.statistic).__name__}"
                f" of rows it chooses as it goes; expected a Mean, or rows known in advance"
            )
        try:
            hash(recipe)
        except TypeError as error:
            raise InputTypeError(
                f"the recipe of {name} cannot be hashed ({error}); expected a "
                f"frozen dataclass whose fields are numbers, texts, tuples and the like"
            ) from None
    return recipes
