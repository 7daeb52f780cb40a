"""alibi's rules, read from its source: it cannot be imported beside the releases polyattr takes."""

import importlib.util
import runpy
from pathlib import Path

import numpy as np
import pytest

from polyattr.sampling import quadrature


@pytest.fixture(scope="module")
def rules():
    folder = importlib.util.find_spec("alibi").submodule_search_locations[0]
    return runpy.run_path(str(Path(folder) / "utils" / "approximation_methods.py"))


@pytest.mark.parametrize(
    ("theirs", "ours", "weight"),
    [
        ("gausslegendre", "gauss-legendre", 1),
        ("riemann_left", "left", 1),
        ("riemann_right", "right", 1),
        ("riemann_middle", "midpoint", 1),
        ("riemann_trapezoid", "trapezoid", 49 / 50),  # whose weights do not sum to 1
    ],
)
def test_nodes_and_weights(rules, theirs, ours, weight):
    sizes, alphas = (find(50) for find in rules["approximation_parameters"](theirs))
    nodes, weights = quadrature(ours, 50)
    np.testing.assert_allclose(alphas, nodes, atol=1e-14)
    np.testing.assert_allclose(sizes, weight * weights, atol=1e-14)
