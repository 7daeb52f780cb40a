"""A run to be killed: `slow_run.py OUT`, a shard every few hundredths of a second."""

import signal
import sys
import time

import stored
from made_models import data

import polyattr


def slowly(inputs):
    time.sleep(0.02)
    return inputs


def worker():
    return polyattr.worker("made_models:made_method", targets=0, prepare=slowly)


if __name__ == "__main__":
    import slow_run  # as the test does: a function is known by its module, too

    # Who was started in the background ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stored.explained(slow_run.worker(), data(), sys.argv[1])
