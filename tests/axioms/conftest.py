"""The bench of each backend under test."""

import pytest
from drawn_networks import Bench


@pytest.fixture(scope="session")
def benches():
    """Compiled explainers are kept for the whole session."""
    return {}


@pytest.fixture(scope="module")
def bench(lab, benches):
    """Explains drawn networks on the backend under test, in float64.

    An identity is then told from a near miss by ten orders of magnitude.
    """
    with lab.double():
        yield benches.setdefault(lab.name, Bench(lab))
