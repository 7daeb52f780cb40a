"""Why a first call takes longer: logged once, for whoever listens to the logger "polyattr"."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from polyattr.engine.kernels import Kernels

_LOGGER = logging.getLogger("polyattr")
_TOLD = "compiles"


def first_call(
    name: str, framework: str, kernels: Kernels, told: set[str]
) -> AbstractContextManager[None]:
    """Surrounds a call: the first one says that it compiles, and how long that took.

    Where the framework compiles nothing, there is nothing to say. Nothing is configured: without a
    handler of the user's for INFO nobody sees it.

    Args:
        name: The method's.
        framework: Its framework's.
        kernels: What is compiled.
        told: What the user was told of this method already.
    """
    if _TOLD in told or not kernels.compiling:
        return nullcontext()
    return _logged(name, framework, kernels, told)


@contextmanager
def _logged(name: str, framework: str, kernels: Kernels, told: set[str]) -> Iterator[None]:
    told.add(_TOLD)
    _LOGGER.info(
        "%s compiles for %s: its first call of a kind (shapes, containers, targets) takes longer",
        name,
        framework,
    )
    started = time.perf_counter()
    yield
    took = time.perf_counter() - started
    _LOGGER.info(
        "%s compiled %d programs in %.2f s of the %.2f s its first call took; later calls like it "
        "use the same programs",
        name,
        kernels.made,
        kernels.seconds,
        took,
    )
