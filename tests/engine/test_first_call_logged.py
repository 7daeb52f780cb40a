"""A first call says once that it compiles, and how long that took, to those who listen."""

import logging
import re
import subprocess
import sys

import numpy as np
import pytest

import polyattr
from polyattr.backend import GradBackend
from polyattr.backend.registry import get_backend

X = np.random.default_rng(78).standard_normal((5, 3)).astype(np.float32)
SAYS = re.compile(
    r"IntegratedGradients compiled (\d+) programs in (\d+\.\d\d) s of the (\d+\.\d\d) s its first "
    r"call took"
)


@pytest.fixture
def method(lab):
    return polyattr.IntegratedGradients(lab.function(lambda ops, x: ops.sum(x * x)), steps=4)


def compiles(lab):
    return type(get_backend(lab.name)).compile is not GradBackend.compile


def test_the_first_call_says_so_once(lab, method, caplog):
    caplog.set_level(logging.INFO, logger="polyattr")
    x = lab.tensor(X)
    method.explain(x)
    first = [record for record in caplog.records if record.name == "polyattr"]
    method.explain(x)
    method.attribute(x)
    method.explain(lab.tensor(X[:2]))
    every = [record for record in caplog.records if record.name == "polyattr"]
    assert every == first
    if not compiles(lab):
        assert not every
        return
    assert [record.levelno for record in every] == [logging.INFO] * 2
    begun, done = (record.getMessage() for record in every)
    assert begun.startswith(f"IntegratedGradients compiles for {lab.name}: ")
    programs, compiling, whole = map(float, SAYS.match(done).groups())
    assert programs >= 1
    assert 0 < compiling <= whole


def test_every_method_says_it_for_itself(lab, method, caplog):
    caplog.set_level(logging.INFO, logger="polyattr")
    method.explain(lab.tensor(X))
    other = polyattr.Saliency(lab.function(lambda ops, x: ops.sum(x * x)))
    other.explain(lab.tensor(X))
    said = [record.getMessage() for record in caplog.records if record.name == "polyattr"]
    assert [line.split()[0] for line in said] == (
        ["IntegratedGradients"] * 2 + ["Saliency"] * 2 if compiles(lab) else []
    )


def test_a_first_call_that_fails_says_nothing_of_how_long(lab, caplog):
    caplog.set_level(logging.INFO, logger="polyattr")
    method = polyattr.GradientInput(lab.function(lambda ops, x: ops.sum(x * x)))
    with pytest.raises(polyattr.InputError):
        method.explain(lab.tensor(X), 7)
    said = [record.getMessage() for record in caplog.records if record.name == "polyattr"]
    assert not [line for line in said if "compiled" in line]


def test_nothing_is_configured_and_nobody_hears_it_unasked(lab):
    logger = logging.getLogger("polyattr")
    assert logger.level == logging.NOTSET
    assert not logger.handlers
    program = (
        f"import logging, numpy, polyattr, {lab.name}\n"
        "before = logging.getLogger().handlers[:], logging.getLogger().level\n"
        "x = numpy.ones((2, 3), 'float32')\n"
        f"polyattr.Saliency(lambda x: (x * x)[:, 0], backend={lab.name!r}).explain(x)\n"
        "assert not logging.getLogger('polyattr').handlers\n"
        "print('explained')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "explained\n"
    assert "compile" not in done.stderr
