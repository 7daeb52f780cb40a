"""What native libraries write while they load: shown only where importing them fails."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def quiet_start() -> Iterator[None]:
    """Holds back what the process writes to standard error, below Python too.

    TensorFlow's library says which instructions it found, whatever it is asked to log: an error of
    the user's would not be one line. What was held back is written if importing fails.
    """
    sys.stderr.flush()
    try:
        kept = os.dup(_STDERR)
    except OSError:  # there is none
        yield
        return
    with tempfile.TemporaryFile() as held, os.fdopen(kept, "wb", buffering=0) as shown:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        except ImportError:
            held.seek(0)
            shutil.copyfileobj(held, shown)
            raise
        finally:
            os.dup2(shown.fileno(), _STDERR)
