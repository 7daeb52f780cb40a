"""When inputs are checked for finite numbers: before the call, or by what it has told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from polyattr.backend import GradBackend
from polyattr.errors import PolyattrError
from polyattr.question.inputs import Inputs


@contextmanager
def checked_finite(inputs: Inputs, backend: GradBackend, *, late: bool) -> Iterator[None]:
    """Surrounds a call whose inputs have to be finite.

    To look at them first is to wait for the device, for nothing where they are finite: their sizes
    come back with the scores.

    Args:
        inputs: As they were read.
        backend: Reads them.
        late: Whether the call itself tells; what else goes wrong in it may be due to them.

    Raises:
        InputError: NaN or inf, with the place of the first.
    """
    if not late:
        inputs.check_finite(backend)
    try:
        yield
    except PolyattrError:
        if late:
            inputs.check_finite(backend)
        raise
