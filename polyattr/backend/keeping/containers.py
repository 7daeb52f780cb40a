"""Keepers of what Python itself holds things in: attributes, lists, closures, generators."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np

from polyattr.backend.keeping.keeper import Keeper, has_array

Part = tuple[list[Any], Keeper | None]
"""What an object is made of, and what keeps it."""

_EMPTY = object()


def mapping(value: dict[Any, Any], is_part: Callable[[object], bool]) -> Keeper:
    """Keeps the entries of a dict, unless a model that is being built makes parts of itself."""
    saved = dict(value)

    def names() -> list[Any]:
        every = {**saved, **value}
        return [n for n in every if saved.get(n, _EMPTY) is not value.get(n, _EMPTY)]

    def news() -> list[object]:
        return [held for n in names() for held in (saved.get(n), value.get(n))]

    def put(asked: Callable[[object], bool]) -> None:
        for name in names():
            if not asked(saved.get(name)) and not asked(value.get(name)):
                continue
            if name in saved:
                value[name] = saved[name]
            else:
                del value[name]

    def put_unless_built(asked: Callable[[object], bool]) -> None:
        # Stand-ins are of no use to anybody, even where parts are made.
        built = any(is_part(value[n]) for n in names() if n in value)
        if not built or asked not in {_anything, has_array}:
            put(asked)

    return Keeper(
        lambda: bool(names()),
        lambda: put_unless_built(_anything),
        news=news,
        put_some_back=put_unless_built,
    )


def class_attributes(kind: type) -> Keeper:
    """Keeps what a class holds for all its instances."""
    saved = dict(vars(kind))

    def names() -> list[str]:
        every = {**saved, **vars(kind)}
        return [n for n in every if saved.get(n, _EMPTY) is not vars(kind).get(n, _EMPTY)]

    def put(asked: Callable[[object], bool]) -> None:
        for name in names():
            if not asked(vars(kind).get(name)):
                continue
            if name in saved:
                setattr(kind, name, saved[name])
            else:
                delattr(kind, name)

    return Keeper(
        lambda: bool(names()),
        lambda: put(has_array),
        news=lambda: [vars(kind).get(name) for name in names()],
        put_some_back=put,
    )


def sequence(value: Any) -> Keeper:
    """Keeps the entries of a list, deque or set."""
    saved = list(value)

    def changed() -> bool:
        if isinstance(value, set):
            return value != set(saved)
        return len(value) != len(saved) or any(
            a is not b for a, b in zip(value, saved, strict=True)
        )

    def news() -> list[object]:
        before, now = {id(held) for held in saved}, {id(held) for held in value}
        gone = [held for held in saved if id(held) not in now]
        return [*gone, *(held for held in value if id(held) not in before)]

    def put_back() -> None:
        value.clear()
        (value.update if isinstance(value, set) else value.extend)(saved)

    return Keeper(changed, put_back, news=news)


def function(value: types.FunctionType) -> Iterator[Part]:
    """Yields what a function closes over, its globals and defaults."""
    for cell in value.__closure__ or ():
        held = _content(cell)
        yield [held], _cell(cell, held)
    names = [n for n in _names(value.__code__) if n in value.__globals__]
    for name in names:
        held = value.__globals__[name]
        yield [held], _entry(value.__globals__, name, held)
    yield [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()], None


def slots(value: Any) -> Iterator[Part]:
    """Yields the attributes of an object that has them in slots."""
    for kind in type(value).__mro__:
        names = vars(kind).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if name not in {"__dict__", "__weakref__"} and hasattr(value, name):
                held = getattr(value, name)
                yield [held], _slot(value, name, held)


def array(value: np.ndarray[Any, Any]) -> Keeper:
    """Keeps the numbers of an array."""
    saved = value.copy()

    def put_back() -> None:
        value[...] = saved

    return Keeper(lambda: value.tobytes() != saved.tobytes(), put_back)


def generator(value: Any) -> Keeper:
    """Keeps the state of a generator of random numbers, of NumPy or Python."""
    if isinstance(value, Random):
        state = value.getstate()
        return Keeper(lambda: value.getstate() != state, lambda: value.setstate(state), chance=True)
    if isinstance(value, np.random.RandomState):
        old: Any = value.get_state()
        return Keeper(
            lambda: repr(value.get_state()) != repr(old), lambda: value.set_state(old), chance=True
        )
    bits = value.bit_generator
    saved = bits.state

    def put_back() -> None:
        bits.state = saved

    return Keeper(lambda: repr(bits.state) != repr(saved), put_back, chance=True)


def _anything(_: object) -> bool:
    return True


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # still empty: a function that refers to itself
        return _EMPTY


def _cell(cell: types.CellType, held: Any) -> Keeper:
    def put_back() -> None:
        if held is _EMPTY:
            del cell.cell_contents
        else:
            cell.cell_contents = held

    return Keeper(lambda: _content(cell) is not held, put_back, news=lambda: [held, _content(cell)])


def _entry(table: dict[str, Any], name: str, held: Any) -> Keeper:
    return Keeper(
        lambda: table.get(name, _EMPTY) is not held,
        lambda: table.update({name: held}),
        news=lambda: [held, table.get(name)],
    )


def _slot(value: Any, name: str, held: Any) -> Keeper:
    return Keeper(
        lambda: getattr(value, name, _EMPTY) is not held,
        lambda: object.__setattr__(value, name, held),
        news=lambda: [held, getattr(value, name, None)],
    )


def _names(code: types.CodeType) -> list[str]:
    nested = [_names(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return [*code.co_names, *(name for names in nested for name in names)]
