"""Long tables come in pieces: what is written down, and what is made of what rows tell."""

import numpy as np
import pytest

from polyattr.sampling import (
    FixedNodes,
    NoisyCopies,
    Norm,
    PathIntegral,
    RandomBaselines,
    Recipe,
    Rows,
    StraightPath,
    Told,
)
from polyattr.sampling.rows import Repeated, present

RECIPES = [
    StraightPath(nodes=FixedNodes(7, "simpson")),
    PathIntegral(nodes=FixedNodes(5), references=3),
    NoisyCopies(count=9, antithetic=True),
    NoisyCopies(count=4, noise=(0, "portable", False)),
    RandomBaselines(count=8, references=3),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: type(recipe).__name__)
def test_rows_of_one_sample_repeated_are_the_table(recipe):
    assert recipe.repeats
    whole, repeated = recipe.table(4), Repeated(recipe.table(1), 4)
    assert len(whole) == len(repeated)
    for index in (np.arange(len(whole)), np.array([5, 0, len(whole) - 1])):
        part, taken = whole.take(index), repeated.take(index)
        assert present(part) == present(taken)
        for name in present(part).names:
            np.testing.assert_array_equal(getattr(part, name), getattr(taken, name))


def test_a_table_of_ones_own_is_not_taken_to_repeat():
    class Falling(StraightPath):
        def table(self, n):
            return Rows.over(n, weight=np.full(2, 0.5), alpha=np.array([1.0, 0.5]))

    class Other(FixedNodes):
        def table(self, n):
            return Rows.over(n, weight=np.ones(1), alpha=np.ones(1))

    class Chosen(FixedNodes):
        def rounds(self, n, norm):
            return (yield from FixedNodes.rounds(self, n, norm))

    class Few(NoisyCopies):
        def table(self, n):
            return super().table(n).take(np.arange(n))

    for recipe in (Falling(), StraightPath(nodes=Other(3)), StraightPath(nodes=Chosen(3))):
        assert not recipe.repeats
    for other in (Few(count=3), NoisyCopies(count=9, tolerance=0.1), Recipe()):
        assert not other.repeats


@pytest.mark.parametrize("rule", ["trapezoid", "midpoint", "gauss-legendre", "left"])
@pytest.mark.parametrize("references", [1, 3])
@pytest.mark.parametrize("piece", [1, 4, 10, 33, 1000])
def test_a_walk_in_pieces_tells_what_the_whole_table_does(rule, references, piece):
    recipe = StraightPath(nodes=FixedNodes(9, rule), references=references)
    rows = next(recipe.rounds(5, Norm()))
    rng = np.random.default_rng(3)
    scores, slopes = rng.normal(size=(2, len(rows))).astype(np.float32)
    walk = recipe.walk(5)
    for first in range(0, len(rows), piece):
        walk.add(scores[first : first + piece], slopes[first : first + piece])
    found, wanted = walk.course(), recipe.course(rows, Told(lambda: (scores, slopes)))
    for part, known in zip(found, wanted, strict=True):
        np.testing.assert_allclose(part, known, rtol=1e-12)


def test_what_has_no_path_tells_nothing_of_its_ends():
    for recipe in (NoisyCopies(count=4), RandomBaselines(count=4, references=2)):
        walk = recipe.walk(3)
        walk.add(np.ones(12), np.ones(12))
        assert walk.course() is None
