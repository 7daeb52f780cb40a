"""Where a path's rows find the row before them, and which tiles have them in place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyattr.engine.plan.cut import cut_all
from polyattr.engine.plan.sheet import Sheet
from polyattr.sampling import FixedNodes, NoisyCopies, StraightPath
from polyattr.sampling.errors.neighbours import rows_before


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_each_row_follows_the_last_of_its_segment(data):
    tiles, rows, size = (data.draw(st.integers(1, most)) for most in (4, 7, 5))
    numbers = np.random.default_rng(data.draw(st.integers(0, 999)))
    segment = numbers.integers(0, size, (tiles, rows))
    valid = (numbers.random((tiles, rows)) < data.draw(st.sampled_from([0.3, 1.0]))).astype(float)
    before, last = rows_before(segment, valid, size)
    for tile in range(tiles):
        known = [rows + own for own in range(size)]
        for row in range(rows):
            own = segment[tile, row]
            if valid[tile, row]:
                assert before[tile, row] == known[own]
                known[own] = row
            else:
                assert before[tile, row] == row
        assert last[tile].tolist() == known


@pytest.mark.parametrize(("live", "rows", "own"), [(5, 5, True), (3, 5, False), (5, 4, False)])
def test_a_row_of_each_sample_in_every_tile_is_in_place(live, rows, own):
    recipe = StraightPath(nodes=FixedNodes(4))
    sheet = Sheet(samples=5, rows=rows, capacity=1000)
    for cut in cut_all(recipe.table(live), recipe, sheet, np.zeros(5)):
        assert cut.in_place == cut.in_order(5) == own


def test_a_block_that_is_not_full_runs_as_a_full_one():
    recipe = StraightPath(nodes=FixedNodes(1, "midpoint"))
    full, part = (
        next(cut_all(recipe.table(live), recipe, Sheet(5, 5, 5), np.zeros(5))) for live in (5, 3)
    )
    assert part.in_place
    assert (part.whole == full.whole).all()
    assert part.real[0, 1].tolist() == [1, 1, 1, 0, 0]
    noisy = NoisyCopies(count=1, antithetic=False, noise=(0,))
    (cut,) = cut_all(noisy.table(3), noisy, Sheet(5, 5, 5), np.zeros(5))
    assert not cut.in_order(5)  # no noise is drawn for samples that are not there


@pytest.mark.parametrize("live", [6, 4, 2])
@pytest.mark.parametrize("rows", [6, 4])
def test_samples_that_share_a_point_do_so_beside_padding(live, rows):
    recipe = StraightPath(nodes=FixedNodes(1, "midpoint"))
    for cut in cut_all(recipe.table(live), recipe, Sheet(6, rows, 6, together=2), np.zeros(6)):
        assert cut.together == 2
