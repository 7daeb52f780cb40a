"""The filter of --where, as in ``score < 0.5 and not converged``: parsed here, never evaluated."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from polyattr.cli.exits import WrongUseError
from polyattr.errors import nearest

Array = np.ndarray[Any, Any]
Facts = Mapping[str, Array]
Part = Callable[[Facts], Array]
"""What a part of an expression is for every sample."""

FIELDS = ("score", "error", "gap", "converged", "target", "class", "name", "sample")
"""What an expression may name; a result may lack some."""

_PIECE = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<word>[A-Za-z_]\w*)|(?P<sign><=|>=|==|!=|<|>|\(|\)|-|=)|(?P<odd>\S))"
)
_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
        "!=": operator.ne,
    }
)
_DEEPEST, _LONGEST = 50, 2000


def read_where(text: str) -> Callable[[Facts], Array]:
    """Returns the filter: from the facts of all samples, (N,) each, to those that are meant.

    Comparisons of ``score``, ``error``, ``gap``, ``converged``, ``target``, ``class``, ``name`` and
    ``sample`` with numbers and quoted texts, joined by ``and``, ``or``, ``not`` and parentheses;
    ``abs(gap)`` is its size. Nothing compares with NaN, which is not known.

    Raises:
        WrongUseError: Not such an expression.
    """
    parser = _Parser(text)
    whole = parser.either(0)
    parser.end()
    parser.check_truth(whole, text)

    def chosen(facts: Facts) -> Array:
        found: Array = np.asarray(whole[0](facts), dtype=bool)
        return found

    return chosen


class _Parser:
    """Goes through an expression once; each step returns a part and whether it is a truth value."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise WrongUseError(f"--where is longer than {_LONGEST} characters")
        self.text, self.at = text, 0
        self.pieces = [(m.lastgroup or "", m.group().strip()) for m in _PIECE.finditer(text)]

    def either(self, depth: int) -> tuple[Part, str]:
        return self._joined(depth, "or", self._both, np.logical_or)

    def _both(self, depth: int) -> tuple[Part, str]:
        return self._joined(depth, "and", self._negated, np.logical_and)

    def _joined(
        self, depth: int, word: str, inner: Callable[[int], tuple[Part, str]], join: Any
    ) -> tuple[Part, str]:
        found = inner(depth)
        while self._takes(word):
            other = inner(depth)
            self.check_truth(found, word)
            self.check_truth(other, word)
            found = (_both_sides(join, found[0], other[0]), "truth")
        return found

    def _negated(self, depth: int) -> tuple[Part, str]:
        if depth > _DEEPEST:
            self._fail("is nested too deep")
        if not self._takes("not"):
            return self._compared(depth)
        part, kind = self._negated(depth + 1)
        self.check_truth((part, kind), "not")
        return (lambda facts: np.logical_not(part(facts))), "truth"

    def _compared(self, depth: int) -> tuple[Part, str]:
        first = self._term(depth)
        found: tuple[Part, str] | None = None
        while self._sign() in _COMPARED:
            sign = self._next()
            second = self._term(depth)
            if first[1] != second[1]:
                self._fail(f"compares a {first[1]} with a {second[1]}")
            if first[1] == "text" and sign not in {"==", "!="}:
                self._fail("orders texts; expected == or !=")
            one = (_comparison(sign, first[0], second[0]), "truth")
            found = (
                one if found is None else (_both_sides(np.logical_and, found[0], one[0]), "truth")
            )
            first = second
        if self._sign() == "=":
            self._fail("has = for ==")
        return first if found is None else found

    def _term(self, depth: int) -> tuple[Part, str]:
        if self.at >= len(self.pieces):
            self._fail("ends too early")
        kind, piece = self.pieces[self.at]
        self.at += 1
        if kind == "number":
            return _constant(float(piece)), "number"
        if kind == "text":
            return _constant(piece[1:-1]), "text"
        if piece == "-":
            part, what = self._term(depth + 1) if depth < _DEEPEST else self._fail("is too deep")
            if what != "number":
                self._fail("has - before what is no number")
            return (lambda facts: -part(facts)), "number"
        if piece == "(":
            inner = self.either(depth + 1)
            if not self._takes(")"):
                self._fail("lacks a )")
            return inner
        if kind != "word" or piece in {"and", "or", "not"}:
            self._fail(f"has {piece!r} where a field, a number or a quoted text is expected")
        return self._named(piece, depth)

    def _named(self, piece: str, depth: int) -> tuple[Part, str]:
        if piece in {"true", "false", "True", "False"}:
            return _constant(piece.lower() == "true"), "truth"
        if piece == "abs" and self._takes("("):
            part, kind = self._term(depth + 1)
            if kind != "number" or not self._takes(")"):
                self._fail("has abs of what is no number")
            return (lambda facts: np.abs(part(facts))), "number"
        if piece not in FIELDS:
            self._fail(
                f"names {piece!r}.{nearest(piece, FIELDS, count=1)} Known: "
                f"{', '.join(FIELDS)}; texts stand in quotes"
            )
        kind = {"converged": "truth", "class": "text", "name": "text"}.get(piece, "number")
        return (lambda facts: _field(facts, piece)), kind

    def _sign(self) -> str:
        return self.pieces[self.at][1] if self.at < len(self.pieces) else ""

    def _next(self) -> str:
        self.at += 1
        return self.pieces[self.at - 1][1]

    def _takes(self, piece: str) -> bool:
        if self._sign() != piece or self.pieces[self.at][0] == "text":
            return False
        self.at += 1
        return True

    def end(self) -> None:
        if self.at < len(self.pieces):
            self._fail(f"goes on with {self.pieces[self.at][1]!r} where it should end")

    def check_truth(self, found: tuple[Part, str], where: str) -> None:
        if found[1] != "truth":
            self._fail(f"has a {found[1]} where a comparison is expected, at {where!r}")

    def _fail(self, what: str) -> Any:
        raise WrongUseError(
            f"--where {self.text!r} {what}; expected such as 'score < 0.5 and not converged'"
        )


def _constant(value: object) -> Part:
    return lambda _: np.asarray(value)


def _comparison(sign: str, left: Part, right: Part) -> Part:
    return lambda facts: _COMPARED[sign](left(facts), right(facts))


def _both_sides(join: Any, left: Part, right: Part) -> Part:
    return lambda facts: join(left(facts), right(facts))


def _field(facts: Facts, name: str) -> Array:
    if name not in facts:
        raise WrongUseError(f"--where names {name}, which this result does not have")
    return facts[name]
