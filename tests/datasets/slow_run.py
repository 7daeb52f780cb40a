"""A run to be killed: `slow_run.py OUT`, a shard every few hundredths of a second."""

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

    stored.explained(slow_run.worker(), data(), sys.argv[1])
