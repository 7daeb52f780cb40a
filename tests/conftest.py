"""Which backends a session tests, and the lab of each.

``POLYATTR_TEST_BACKENDS`` names the backends that must be there, separated by commas: one that
cannot be imported ends the session. Empty means none (the core session); unset means every backend
whose framework is installed.
"""

import os
from pathlib import Path

import pytest

# Before the framework is imported: TensorFlow reads this once, while its library loads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

pytest.register_assert_rewrite("labs")

from labs import LABS, asked_for, open_lab, under_test  # noqa: E402

# The worked example of the docs: tests/conformance alone tests it, and fails where it is missing.
WITHOUT_LAB = ("autograd",)
CHOSEN = under_test(*LABS)
# No conftest.py of its own: pytest would put the folder on the path of imports, where its
# subfolders would pass for the frameworks they are named after.
FRAMEWORKS = Path(__file__).parent / "frameworks"


def pytest_configure(config):
    for name in asked_for() or ():
        if name not in (*LABS, *WITHOUT_LAB):
            raise pytest.UsageError(
                f"POLYATTR_TEST_BACKENDS names {name!r}; there are labs for {', '.join(LABS)}"
            )
    for name in CHOSEN:
        try:
            open_lab(name)
        except ImportError as error:
            raise pytest.UsageError(f"backend {name!r} must be tested, but: {error}") from error


def pytest_report_header(config):
    return f"polyattr backends under test: {', '.join(CHOSEN) or 'none (core only)'}"


def pytest_collection_modifyitems(config, items):
    """Lets tests of a framework explain a softmax, or a hidden layer, without a word: they mean to.

    The words themselves are asserted on in `tests/errors`, where other warnings are errors. Without
    a backend, takes out the tests that need one: deselected, and counted as such.
    """
    for item in items:
        if FRAMEWORKS in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning"))
    if CHOSEN:
        return
    needing = [item for item in items if "backend_name" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=needing)
    items[:] = [item for item in items if item not in needing]


@pytest.fixture(scope="session", params=CHOSEN)
def backend_name(request):
    """Every backend under test, by name."""
    return request.param


@pytest.fixture(scope="session")
def lab(backend_name):
    """What builds models and tensors of the backend under test."""
    return open_lab(backend_name)
