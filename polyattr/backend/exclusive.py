"""What threads share: objects that one at a time may change, and settings of the process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Exclusive:
    """Lets one thread at a time use an object, without anything left on the object.

    All objects a thread asks for are taken together: of two threads that want overlapping sets,
    such as two models with one encoder, neither holds a part and waits for the other. A thread may
    ask again for what it has. Ids are kept while they are held, and nothing after that. A child
    process starts with nothing taken: the threads that took it do not exist there.
    """

    def __init__(self) -> None:
        self._renew()
        _after_fork(self._renew)

    def _renew(self) -> None:
        self._owners: dict[int, int] = {}
        self._changed = threading.Condition()

    @contextmanager
    def use(self, objects: Iterable[object]) -> Iterator[None]:
        """Waits until no other thread uses any of the `objects`, and takes them for the block."""
        wanted = {id(entry): entry for entry in objects}  # alive while they are taken
        me, changed, owners = threading.get_ident(), self._changed, self._owners
        with changed:
            changed.wait_for(lambda: all(owners.get(key, me) == me for key in wanted))
            taken = [key for key in wanted if key not in owners]
            owners.update(dict.fromkeys(taken, me))
        try:
            yield
        finally:
            with changed:
                for key in taken:
                    del owners[key]
                changed.notify_all()


class SharedSetting:
    """A setting of the process, changed by the first thread that needs it, put back by the last.

    A thread that read and restored it alone would restore what another one has set meanwhile.

    Args:
        read: Returns the setting.
        write: Sets it.
        value: What it is while anybody needs it.
    """

    def __init__(self, read: Callable[[], Any], write: Callable[[Any], object], value: Any) -> None:
        self._read, self._write, self._value = read, write, value
        self._before: Any = None
        self._users: set[object] = set()
        self._lock = threading.Lock()
        _after_fork(self._renew)

    def _renew(self) -> None:
        # The other threads' blocks have no end in this process.
        self._lock = threading.Lock()
        if self._users:
            self._users = set()
            self._write(self._before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Surrounds a block that needs the setting."""
        user = object()
        with self._lock:
            if not self._users:
                self._before = self._read()
                self._write(self._value)
            self._users.add(user)
        try:
            yield
        finally:
            with self._lock:
                if user in self._users:
                    self._users.remove(user)
                    if not self._users:
                        self._write(self._before)


def _after_fork(renew: Callable[[], None]) -> None:
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(after_in_child=renew)
