"""What trials remember is bounded, whatever users pass."""

import gc
import weakref
from types import SimpleNamespace

from polyattr.probing.trial import Trials

FORWARD = SimpleNamespace(backend=None)


class Signature:
    """As of inputs that come with a lambda nobody has seen before."""


def inputs(signature):
    return SimpleNamespace(signature=lambda backend: signature)


def test_inputs_of_one_signature_share_a_trial():
    trials = Trials(FORWARD)
    assert trials.of(inputs("a")) is trials.of(inputs("a"))
    assert trials.of(inputs("a")) is not trials.of(inputs("b"))


def test_fresh_signatures_do_not_pile_up():
    trials, references = Trials(FORWARD), []
    for _ in range(200):
        signature = Signature()
        references.append(weakref.ref(signature))
        trials.of(inputs(signature))
    del signature
    gc.collect()
    living = [reference() is not None for reference in references]
    assert sum(living) <= 64
    assert living[-1]  # the newest is kept, the oldest makes room
    assert not living[0]
