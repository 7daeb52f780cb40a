"""The suite runs every check its parts define."""

import itertools

from polyattr.testing import BackendConformance


def test_no_check_hides_another():
    own = [
        {name for name in vars(part) if name[:2] != "__"} for part in BackendConformance.__bases__
    ]
    for one, other in itertools.combinations(own, 2):
        assert not one & other
    checks = [name for names in own for name in names if name.startswith("test_")]
    assert len(checks) > 70
    assert set(checks) == {name for name in dir(BackendConformance) if name.startswith("test_")}
