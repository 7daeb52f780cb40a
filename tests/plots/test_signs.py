"""Whether values have signs is the method's to say, and results keep it."""

import numpy as np
import pytest

import polyattr


@pytest.mark.parametrize(
    ("make", "signed"),
    [
        (polyattr.GradientInput, True),
        (polyattr.Saliency, False),
        (polyattr.SquareGrad, False),
        (lambda model: polyattr.SmoothGrad(of=polyattr.GradientInput(model)), True),
        (lambda model: polyattr.SmoothGrad(of=polyattr.Saliency(model)), False),
    ],
)
def test_a_result_says_whether_its_values_have_signs(make, signed, lab, tmp_path):
    method = make(lab.function(lambda ops, x: ops.sum(x**2)))
    result = method.attribute(lab.tensor(np.ones((2, 3))))
    assert result.signed is signed  # though none of the values is negative
    result.save(tmp_path / "map.npz")
    assert polyattr.load(tmp_path / "map.npz").signed is signed
    assert result.to_numpy().signed is signed
