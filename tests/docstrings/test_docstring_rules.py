"""The rules themselves: a docstring that loses any of its parts is complained about."""

from __future__ import annotations  # as in polyattr: rules read annotations as they are written

import textwrap
from typing import Any

import numpy as np
import pytest
from docstring_rules import complaints
from public_api import Item, items_of

from polyattr import Explainer, InputError, InputTypeError, PolyattrError, Recipe

Tensor = Any


def of_polyattr(function):
    """Rules follow polyattr's own code only."""
    function.__module__ = "polyattr.made_up"
    return function


class Slope(Explainer):
    r"""Gradient times a factor, :math:`k \\, \\partial f / \\partial x_i`.

    Nobody, On Slopes (1999), arXiv 1234.56789.
    Shape: that of the inputs, (N, ...). Units: score per unit of the input.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        k: The factor.
        weights: One factor (N,) per sample.

    Raises:
        InputError: `k` is 0; all other errors are those of `Explainer`.

    Example:
        >>> 1 + 1
        2
    """

    k: float
    weights: Tensor

    @of_polyattr
    def check(self) -> None:
        if self.k == 0:
            raise InputError("k is 0")

    def recipe(self) -> Recipe:
        return Recipe()


@of_polyattr
def scaled(x: Tensor, by: float) -> np.ndarray:
    """Scales.

    Args:
        x: (N, C) numbers.
        by: The factor.

    Returns:
        The product (N, C).

    Raises:
        InputError: `by` is 0.

    Example:
        >>> 1 + 1
        2
    """
    if by == 0:
        raise InputError("by is 0")
    return x * by


class WrongError(PolyattrError):
    """Something is wrong.

    What to do: put it right.

    Args:
        what: What is wrong.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)


MADE_UP = {thing.__name__: items_of(thing)[0] for thing in (Slope, scaled, WrongError)}

CUTS = [
    ("Slope", "arXiv 1234.56789", "gives no source (authors, title (year), arXiv number or doi)"),
    ("Slope", ":math:", "gives no equation"),
    ("Slope", "Units: score per unit of the input.", "gives no units"),
    ("Slope", "Shape: that of the inputs, (N, ...).", "gives no shape"),
    ("Slope", "    batch_size: ", "Args: does not document batch_size"),
    ("Slope", "    k: The factor.\n", "Args: does not document k"),
    ("Slope", "(N,) ", "Args: gives no shape for weights"),
    ("Slope", "Raises:", "has no Raises:"),
    (
        "Slope",
        "; all other errors are those of `Explainer`",
        "Raises: does not say when it raises InputTypeError",
    ),
    ("Slope", "Example:", "has no Example: with >>> lines"),
    ("scaled", "    by: The factor.\n", "Args: does not document by"),
    ("scaled", "(N, C) numbers", "Args: gives no shape for x"),
    ("scaled", "product (N, C)", "gives no shape for what it returns"),
    ("scaled", "Returns:\n    The product (N, C).", "has no Returns:"),
    ("scaled", "    InputError: `by` is 0.\n", "Raises: does not say when it raises InputError"),
    ("scaled", ">>> 1 + 1", "has no Example: with >>> lines"),
    ("WrongError", "What to do: put it right.", "does not say what to do"),
    ("WrongError", "    what: What is wrong.\n", "Args: does not document what"),
]


@pytest.mark.parametrize("name", MADE_UP)
def test_nothing_to_complain_about(name):
    assert complaints(MADE_UP[name], MADE_UP[name].thing.__doc__) == []


@pytest.mark.parametrize(("name", "part", "complaint"), CUTS, ids=[f"{n}: {c}" for n, _, c in CUTS])
def test_a_part_is_missing(name, part, complaint):
    text = textwrap.dedent("    " + MADE_UP[name].thing.__doc__)
    assert text.count(part) == 1
    assert complaint in complaints(MADE_UP[name], text.replace(part, ""))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("by: The", "factor: The", "Args: documents factor, which is no parameter"),
        ("InputError", "WrongNumberError", "Raises: names WrongNumberError, which is no error"),
        ("InputError", "ValueError", "Raises: does not say when it raises InputError"),
    ],
)
def test_a_part_is_out_of_date(old, new, complaint):
    text = scaled.__doc__
    assert complaint in complaints(MADE_UP["scaled"], text.replace(old, new))


@pytest.mark.parametrize("text", [None, "", "Args:\n    x: (N, C) numbers."])
def test_nothing_at_all_is_said(text):
    assert complaints(MADE_UP["scaled"], text) == ["no docstring"]


def test_an_alias_points_to_what_takes_the_same():
    call = Item("Explainer.__call__", "method", Explainer.__call__, Explainer)
    assert complaints(call, "Same as `explain`.") == []
    assert complaints(call, "Same as `function`.") == ["`function` has other parameters"]
    assert complaints(call, "Same as `explian`.") == ["`explian` is not documented"]


class Sparing:
    """What the interface's verbs may do: say it all in a sentence."""

    @of_polyattr
    def row_sums(self, tensor: Tensor) -> Tensor:
        """Sums all axes of `tensor` but the first: (R, ...) to (R,)."""
        if tensor is None:
            raise InputTypeError("tensor is None")

    __module__ = "polyattr.backend.interface"


def test_a_sentence_names_arguments_shapes_and_errors():
    verb = Item("Sparing.row_sums", "method", Sparing.row_sums, Sparing)
    raises = "\n\nRaises:\n    InputTypeError: It is None."
    assert complaints(verb, verb.thing.__doc__ + raises) == []
    assert complaints(verb, "Sums `tensor` (R, ...).") == [
        "Raises: does not say when it raises InputTypeError"
    ]
    assert "Args: does not document tensor" in complaints(verb, "Sums rows (R, ...)." + raises)
    assert "gives no shape for its arguments" in complaints(verb, "Sums a `tensor`." + raises)
