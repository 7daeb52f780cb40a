"""Containers inside containers, each with several arrays of its own."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

RNG = np.random.default_rng(84)
A, B, C, D = RNG.standard_normal((4, 5, 3))

# The same four arrays in other containers, and how to read them there, in the order a, b, c, d.
CASES = {
    "pairs in a dict": (
        lambda a, b, c, d: {"first": (a, b), "second": [c, d]},
        lambda v: (*v["first"], *v["second"]),
    ),
    "a pair before two arrays": (
        lambda a, b, c, d: ((a, b), c, d),
        lambda v: (*v[0], v[1], v[2]),
    ),
    "three levels": (
        lambda a, b, c, d: {"deep": {"deeper": [(a, b), c]}, "flat": d},
        lambda v: (*v["deep"]["deeper"][0], v["deep"]["deeper"][1], v["flat"]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_array_keeps_its_place(lab, case):
    make, read = CASES[case]

    def model(*parts, **named):
        value = named or (parts[0] if len(parts) == 1 else parts)
        a, b, c, d = read(value)
        return lab.ops.sum(a * 1.0 + b * 2.0 + c * c + d * d * d)

    method = polyattr.GradientInput(model, backend=lab.name, batch_size=2)
    found = read(method.explain(make(*(lab.tensor(x) for x in (A, B, C, D)))))
    for values, expected in zip(found, (A, 2 * B, 2 * C**2, 3 * D**3), strict=True):
        assert_close(lab.numpy(values), expected, 1e-5)


def test_a_baseline_for_every_array(lab):
    make, read = CASES["pairs in a dict"]

    def model(first, second):
        return lab.ops.sum(first[0] + 2.0 * first[1] + 3.0 * second[0] + 4.0 * second[1])

    path = polyattr.IntegratedGradients(model, backend=lab.name, steps=2)
    inputs = make(*(lab.tensor(x) for x in (A, B, C, D)))
    found = read(path.explain(inputs, baselines=make(0.5, -1.0, 2.0, 0.25)))
    expected = (A - 0.5, 2 * (B + 1), 3 * (C - 2), 4 * (D - 0.25))
    for values, wanted in zip(found, expected, strict=True):
        assert_close(lab.numpy(values), wanted, 1e-5)
