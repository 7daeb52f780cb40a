"""What a broken axiom shows: a case small enough to read, and all that is needed to repeat it."""

import re

import numpy as np
import pytest
from drawn_networks import SHAPES, Case, Shape, cases, examples
from hypothesis import given
from hypothesis import strategies as st


def test_a_failure_prints_the_case(lab):
    shown = []

    @examples(20)
    @given(data=st.data())
    def broken(data):
        shown.append(data.draw(cases(lab)))
        assert shown[-1].shape.n < 3, "three samples are too many"

    with pytest.raises(AssertionError, match="three samples are too many") as told:
        broken()
    report = "\n".join(told.value.__notes__)
    assert len(report) < 4000
    # Enough to build it again: the arrays that follow come from the seed.
    names = ("shape", "seed", "spread", "biased", "zeros")
    found = re.search(r"Draw 1: Case\((.*?zeros=[\d.]+),", report, re.DOTALL)
    again = eval(f"Case({found[1]})", {"Case": Case, "Shape": Shape})
    assert all(getattr(again, name) == getattr(shown[-1], name) for name in names)
    np.testing.assert_array_equal(again.x, shown[-1].x)
    np.testing.assert_array_equal(again.layers[0][0], shown[-1].layers[0][0])
    # The smallest of its kind, not the first that happened to fail.
    assert again.seed == 0
    assert again.zeros == 0
    assert lab.compiled or again.shape.sizes == (2, 2)


def test_the_listed_shapes_differ():
    assert {len(shape.activations) for shape in SHAPES} == {0, 1, 2, 3}  # depths
    assert {shape.weighted for shape in SHAPES} == {True, False}
    assert {name for shape in SHAPES for name in shape.activations} == {"relu", "tanh", "soft"}
    assert len({shape.sizes for shape in SHAPES}) == len(SHAPES)
