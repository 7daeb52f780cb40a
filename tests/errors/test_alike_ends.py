"""A baseline that the model scores like the sample explains nothing, and is told of."""

import warnings

import numpy as np
import pytest
from labs.numpy_network import single

import polyattr
from polyattr import BaselineWarning

pytestmark = pytest.mark.filterwarnings("error::polyattr.BaselineWarning")


def hill(ops, x):
    """Zero at 0 and at 2, one between."""
    at = ops.sum(x)
    return at * (2.0 - at)


def explained(lab, body, x, **settings):
    method = polyattr.IntegratedGradients(lab.function(body), backend=lab.name, **settings)
    return method, lambda: lab.numpy(method.explain(lab.tensor(single(np.array(x)))))


@pytest.mark.parametrize("settings", [{}, {"steps": "auto", "tolerance": 0.01}])
def test_a_sample_that_scores_like_its_baseline(lab, settings):
    _, run = explained(lab, hill, [[1.5, 0.5]], **settings)
    text = (
        r"^1 of 1 samples score like their baseline: f\(x\) - f\(b\) of sample 0 is .*compare_bas"
    )
    with pytest.warns(BaselineWarning, match=text):
        found = run()
    assert abs(found.sum()) < 1e-3
    run()  # told once: a second warning would be an error here


def test_one_of_several_counts_where_points_are_chosen_by_it(lab):
    x = [[1.5, 0.5], [0.5, 0.5], [0.25, 0.5], [0.75, 0.5]]
    _, fixed = explained(lab, hill, x)
    fixed()
    _, chosen = explained(lab, hill, x, steps="auto", tolerance=0.01)
    with pytest.warns(BaselineWarning, match="^1 of 4 samples"):
        chosen()


def test_half_of_them_count_anyway(lab):
    _, run = explained(lab, hill, [[1.5, 0.5], [0.5, 0.5], [1.25, 0.75], [0.75, 0.25]])
    with pytest.warns(BaselineWarning, match="^2 of 4 samples.*sample [02] "):
        run()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_small_scores_are_not_alike(lab, scale):
    """Alike is what differs little beside what the score does on the way, not beside 1."""
    _, run = explained(lab, lambda ops, x: ops.sum(x) * scale, [[1.0, 0.5], [0.3, 0.1]])
    run()


def test_another_baseline_is_not_told_of(lab):
    method, _ = explained(lab, hill, [[1.5, 0.5]])
    x = lab.tensor(single(np.array([[1.5, 0.5]])))
    with warnings.catch_warnings():
        warnings.simplefilter("error", BaselineWarning)
        method.explain(x, baselines=lab.tensor(single(np.array([[0.5, 0.5]]))))
