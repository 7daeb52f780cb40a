"""Whether values have signs is the method's to say, and results keep it."""

import numpy as np
import pytest

import polyattr


def square(x):
    return (x**2).sum(1)


@pytest.mark.parametrize(
    ("make", "signed"),
    [
        (polyattr.GradientInput, True),
        (polyattr.Saliency, False),
        (polyattr.SquareGrad, False),
        (lambda model, **own: polyattr.SmoothGrad(of=polyattr.GradientInput(model, **own)), True),
        (lambda model, **own: polyattr.SmoothGrad(of=polyattr.Saliency(model, **own)), False),
    ],
)
def test_a_result_says_whether_its_values_have_signs(make, signed, backend_name, tmp_path):
    method = make(square, backend=backend_name)
    result = method.attribute(np.ones((2, 3), np.float32))
    assert result.signed is signed  # though none of the values is negative
    result.save(tmp_path / "map.npz")
    assert polyattr.load(tmp_path / "map.npz").signed is signed
    assert result.to_numpy().signed is signed
