"""What holds for the tests of every framework."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Lets tests explain a softmax, or a hidden layer, without a word: they mean to.

    The words themselves are asserted on in `tests/errors`, where other warnings are errors.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning"))
