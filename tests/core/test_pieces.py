"""Blocks of few sizes: each is compiled, so calls of any number of samples share a few."""

import itertools

import numpy as np
import pytest

from polyattr.engine.plan.pieces import ladder, plan_pieces, row_tiles, tile_rows
from polyattr.engine.plan.sheet import plan_sheet
from polyattr.sampling import AdaptiveNodes, Draws, FixedNodes, NoisyCopies, Recipe, StraightPath

RECIPES = {
    "one row": Recipe(),
    "10 nodes": StraightPath(nodes=FixedNodes(10)),
    "51 nodes": StraightPath(nodes=FixedNodes(51)),
    "50 draws": NoisyCopies(noise=Draws(0), count=50),
    "own draws": NoisyCopies(noise=Draws(0, shared=False), count=12),
    "rounds": StraightPath(nodes=AdaptiveNodes(most=64, tolerance=0.01)),
}
ROWS = (1, 4, 12, 63, 255, 700, 1000, 1200, 2000, 4096)
# 40 samples in turn, and every size up to a thousand that a prime step reaches.
SEQUENCES = (range(1, 41), range(1, 1001, 7))
every_recipe = pytest.mark.parametrize("name", RECIPES)
# Of others, rows follow what gradients tell: tiles are padded by the last one of a round.
of_one_round = pytest.mark.parametrize("name", [n for n in RECIPES if RECIPES[n].one_round])


@every_recipe
@pytest.mark.parametrize("most", ROWS)
def test_every_sample_is_in_one_block_of_one_of_six_sizes(name, most):
    sheets = set()
    for n in itertools.chain(*SEQUENCES):
        pieces = plan_pieces(n, RECIPES[name], most, few=True)
        assert [piece.first for piece in pieces] == np.cumsum(
            [0, *(piece.live for piece in pieces[:-1])]
        ).tolist()
        assert sum(piece.live for piece in pieces) == n
        assert all(0 < piece.live <= piece.sheet.samples for piece in pieces)
        assert all(piece.sheet.rows <= most for piece in pieces)
        assert tile_rows([RECIPES[name]], n, most, few=True) == max(p.sheet.rows for p in pieces)
        sheets |= {piece.sheet for piece in pieces}
    assert len(sheets) <= 6


@of_one_round
@pytest.mark.parametrize(("most", "numbers"), list(itertools.product(ROWS, SEQUENCES)))
def test_little_of_it_is_padding(name, most, numbers):
    points = len(RECIPES[name].table(1))
    computed = sum(
        piece.tiles * piece.sheet.rows
        for n in numbers
        for piece in plan_pieces(n, RECIPES[name], most, few=True)
    )
    assert computed <= 1.11 * points * sum(numbers)


@pytest.mark.parametrize("most", ROWS)
@pytest.mark.parametrize("n", [1, 8, 32])
def test_usual_batches_are_not_padded(n, most):
    """Powers of two that a tile may have are sizes, or made of some."""
    pieces = plan_pieces(n, Recipe(), most, few=True)
    assert all(piece.live == piece.sheet.samples for piece in pieces)


@every_recipe
def test_several_targets_stay_together(name):
    for n, fan in itertools.product((3, 30, 300), (2, 3)):
        pieces = plan_pieces(n * fan, RECIPES[name], 12, fan, few=True)
        assert sum(piece.live for piece in pieces) == n * fan
        assert all(piece.first % fan == piece.live % fan == 0 for piece in pieces)
        assert all(piece.sheet.samples % fan == 0 for piece in pieces)
        assert all(piece.sheet.rows % piece.sheet.together == 0 for piece in pieces)


@every_recipe
@pytest.mark.parametrize("most", [5, 64, None])
def test_by_number_blocks_are_balanced(name, most):
    for n in (1, 5, 40):
        sheet = plan_sheet(n, RECIPES[name], most)
        assert {piece.sheet for piece in plan_pieces(n, RECIPES[name], most)} == {sheet}
    assert list(row_tiles(10, 4, few=False)) == [(0, 4), (4, 4), (8, 4)]


@pytest.mark.parametrize("most", ROWS)
def test_tiles_of_rows_alone_have_few_sizes(most):
    sizes = set()
    for n in itertools.chain(*SEQUENCES):
        tiles = list(row_tiles(n, most, few=True))
        ends = [first + size for first, size in tiles]
        assert [first for first, _ in tiles] == [0, *ends[:-1]]
        assert ends[-1] >= n > tiles[-1][0]
        sizes |= {size for _, size in tiles}
    assert len(sizes) <= 6
    assert sizes <= set(ladder(most))


CALLS = (13, 651)
"""What one more call costs on an accelerator, in rows of 224 x 224 pixels and of 32 x 32."""


@every_recipe
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("most", [64, 1627, 4096])
def test_on_accelerators_too_six_sizes_serve_a_thousand_samples(name, most, call):
    sheets = set()
    for n in itertools.chain(*SEQUENCES):
        pieces = plan_pieces(n, RECIPES[name], most, few=True, call=call)
        assert sum(piece.live for piece in pieces) == n
        assert all(0 < piece.live <= piece.sheet.samples for piece in pieces)
        assert all(piece.sheet.rows <= most for piece in pieces)
        sheets |= {piece.sheet for piece in pieces}
    assert len(sheets) <= 6


@pytest.mark.parametrize("name", ["one row", "10 nodes", "51 nodes", "50 draws"])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 16, 20, 31, 32])
def test_on_accelerators_what_fits_a_call_takes_one(name, n):
    """Of 3 x 32 x 32 pixels: a call costs more than the rows that fill it up."""
    pieces = plan_pieces(n, RECIPES[name], 1700, few=True, call=651)
    assert [piece.tiles for piece in pieces] == [1]
    tiles = list(row_tiles(n, 1700, few=True, call=651))
    assert len(tiles) == 1
    assert tiles[0][1] <= max(8, 4 * n)


@pytest.mark.parametrize("n", [33, 40, 65, 100])
def test_on_accelerators_large_samples_are_not_filled_up_for_a_call(n):
    """Of 3 x 224 x 224 pixels, whose gradient takes longer than a call."""
    pieces = plan_pieces(n, Recipe(), 64, few=True, call=13)
    assert sum(piece.sheet.rows for piece in pieces) <= n + 26


@of_one_round
@pytest.mark.parametrize("most", ROWS)
def test_accelerators_take_no_more_time_by_their_own_price(name, most):
    """Calls and rows together cost no more than the blocks that a CPU takes."""
    points, call = len(RECIPES[name].table(1)), 651

    def price(pieces):
        tiles = sum(piece.tiles for piece in pieces)
        rows = sum(piece.tiles * piece.sheet.rows for piece in pieces)
        return rows + call * (tiles + len(pieces))

    for n in (1, 3, 16, 33, 100, 1000):
        cheap = price(plan_pieces(n, RECIPES[name], most, few=True, call=call))
        assert cheap <= 1.05 * price(plan_pieces(n, RECIPES[name], most, few=True)) + points
