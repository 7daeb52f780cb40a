"""What one walk has found so far."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from typing import Any

from polyattr.backend.snapshots.guards import Guards
from polyattr.backend.snapshots.names import CodeNames


@dataclass
class Namespace:
    """Named things of which only those are followed whose name some reachable code has.

    Attributes:
        table: The dict of a module, live; of a class, live as well.
        waiting: What of a class's may be asked for; None for a module, all of which may be.
        library: Whether it is a library's: then what is found there is not taken apart.
        asked: How many of the trail's names were looked for.
        done: The names that were found.
    """

    table: Any
    waiting: dict[str, Any] | None
    library: bool
    asked: int = 0
    done: set[str] = field(default_factory=set)


@dataclass
class Trail:
    """Tokens say by value what was found, in order; guards see fast that nothing was replaced.

    Attributes:
        watched: Where following ends.
        tokens: Equal for two walks that found the same.
        guards: What to look at again.
        kept: What tokens refer to by its id.
        doubt: What could not be followed, or None.
        names: Names in reachable code, in the order they were found.
        any_name: Whether some code may ask for any name.
        namespaces: Modules and classes met.
        codes: What code names, by the code's id, with the code.
    """

    tokens: list[Any] = field(default_factory=list)
    guards: Guards = field(default_factory=Guards)
    kept: list[Any] = field(default_factory=list)
    doubt: str | None = None
    names: dict[str, None] = field(default_factory=dict)
    any_name: bool = False
    namespaces: list[Namespace] = field(default_factory=list)
    codes: dict[int, tuple[types.CodeType, CodeNames]] = field(default_factory=dict)

    def one(self, kind: str, value: Any) -> list[Any]:
        """Notes an object by its identity; nothing in it is followed."""
        self.tokens += (kind, id(value))
        self.kept.append(value)
        return []

    def doubtful(self, value: Any, why: str) -> list[Any]:
        """Notes an object whose state cannot be seen."""
        self.doubt = self.doubt or why
        return self.one("unseen", value)

    def code(self, code: types.CodeType, known: dict[str, Any]) -> CodeNames:
        """Takes up what code names; `known` are its globals."""
        if id(code) not in self.codes:
            self.codes[id(code)] = (code, CodeNames.of(code))
        found = self.codes[id(code)][1]
        self.names.update(found.every)
        self.any_name = self.any_name or found.any_attribute
        if (unseen := found.unseen(known)) is not None:
            self.doubt = self.doubt or f"{code.co_name} uses {unseen}"
        return found

    def released(self) -> list[tuple[Any, bool]]:
        """Returns what the names found since the last time reach, and whether in a library."""
        names = list(self.names)
        found: list[tuple[Any, bool]] = []
        for space in self.namespaces:
            table = space.table if space.waiting is None else space.waiting
            everything = self.any_name and not space.library
            asked = list(table) if everything else names[space.asked :]
            space.asked = len(names)
            for name in asked:
                if name in table and name not in space.done:
                    space.done.add(name)
                    self.tokens.append(name)
                    if space.waiting is None:
                        self.guards.lookup(table, name)
                    found.append((table[name], space.library))
        return found
