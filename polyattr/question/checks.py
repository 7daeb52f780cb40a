"""Checks of single numbers among a method's arguments."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable

import numpy as np

from polyattr.errors import InputError, InputTypeError


def check_count(name: str, value: object, least: int) -> int:
    """Checks for a whole number of at least `least`, NumPy's included, and returns it as an int.

    Raises:
        InputTypeError: Not a whole number.
        InputError: Too small.
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r}; expected an int of at least {least}")
    if value < least:
        raise InputError(f"{name} is {value}; expected at least {least}")
    return int(value)


def check_flag(name: str, value: object) -> bool:
    """Checks for True or False, NumPy's included, and returns it as a bool.

    Raises:
        InputTypeError: Anything else.
    """
    if not isinstance(value, bool | np.bool_):
        raise InputTypeError(f"{name} is {value!r}; expected True or False")
    return bool(value)


def check_called(name: str, function: Callable[..., object], form: str, words: str) -> None:
    """Checks that a function can be called with as many arguments as `form` shows.

    Args:
        name: The argument it was given as.
        function: What will be called.
        form: How it is called, as in ``"g(model, inputs, targets) -> (N,)"``.
        words: How many arguments these are, in words.

    Raises:
        InputTypeError: It takes others.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in another language, it may say nothing
        return
    try:
        signature.bind(*form.split(")")[0].split(","))
    except TypeError as error:
        raise InputTypeError(
            f"{name} takes {signature}; expected {form}, which is called with {words}: {error}"
        ) from None


def check_unmasked(name: str, value: object) -> None:
    """Checks that an array has a number everywhere: what is masked would be explained as it is.

    Raises:
        InputError: A masked array with masked entries.
    """
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        masked = int(np.ma.getmaskarray(value).sum())
        raise InputError(
            f"{name} is a masked array with {masked} masked of {value.size} entries, which no "
            f"model sees; expected a number everywhere: pass .filled(number), or .data for what "
            f"lies under the mask. A mask the model takes is an argument of its own"
        )


def count_of(least: int) -> Callable[[str, object], int]:
    """Returns a check for a whole number of at least `least`."""
    return lambda name, value: check_count(name, value, least)


def plain_number(_name: str, value: object) -> object:
    """Makes an int of any whole number, NumPy's included; everything else stays to be checked."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    return value


def check_tolerance(name: str, value: object) -> object:
    """Checks for None or a finite number of at least 0.

    Raises:
        InputTypeError: Neither a number nor None.
        InputError: Negative, NaN or infinite.
    """
    return None if value is None else check_non_negative(name, value)


def check_budget(name: str, value: object) -> object:
    """Checks for None or a finite number above 0.

    Raises:
        InputTypeError: Neither a number nor None.
        InputError: 0, negative, NaN or infinite.
    """
    return None if value is None else check_positive(name, value)


def check_chosen(budget: object, name: str, value: object) -> None:
    """Checks that a method with a budget chooses its points or draws itself.

    Args:
        budget: Its milliseconds, or None.
        name: The argument that says how many there are.
        value: What it is.

    Raises:
        InputError: They are of a fixed number.
    """
    if budget is not None and value != "auto":
        raise InputError(
            f"budget_ms is {budget}, but how many gradients are taken is fixed; expected "
            f"{name}='auto' beside it, which takes as many as there is time for"
        )


def check_fraction(name: str, value: object) -> object:
    """Checks for a number from 0 to 1, and returns it.

    Raises:
        InputTypeError: Not a number.
        InputError: Outside, or NaN.
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r}; expected a number from 0 to 1")
    try:
        fine = 0 <= float(value) <= 1
    except OverflowError:  # a whole number or fraction beyond any float
        fine = False
    if not fine:
        raise InputError(f"{name} is {value}; expected a number from 0 to 1")
    return value


def check_positive(name: str, value: object) -> object:
    """Checks for a finite number above 0, and returns it.

    Raises:
        InputTypeError: Not a number.
        InputError: 0, negative, NaN or infinite.
    """
    number = check_non_negative(name, value)
    if number == 0:
        raise InputError(f"{name} is {value}; expected a number above 0")
    return number


def check_non_negative(name: str, value: object) -> object:
    """Checks for a finite number of at least 0, and returns it.

    Raises:
        InputTypeError: Not a number.
        InputError: Negative, NaN or infinite.
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise InputTypeError(f"{name} is {value!r}; expected a number of at least 0")
    try:
        fine = math.isfinite(value) and float(value) >= 0
    except OverflowError:  # a whole number or fraction beyond any float
        fine = False
    if not fine:
        raise InputError(f"{name} is {value}; expected a finite number of at least 0")
    return value
