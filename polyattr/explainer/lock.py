"""One call of an explainer at a time, in the process the explainer was made in."""

from __future__ import annotations

import os
import threading

from polyattr.errors import PolyattrWarning, warn


class CallLock:
    """Lets one thread in; another one waits, the same one may enter again.

    A fork copies the memory of a process but one thread only: in the child, a lock another thread
    held stays locked for ever, and so may the framework's own. The first is mended here, of the
    second a `PolyattrWarning` tells.
    """

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if self._process != os.getpid():
            self._renew()
            warn(
                "this process was forked after the explainer was made, without the threads the "
                "framework may have started: this call may never return. Start workers with "
                "multiprocessing.get_context('spawn')",
                PolyattrWarning,
            )
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()
