"""The tables of a call: every row once, in tiles of equal shape, little of it padding."""

import itertools
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from labs.integrands import Integrands

from polyattr.engine.ledger import Entry, told
from polyattr.engine.plan.cut import cut_all
from polyattr.engine.plan.sheet import Sheet, auto_batch_size, balanced, plan_sheet
from polyattr.engine.tile import Sheaf, Tile
from polyattr.question.references import References
from polyattr.sampling import (
    AdaptiveNodes,
    FixedNodes,
    NoisyCopies,
    Recipe,
    Rows,
    StraightPath,
    Told,
    Variance,
)

SIZES = list(itertools.product([1, 2, 3, 5, 9, 17], [1, 2, 7, 50], [1, 2, 3, 4, 8, 64, None]))
ON_HOST = SimpleNamespace(unstack=list, to_numpy=np.asarray)


@dataclass(frozen=True)
class OneByOne(Recipe):
    """Rows that follow each other, as on a path that turns."""

    sequential = True
    count: int = 5

    def table(self, n):
        turns = np.arange(self.count)
        return Rows.over(n, weight=np.full(self.count, 1 / self.count), turn=turns)


def midpoints(points):
    return StraightPath(nodes=FixedNodes(points, "midpoint"))


def blocks_of(n, recipe, batch_size):
    """The shapes of a call, and per block its samples and its tiles."""
    sheet = plan_sheet(n, recipe, batch_size)
    blocks = []
    for first in range(0, n, sheet.samples):
        live = min(sheet.samples, n - first)
        seen = np.zeros(sheet.samples * recipe.parts)
        blocks.append((live, list(cut_all(recipe.table(live), recipe, sheet, seen))))
    return sheet, blocks


def columns(cut, recipe, origin="none"):
    """The columns of each tile, as the kernel takes them apart."""
    tile = Tile(SimpleNamespace(backend=ON_HOST), recipe, None, None, cut.table, origin, False)
    return [
        tile._columns(
            Sheaf(cut.whole[t], cut.real[t], [s] if len(s := cut.segments[t]) else [], [])
        )
        for t in range(cut.tiles)
    ]


def computed(cuts, recipe, names):
    """The rows of all tiles but their padding, as tuples of the named columns."""
    found = []
    for column in itertools.chain.from_iterable(columns(cut, recipe) for cut in cuts):
        valid = column.folded.valid > 0
        found += zip(*(getattr(column.rows, name)[valid].tolist() for name in names), strict=True)
    return found


@pytest.mark.parametrize(
    ("total", "most", "parts"),
    [(50, 7, (8, 7)), (50, 64, (1, 50)), (50, 49, (2, 25)), (5, 2, (3, 2)), (1, 1, (1, 1))],
)
def test_balanced_parts(total, most, parts):
    assert balanced(total, most) == parts


@pytest.mark.parametrize(("n", "points", "batch_size"), SIZES)
def test_every_row_is_computed_once(n, points, batch_size):
    recipe = midpoints(points)
    sheet, blocks = blocks_of(n, recipe, batch_size)
    assert sheet.rows <= (batch_size or n * points)
    assert sum(live for live, _ in blocks) == n
    for live, cuts in blocks:
        pairs = computed(cuts, recipe, ("sample", "alpha"))
        assert len(pairs) == len(set(pairs)) == live * points
        assert {sample for sample, _ in pairs} == set(range(live))
        assert all(cut.whole.shape[2] == cut.real.shape[2] == sheet.rows for cut in cuts)
        weights = np.zeros(sheet.samples)
        for column in itertools.chain.from_iterable(columns(cut, recipe) for cut in cuts):
            np.add.at(weights, column.folded.segment, column.folded.weight)
        assert np.allclose(weights[:live], 1, atol=1e-12)
        assert not weights[live:].any()


@pytest.mark.parametrize(("n", "points", "batch_size"), SIZES)
def test_padding_is_at_most_a_row_per_tile(n, points, batch_size):
    sheet, blocks = blocks_of(n, midpoints(points), batch_size)
    tiles = sum(cut.tiles for _, cuts in blocks for cut in cuts)
    assert tiles * sheet.rows - n * points <= tiles


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("batch_size", [1, 4, 7, 40, None])
def test_every_row_finds_its_draw(batch_size, antithetic):
    recipe = NoisyCopies(
        noise=(0, "portable"), count=11, deviation=0.5, antithetic=antithetic, least=100
    )
    copies = {}
    for _, cuts in blocks_of(3, recipe, batch_size)[1]:
        needed = np.concatenate([numbers for cut in cuts for numbers in cut.draws])
        assert needed.max() == recipe.draw.max()  # nothing is drawn that nobody needs
        for cut in cuts:
            for column, numbers in zip(columns(cut, recipe), cut.draws, strict=True):
                assert (numbers[column.slot] == column.rows.draw).all()
                assert set(numbers.tolist()) == set(column.rows.draw.tolist())
                valid = column.folded.valid > 0
                for sample, draw, scale in zip(
                    column.sample[valid],
                    column.rows.draw[valid],
                    column.rows.scale[valid],
                    strict=True,
                ):
                    copies.setdefault(int(sample), []).append((int(draw), float(scale)))
    signs = [-0.5 if antithetic and copy % 2 else 0.5 for copy in range(11)]
    expected = sorted(zip(recipe.draw.tolist(), signs, strict=True))
    assert all(sorted(own) == expected for own in copies.values())


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize(("count", "least"), [(1, 1), (5, 1), (16, 1), (50, 1), (50, 2), (3, 2)])
def test_groups_are_whole_draws_of_similar_size(count, least, antithetic):
    draws = -(-count // 2) if antithetic else count
    recipe = NoisyCopies(count=count, antithetic=antithetic, least=least)
    assert (np.diff(recipe.group) >= 0).all()
    sizes = np.bincount([recipe.group[recipe.draw == d][0] for d in range(draws)])
    assert len(sizes) == recipe.parts == min(8, max(1, draws // least))
    assert sizes.min() >= least
    assert sizes.max() - sizes.min() <= 1
    for d in range(draws):
        assert len(set(recipe.group[recipe.draw == d])) == 1
    assert (recipe.table(1).part == recipe.group).all()


@pytest.mark.parametrize("capacity", [4, 8, 1000])
def test_the_factors_of_a_merged_variance(capacity):
    # Merging tile by tile, and table by table, must give the sum of squared deviations of all rows
    # of a sample.
    rng = np.random.default_rng(0)
    recipe = NoisyCopies(statistic=Variance(), count=10, least=5)
    sheet = Sheet(samples=3, rows=4, capacity=capacity)
    values = rng.standard_normal((3, 10))
    mean, squares = np.zeros((2, 3 * 2))
    for cut in cut_all(recipe.table(3), recipe, sheet, np.zeros(6)):
        for column in columns(cut, recipe):
            rows, folded = values[column.sample, column.rows.draw], column.folded
            gain, cross = folded.segments
            for segment in np.unique(folded.segment[folded.valid > 0]):
                kept = (folded.segment == segment) & (folded.valid > 0)
                mine = rows[kept]
                delta = mine.mean() - mean[segment]
                squares[segment] += ((mine - mine.mean()) ** 2).sum()
                squares[segment] += delta**2 * cross[segment]
                mean[segment] += delta * gain[segment]
                # What the kernel takes the tile's own mean from: a first row, and shares.
                (first,), (leads, share) = folded.whole, folded.real
                assert rows[kept] @ leads[kept] + (rows - rows[first])[kept] @ share[kept] == (
                    pytest.approx(mine.mean(), abs=1e-12)
                )
    for group, sample in itertools.product(range(2), range(3)):
        mine = values[sample, recipe.group == group]
        assert mean[group * 3 + sample] == pytest.approx(mine.mean(), abs=1e-12)
        expected = ((mine - mine.mean()) ** 2).sum()
        assert squares[group * 3 + sample] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [1, 3, 9, 17])
@pytest.mark.parametrize("count", [1, 5, 70])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 64, None])
def test_steps_of_one_sample_never_share_a_tile(n, count, batch_size):
    recipe = OneByOne(count=count)
    sheet, blocks = blocks_of(n, recipe, batch_size)
    assert sheet.rows <= (batch_size or n)
    for live, cuts in blocks:
        turns = []
        for cut in cuts:
            placed = []
            for column in columns(cut, recipe):
                valid = column.folded.valid > 0
                assert len(set(column.sample[valid].tolist())) == valid.sum()
                assert len(column.sample) == sheet.rows
                turns += column.rows.turn[valid].tolist()
                placed += column.place[0][valid].tolist()
            assert placed == cut.position.tolist()  # told where it is written
        assert turns == np.repeat(np.arange(count), live).tolist()  # in order, for every sample


@pytest.mark.parametrize("capacity", [4, 8, 12, 1000])
def test_a_table_longer_than_the_log_is_told_row_by_row(capacity):
    recipe = midpoints(9)
    table = recipe.table(3)
    sheet = Sheet(samples=3, rows=4, capacity=capacity)
    entries, seen = [], np.zeros(3)
    scored = table.sample + 10 * table.alpha
    for cut in cut_all(table, recipe, sheet, seen):
        assert cut.tiles <= capacity // sheet.rows
        log = np.zeros(2 * capacity)
        for column in columns(cut, recipe):
            score = column.rows.sample + 10 * column.rows.alpha
            np.add.at(log, column.place[0], score)
            np.add.at(log, column.place[1], -score)
        scores, slopes = log.reshape(2, -1)[:, cut.position]
        entries.append(Entry(cut.rows, Told(lambda a=scores, b=slopes: (a, b))))
        seen = cut.seen
    assert len(entries) == max(1, -(-27 // min(capacity, 28)))
    for name in ("sample", "alpha", "weight", "part"):
        joined = np.concatenate([getattr(known.rows, name) for known in entries])
        assert (joined == getattr(table, name)).all()
    both = told(entries)
    assert (both.scores == scored).all()
    assert (both.slopes == -scored).all()
    assert seen.tolist() == [9, 9, 9]


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64, None])
def test_samples_that_take_part_in_different_rounds(batch_size):
    n, nodes = 5, AdaptiveNodes(most=70, tolerance=2e-3)
    recipe = StraightPath(nodes=nodes)
    sheet = plan_sheet(n, recipe, batch_size)
    assert sheet.samples == n
    seen, asked = np.zeros(n * recipe.parts), []
    # Sample k has k kinks.
    places = np.array([0.21, 0.43, 0.58, 0.87])
    kinked = [lambda a, k=k: 1.0 * (a[:, None] > places[:k]) for k in range(1, n)]
    integrands = Integrands([lambda a: a[:, None] * 0 + 1.0, *kinked])
    rounds = recipe.rounds(n, integrands)
    rows = next(rounds)
    while rows is not None:
        cuts = list(cut_all(rows, recipe, sheet, seen))
        assert all(cut.whole.shape[2] == cut.real.shape[2] == sheet.rows for cut in cuts)
        pairs = computed(cuts, recipe, ("sample", "alpha"))
        expected = zip(rows.sample.tolist(), rows.alpha.tolist(), strict=True)
        assert sorted(pairs) == sorted(expected)
        assert len(pairs) == len(set(pairs))
        seen = cuts[-1].seen
        asked.append(sorted(set(rows.sample.tolist())))
        told = integrands.told(rows, np.where(rows.alpha == 0, nodes.inside, rows.alpha))
        try:
            rows = rounds.send(told)
        except StopIteration:
            rows = None
    assert asked[0] == [0, 1, 2, 3, 4]
    assert len(asked) > 2
    assert all(set(later) <= set(sooner) for sooner, later in itertools.pairwise(asked))
    taken = [len(own) for own in integrands.parts]
    assert seen.reshape(recipe.parts, n).sum(axis=0).tolist() == taken
    assert taken[0] == 9
    assert len(set(taken)) > 2


def test_rows_that_differ_in_number_fill_tiles_of_the_same_shape():
    samples = np.array([3, 0, 0, 2, 2, 2, 2, 0])
    alpha = np.linspace(0, 1, 8)
    rows = Rows(samples, np.zeros(8, np.int64), np.full(8, 0.25), alpha=alpha)
    recipe = midpoints(2)
    (cut,) = cut_all(rows, recipe, Sheet(4, 3, 192), np.zeros(4))
    assert cut.whole.shape[::2] == cut.real.shape[::2] == (3, 3)
    assert computed([cut], recipe, ("sample", "alpha")) == list(
        zip(samples.tolist(), alpha.tolist(), strict=True)
    )
    assert cut.seen.tolist() == [3, 0, 4, 1]
    last = columns(cut, recipe)[-1].folded
    assert last.valid.tolist() == [1, 1, 0]
    assert last.weight.tolist() == [0.25, 0.25, 0]


@pytest.mark.parametrize(("shared", "size"), [(True, 3), (False, 6)])
def test_every_row_finds_its_baseline(shared, size):
    recipe = StraightPath(nodes=FixedNodes(4), references=3)
    references = References([np.zeros((size, 1))], count=3, shared=shared)
    sheet, n = plan_sheet(2, recipe, 5), 2
    (cut,) = cut_all(recipe.table(n), recipe, sheet, np.zeros(n), references.rows)
    for column in columns(cut, recipe, references.origin):
        row = column.rows.reference + (0 if shared else 3 * column.sample)
        assert (column.origin == row).all()


def test_automatic_batch_size_follows_the_row():
    def chosen(elements, per_tile=50_000, accelerated=False, shape=(2, 1, 1)):
        backend = SimpleNamespace(tile_elements=per_tile, accelerated=lambda like: accelerated)
        return auto_batch_size(elements, backend, np.zeros(shape))

    assert [chosen(n) for n in (1, 784, 10**9)] == [4096, 63, 4]
    assert [chosen(n, shape=(2, 1)) for n in (1, 784, 10**9)] == [4096, 1020, 4]
    assert chosen(784, per_tile=200_000) == 255
    sizes = [chosen(n, accelerated=True) for n in (784, 3072, 3 * 224 * 224, 10**9)]
    assert sizes == [4096, 1627, 64, 64]
