"""What threads share: objects that one at a time may change, and settings of the process.

Written without generators: both surround every call, also of models that take microseconds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
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
        self._changed = threading.Condition(threading.Lock())
        self._waiting = 0

    def use(self, objects: Sequence[object]) -> AbstractContextManager[None]:
        """Waits until no other thread uses any of the `objects`, and takes them for the block."""
        return _Use(self, objects)

    def _take(self, use: _Use) -> None:
        keys, me, owners = list(map(id, use.objects)), threading.get_ident(), self._owners
        with self._changed:
            if owners:  # seldom: threads share models, or a model explains itself
                self._wait(keys, me)
                keys = [key for key in keys if key not in owners]
            use.taken = keys
            owners.update(dict.fromkeys(keys, me))

    def _wait(self, keys: list[int], me: int) -> None:
        self._waiting += 1
        try:
            self._changed.wait_for(lambda: all(self._owners.get(key, me) == me for key in keys))
        finally:
            self._waiting -= 1

    def _give_back(self, use: _Use) -> None:
        me, owners = threading.get_ident(), self._owners
        with self._changed:
            for key in use.taken:
                if owners.get(key) == me:  # not if the thread was interrupted before it was
                    del owners[key]
            if self._waiting:
                self._changed.notify_all()


class _Use(AbstractContextManager[None]):
    def __init__(self, exclusive: Exclusive, objects: Sequence[object]) -> None:
        self._exclusive = exclusive
        self.objects = objects  # alive while they are taken: no other object gets their ids
        self.taken: list[int] = []

    def __enter__(self) -> None:
        try:
            self._exclusive._take(self)
        except BaseException:
            self._exclusive._give_back(self)
            raise

    def __exit__(self, *error: object) -> None:
        self._exclusive._give_back(self)


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

    def held(self) -> AbstractContextManager[None]:
        """Surrounds a block that needs the setting."""
        return _Held(self)

    def _begin(self, user: object) -> None:
        with self._lock:
            if not self._users:
                self._before = self._read()
                self._write(self._value)
            self._users.add(user)

    def _end(self, user: object) -> None:
        with self._lock:
            if user in self._users:
                self._users.remove(user)
                if not self._users:
                    self._write(self._before)


class _Held(AbstractContextManager[None]):
    def __init__(self, setting: SharedSetting) -> None:
        self._setting = setting

    def __enter__(self) -> None:
        self._setting._begin(self)

    def __exit__(self, *error: object) -> None:
        self._setting._end(self)


def _after_fork(renew: Callable[[], None]) -> None:
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(after_in_child=renew)
