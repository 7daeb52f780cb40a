"""What any call may do: a finite result, or a refusal that names the argument. Nothing else."""

import warnings

import numpy as np
from hypothesis import HealthCheck, settings
from labs import COMPILED

import polyattr


def examples(count):
    """Runs the same examples every time; a first one may compile, so there is no deadline.

    What an argument may be is decided in the core: all examples are tried where they cost little,
    a third of them where many compile.
    """
    return settings(
        max_examples=count // 3 if COMPILED else count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def allowed(call, *names):
    """Makes a call; returns its result, or None after a proper refusal.

    Args:
        call: Takes no arguments.
        names: What a refusal may name, at least one of which it must.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", polyattr.PolyattrWarning)
        try:
            return call()
        except polyattr.PolyattrError as refusal:
            caught = refusal
    assert isinstance(caught, ValueError | TypeError | ImportError)
    assert any(name in str(caught) for name in names), f"names none of {names}: {caught}"
    return None


def assert_like(values, inputs):
    """Asserts finite values in the shape of the inputs."""
    assert values.shape == inputs.shape
    assert np.isfinite(values).all()


def leaves(value):
    """Lists what nested containers hold."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list | tuple):
        return [value]
    return [leaf for part in value for leaf in leaves(part)]
