"""The suite runs every check its parts define, the verbs first, and every method."""

import inspect
import itertools
from typing import ClassVar

import pytest

from polyattr import methods
from polyattr.testing import BackendConformance, VerbConformance
from polyattr.testing.harness import Harness
from polyattr.testing.reference import METHODS, NOISY, REFERENCES, covered


def test_no_check_hides_another():
    own = [
        {name for name in vars(part) if name[:2] != "__"}
        for part in BackendConformance.__mro__[1:-1]
    ]
    for one, other in itertools.combinations(own, 2):
        assert not one & other
    checks = [name for names in own for name in names if name.startswith("test_")]
    assert len(checks) > 70
    assert set(checks) == {name for name in dir(BackendConformance) if name.startswith("test_")}


def test_the_verbs_are_a_part():
    checks = {name for name in dir(VerbConformance) if name.startswith("test_")}
    assert {"test_fold_with_repeated_indices", "test_grad_is_detached", "test_settle"} <= checks
    assert not {name for name in checks if "method" in name}
    for name in checks:  # a verb's check makes no explainer
        source = inspect.getsource(getattr(VerbConformance, name))
        assert "self.explainer(" not in source
        assert "self.method(" not in source


def test_every_method_has_a_reference():
    assert set(METHODS) == set(methods.__all__) == set(REFERENCES)
    assert {"SmoothGrad", "SquareGrad", "VarGrad"} <= set(NOISY) < set(METHODS)


@pytest.mark.parametrize(
    ("names", "missing"), [([*METHODS, "Newest"], "Newest"), (list(METHODS[1:]), METHODS[0])]
)
def test_a_method_without_a_reference_fails_loudly(names, missing):
    with pytest.raises(LookupError, match=f"{missing}: .* one entry of REFERENCES"):
        covered(names, REFERENCES)


def test_answers_to_one_question_differ_by_rounding_only_where_sums_have_no_order():
    class Ordered(Harness):
        pass

    class Unordered(Harness):
        lacks: ClassVar = {"sums in order": "rows are added by atomic operations"}

    map_, off = [1.0, 3.0], [1.0 + 2**-22, 3.0]
    for suite in (Ordered(), Unordered()):
        suite.same_again(map_, map_, "map")
        with pytest.raises(AssertionError, match="map"):
            suite.same_again([1.001, 3.0], map_, "map")
    Unordered().same_again(off, map_, "map")
    with pytest.raises(AssertionError, match="expected exactly"):
        Ordered().same_again(off, map_, "map")
