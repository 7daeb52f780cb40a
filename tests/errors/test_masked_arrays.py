"""What a masked array hides, no model sees: it has to be said what stands there."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import InputError

X = np.ma.masked_greater(np.arange(6.0).reshape(2, 3), 4.0)
PLAIN = np.ones((2, 3))


@pytest.fixture(scope="module")
def method(lab):
    model = lab.function(lambda ops, x, *rest: ops.sum(x * x))
    return polyattr.IntegratedGradients(model, backend=lab.name, rule="midpoint")


def test_every_place_an_array_can_stand(lab, method):
    calls = {
        "inputs": lambda: method.explain(X),
        r"inputs\['a'\]": lambda: method.explain({"a": X}),
        "baselines": lambda: method.explain(PLAIN, baselines=X),
        "targets": lambda: method.explain(PLAIN, X[:, 0]),
        r"forward_args\[0\]": lambda: method.explain(PLAIN, forward_args=(X,)),
        "background": lambda: polyattr.ExpectedGradients(
            method.model, backend=lab.name, background=X
        ).explain(PLAIN),
    }
    hidden = np.ma.masked_array(PLAIN[:, 0], mask=[True, False])
    calls["targets"] = lambda: method.explain(PLAIN, hidden)
    for name, call in calls.items():
        with pytest.raises(InputError, match=rf"^{name} is a masked array with 1 masked of"):
            call()


def test_nothing_masked_is_an_array(lab, method):
    for mask in (False, np.zeros((2, 3), dtype=bool)):
        found = lab.numpy(method.explain(np.ma.masked_array(PLAIN * 2, mask=mask)))
        assert_close(found, PLAIN * 4)
    assert_close(lab.numpy(method.explain(X.filled(0.0))), X.filled(0.0) ** 2)
