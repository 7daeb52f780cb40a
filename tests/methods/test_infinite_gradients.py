"""Gradients that grow without end towards the baseline: right to the stated error, or said."""

import warnings

import numpy as np
import pytest

import polyattr

X = np.array([[1.0, 2.0, 0.5], [0.3, 0.1, 4.0]])


def root(ops, x):
    return ops.sum(ops.sqrt(x))


def logarithm(tiny):
    def body(ops, x):
        return ops.sum(ops.log(x + tiny))

    return body


def logarithm_where_there_is_one(ops, x):
    """Zero at zero, and far below it right beside."""
    return ops.sum(ops.where(x > 0, ops.log(x), x * 0))


TRUE = {
    root: np.sqrt(X),
    (tiny := logarithm(1e-6)): np.log(X / 1e-6 + 1),
    (least := logarithm(1e-30)): np.log(X / 1e-30 + 1),
    # From zero to just above it the score falls without end: there is no map.
    logarithm_where_there_is_one: np.full(X.shape, np.nan),
}
NAMES = ["root", "log(x + 1e-6)", "log(x + 1e-30)", "log, and 0 at 0"]
SETTINGS = [
    {},
    {"steps": 2},
    {"steps": 1000},
    {"rule": "midpoint"},
    {"rule": "gauss-legendre"},
    {"rule": "clenshaw-curtis"},
    {"steps": "auto"},
    {"rule": "exact"},
]


@pytest.mark.filterwarnings("ignore::polyattr.BaselineWarning")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("body", "true"), TRUE.items(), ids=NAMES)
def test_never_a_silent_wrong_number(lab, body, true, settings):
    with lab.double(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        method = polyattr.IntegratedGradients(lab.function(body), backend=lab.name, **settings)
        try:
            found = lab.numpy(method.explain(lab.tensor(X, "float64")))
        except polyattr.NonFiniteGradientError:
            return
    far = np.abs(found - true).sum(axis=1) / np.abs(true).sum(axis=1)
    told = any(issubclass(one.category, polyattr.ConvergenceWarning) for one in said)
    assert told or (far <= 0.05).all()
