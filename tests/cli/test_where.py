"""The filter: what it means, and that it is parsed and never evaluated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyattr.cli.asking.where import FIELDS, read_where
from polyattr.cli.exits import WrongUseError

FACTS = {
    "score": np.array([-1.0, 0.2, 0.7, np.nan]),
    "error": np.array([0.0, 0.5, 0.01, 0.2]),
    "gap": np.array([0.1, -0.4, 0.0, 0.2]),
    "converged": np.array([True, False, True, False]),
    "target": np.array([0, 1, 1, 2]),
    "class": np.array(["cat", "a and b", "a and b", "it's"], dtype=object),
    "name": np.array(["x.png", "y.png", "(z)", "w"], dtype=object),
    "sample": np.arange(4),
}


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("score < 0.5", [0, 1]),
        ("score<0.5", [0, 1]),
        ("0.5 > score", [0, 1]),
        ("score != 0.2", [0, 2, 3]),  # NaN is no number, and another one than each
        ("not score < 0.5", [2, 3]),
        ("-1 <= score <= 0.2", [0, 1]),
        ("score < -0.5", [0]),
        ("abs(gap) > .15", [1, 3]),
        ("abs(gap) >= 2e-1", [1, 3]),
        ("-gap == 0.4", [1]),
        ("gap > error", [0]),
        ("converged", [0, 2]),
        ("not converged", [1, 3]),
        ("not not converged", [0, 2]),
        ("converged == false", [1, 3]),
        ("target == 1 and not converged", [1]),
        ("target == 0 or target == 2 and converged", [0]),
        ("(target == 0 or target == 2) and not converged", [3]),
        ("class == 'a and b'", [1, 2]),
        ('class == "it\'s"', [3]),
        ("name != '(z)' and sample > 0", [1, 3]),
        ("true", [0, 1, 2, 3]),
        ("sample == 2", [2]),
    ],
)
def test_meaning(text, samples):
    found = read_where(text)(FACTS)
    mask = np.broadcast_to(found, (4,))
    assert np.flatnonzero(mask).tolist() == samples


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends too early"),
        ("score", "has a number where a comparison is expected"),
        ("score <", "ends too early"),
        ("score = 1", "has = for =="),
        ("score < 1 2", "goes on with '2'"),
        ("score < 'a'", "compares a number with a text"),
        ("class < 'a'", "orders texts"),
        ("scores < 1", "names 'scores'. Did you mean 'score'?"),
        ("cat == class", "texts stand in quotes"),
        ("(score < 1", "lacks a )"),
        ("score < 1)", "goes on with ')'"),
        ("score < 1 and error", "has a number where"),
        ("not score", "has a number where"),
        ("-converged", "before what is no number"),
        ("abs(class) == 1", "abs of what is no number"),
        ("__import__('os').system('touch hacked')", "names '__import__'"),
        ("score.__class__ == 1", "goes on with '.'"),
        ("score ** 9 ** 9 ** 9 < 1", "goes on with '*'"),
        ("(lambda: 1)() == 1", "names 'lambda'"),
        ("(" * 5000 + "true", "is longer than"),
        ("(" * 900 + "true" + ")" * 900, "too deep"),
        ("not " * 400 + "true", "too deep"),
        ("-" * 400 + "score < 1", "too deep"),
        ("and", "where a field, a number or a quoted text is expected"),
        ("\x1b[31m", "where a field"),
    ],
)
def test_what_is_no_filter(text, said):
    with pytest.raises(WrongUseError) as told:
        read_where(text)
    assert said in str(told.value)


def test_a_field_that_is_not_there():
    with pytest.raises(WrongUseError, match="names gap, which this result does not have"):
        read_where("gap > 0")({"score": FACTS["score"]})


PIECES = [*FIELDS, "<", "<=", "==", "!=", "(", ")", "and", "or", "not", "-", "abs", "1", "'a'", "="]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14))
def test_anything_is_a_filter_or_refused(pieces):
    try:
        chosen = read_where(" ".join(pieces))
    except WrongUseError:
        return
    assert np.broadcast_to(chosen(FACTS), (4,)).dtype == bool
