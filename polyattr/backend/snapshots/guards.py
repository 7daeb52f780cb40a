"""What a snapshot read, kept so that it is compared again at the speed of C."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import attrgetter, is_
from typing import Any

from polyattr.backend.snapshots.content import Content

MISSING = object()
_content = attrgetter("cell_contents")
_code, _defaults = attrgetter("__code__"), attrgetter("__defaults__")
_keyword_defaults, _mro = attrgetter("__kwdefaults__"), attrgetter("__mro__")


class _Flat:
    """Many containers and all that was in them, one after the other: no Python for each.

    Args:
        containers: The containers, or live views of them.
        held: What was in each.
    """

    def __init__(self, containers: Sequence[Any], held: Sequence[Sequence[Any]]) -> None:
        self._containers, self._lengths = containers, list(map(len, held))
        self._held = list(chain.from_iterable(held))

    def hold(self) -> bool:
        """Says whether the same is in them, by identity."""
        if list(map(len, self._containers)) != self._lengths:
            return False
        return _same(chain.from_iterable(self._containers), self._held)


@dataclass
class Guards:
    """Everything is compared by identity, but for the contents of arrays and files.

    Attributes:
        tables: Dicts, live views of their keys and values, with what was in them.
        sequences: Lists and the like, with what was in them.
        empty: Containers that were empty.
        lookups: Names looked up in a dict, by its id: (dict, names and what they gave).
        cells: Cells of closures and what was in them.
        functions: Functions, and their code and defaults.
        objects: Instances, their types and the dicts of their attributes.
        classes: Classes and their order of bases.
        reads: Functions, what they are called on, and what they returned.
        contents: Arrays and buffers, with copies.
        files: Descriptors of open files and what the system said of them.
        flat: Tables and sequences, laid out by `seal`.
        pairs: What is read of objects, these, and what it was, of each kind there is; by `seal`.
    """

    tables: list[tuple[Any, ...]] = field(default_factory=list)
    sequences: list[tuple[Any, tuple[Any, ...]]] = field(default_factory=list)
    empty: list[Any] = field(default_factory=list)
    lookups: dict[int, tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    cells: tuple[list[Any], list[Any]] = field(default_factory=lambda: ([], []))
    hollow: list[Any] = field(default_factory=list)
    functions: tuple[list[Any], ...] = field(default_factory=lambda: ([], [], [], []))
    objects: tuple[list[Any], ...] = field(default_factory=lambda: ([], []))
    attributes: tuple[list[Any], ...] = field(default_factory=lambda: ([], []))
    classes: tuple[list[Any], ...] = field(default_factory=lambda: ([], []))
    reads: list[tuple[Callable[[Any], Any], Any, tuple[Any, ...]]] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)
    files: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    flat: tuple[_Flat, ...] = ()
    pairs: Sequence[tuple[Callable[[Any], Any], list[Any], list[Any]]] = ()

    def seal(self) -> None:
        """Lays out what was read, once all of it has been."""
        if self.tables:
            _, keys, names, values, held = zip(*self.tables, strict=True)
            self.flat += (_Flat(keys, names), _Flat(values, held))
        if self.sequences:
            self.flat += (_Flat(*zip(*self.sequences, strict=True)),)
        functions, *told = self.functions
        kinds: list[tuple[Callable[[Any], Any], tuple[list[Any], ...]]] = [
            (_content, self.cells),
            (type, self.objects),
            (vars, self.attributes),
            (_mro, self.classes),
            *zip(
                (_code, _defaults, _keyword_defaults), ((functions, t) for t in told), strict=True
            ),
        ]
        self.pairs = [(reader, held[0], held[1]) for reader, held in kinds if held[0]]

    def hold(self) -> bool:
        """Says whether everything is as it was read."""
        try:
            return self._hold()
        except Exception:  # what was there cannot even be read any more
            return False

    def _hold(self) -> bool:
        for reader, objects, held in self.pairs:
            if not _same(map(reader, objects), held):
                return False
        for table, names in self.lookups.values():
            if not _same(map(table.get, names, repeat(MISSING)), names.values()):
                return False
        for flat in self.flat:
            if not flat.hold():
                return False
        for read, value, told in self.reads:
            if not _alike(read(value), told):
                return False
        return (
            not any(self.empty)
            and all(map(_stat_holds, self.files))
            and all(map(_is_hollow, self.hollow))
            and all(map(Content.holds, self.contents))
        )

    def moved(self) -> frozenset[object]:
        """Names what is not as it was: entries of dicts, containers, cells, arrays, objects."""
        found: set[object] = set()
        for table, names in self.lookups.values():
            found.update((id(table), n) for n, h in names.items() if table.get(n, MISSING) is not h)
        for table in self.tables:
            found |= _entries(*table)
        found.update(id(s) for s, h in self.sequences if len(s) != len(h) or not _same(s, h))
        found.update(id(container) for container in self.empty if container)
        cells = zip(*self.cells, strict=True)
        found.update(id(c) for c, held in cells if _is_hollow(c) or c.cell_contents is not held)
        found.update(id(value) for read, value, held in self.reads if not _alike(read(value), held))
        found.update(id(content.value) for content in self.contents if not content.holds())
        return frozenset(found) or frozenset({None})

    # -- what the walker tells --------------------------------------------------------------------

    def table(self, owner: Any, keys: Any, values: Any) -> tuple[Any, ...]:
        """Guards the live views of a dict, which the owner keeps; returns the values of now."""
        held = tuple(values)
        self.tables.append((owner, keys, tuple(keys), values, held))
        return held

    def lookup(self, table: Any, name: str) -> Any:
        """Guards a name in a dict; returns what it gives now, or MISSING."""
        names = self.lookups.setdefault(id(table), (table, {}))[1]
        if name not in names:
            names[name] = table.get(name, MISSING)
        return names[name]

    def read(self, reader: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
        """Guards what a function returns for a value; returns it."""
        held = tuple(reader(value))
        self.reads.append((reader, value, held))
        return held

    def cell(self, cell: Any) -> tuple[Any, ...]:
        """Guards what is in a cell; returns it, or nothing where it is empty."""
        try:
            value = cell.cell_contents
        except ValueError:
            self.hollow.append(cell)
            return ()
        self.cells[0].append(cell)
        self.cells[1].append(value)
        return (value,)

    def function(self, function: Any) -> None:
        """Guards code and defaults of a function."""
        for kept, value in zip(
            self.functions,
            (function, function.__code__, function.__defaults__, function.__kwdefaults__),
            strict=True,
        ):
            kept.append(value)

    def instance(self, value: Any) -> None:
        """Guards the type of an object."""
        self.objects[0].append(value)
        self.objects[1].append(type(value))

    def attribute_table(self, value: Any, table: Any) -> None:
        """Guards which dict an object has its attributes in."""
        self.attributes[0].append(value)
        self.attributes[1].append(table)

    def bases(self, kind: type) -> None:
        """Guards the bases of a class."""
        self.classes[0].append(kind)
        self.classes[1].append(kind.__mro__)

    def file(self, descriptor: int) -> None:
        """Guards a file by what the system says of it."""
        self.files.append((descriptor, _stat(descriptor)))


def _same(now: Iterable[Any], held: Iterable[Any]) -> bool:
    return all(map(is_, now, held))


def _entries(owner: Any, keys: Any, names: Any, values: Any, held: Any) -> set[object]:
    """Names the entries of a dict that are not as they were."""
    now = dict(zip(keys, values, strict=True))
    before = dict(zip(names, held, strict=True))
    changed = [k for k in {**before, **now} if now.get(k, MISSING) is not before.get(k, MISSING)]
    return {(id(owner), key) for key in changed}


def _alike(now: Any, held: tuple[Any, ...]) -> bool:
    return len(now) == len(held) and _same(now, held)


def _is_hollow(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # an empty cell says so by raising
    except ValueError:
        return True
    return False


def _stat(descriptor: int) -> tuple[int, ...]:
    told = os.fstat(descriptor)
    return (told.st_ino, told.st_dev, told.st_size, told.st_mtime_ns)


def _stat_holds(file: tuple[int, tuple[int, ...]]) -> bool:
    return _stat(file[0]) == file[1]
