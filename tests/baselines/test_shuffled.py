"""Shuffled sequences: the same letters, the same pairs of neighbours, each order equally likely."""

import itertools
from collections import Counter

import numpy as np
import pytest

import polyattr
from polyattr.baselines import DinucleotideShuffle
from polyattr.baselines.shuffled import shuffled

LETTERS = np.random.default_rng(1603).integers(0, 4, (3, 60))
X = np.eye(4, dtype=np.float32)[LETTERS]


def pairs(letters):
    return Counter(itertools.pairwise(np.asarray(letters).tolist()))


def test_every_draw_has_the_pairs_of_its_sequence(lab):
    found = lab.numpy(DinucleotideShuffle(nb_draws=5, seed=2)(lab.tensor(X)))
    assert found.shape == (3, 5, 60, 4)
    assert ((found == 0) | (found == 1)).all()
    assert (found.sum(-1) == 1).all()
    for before, draws in zip(LETTERS, found.argmax(-1), strict=True):
        assert all(pairs(draw) == pairs(before) for draw in draws)
        assert len({tuple(draw) for draw in draws.tolist()}) == 5
        assert all((draw != before).mean() > 0.3 for draw in draws)


def test_draws_belong_to_the_sequence_and_the_axis_is_told(lab):
    made = DinucleotideShuffle(seed=3)
    whole = lab.numpy(made(lab.tensor(X)))
    assert whole.shape == X.shape
    np.testing.assert_array_equal(lab.numpy(made(lab.tensor(X[1:2].copy())))[0], whole[1])
    first = np.moveaxis(X, 2, 1).copy()
    across = lab.numpy(DinucleotideShuffle(seed=3, axis=2)(lab.tensor(first))).argmax(1)
    assert all(pairs(a) == pairs(b) for a, b in zip(across, LETTERS, strict=True))
    other = lab.numpy(DinucleotideShuffle(seed=4)(lab.tensor(X)))
    assert not (other == whole).all()


def test_each_order_is_equally_likely():
    """All orders of the same pairs, counted by trying them; chi-squared over 11 of freedom."""
    letters = np.array([0, 1, 0, 2, 0, 1, 1, 2, 0])
    every = set(itertools.permutations(letters.tolist()))
    possible = [o for o in every if pairs(o) == pairs(letters) and o[0] == letters[0]]
    draws = (shuffled(letters, np.random.default_rng(i)) for i in range(6000))
    found = Counter(tuple(letters[order].tolist()) for order in draws)
    assert set(found) == set(possible)
    mean = 6000 / len(possible)
    assert len(possible) == 12
    assert sum((count - mean) ** 2 / mean for count in found.values()) < 31.3  # 1 in 1000


@pytest.mark.parametrize("letters", [[0], [0, 1], [0, 0, 0, 0], [0, 1, 2, 3], [1, 0, 1]])
def test_sequences_with_a_single_order_stay_as_they_are(letters):
    order = shuffled(np.array(letters), np.random.default_rng(0))
    assert np.array(letters)[order].tolist() == letters
    assert sorted(order) == list(range(len(letters)))


def test_paths_start_there(lab):
    """Of a linear score the map is the weights times the difference to the mean baseline."""
    weights = np.random.default_rng(1604).standard_normal((60, 4)).astype(np.float32)

    def body(ops, x):
        return ops.sum(x * ops.like(weights, x))

    starts = DinucleotideShuffle(nb_draws=4, seed=1)
    method = polyattr.IntegratedGradients(
        lab.function(body), backend=lab.name, steps=2, baseline_value=starts
    )
    found = lab.numpy(method.explain(lab.tensor(X)))
    mean = lab.numpy(starts(lab.tensor(X))).mean(1)
    np.testing.assert_allclose(found, weights * (X - mean), atol=1e-5)


def test_wrong_arguments_are_told(lab):
    for make, said in (
        (lambda: DinucleotideShuffle(nb_draws=0), "nb_draws is 0"),
        (lambda: DinucleotideShuffle(seed=-1), "seed is -1"),
        (lambda: DinucleotideShuffle(axis=0), "axis names axis 0"),
        (lambda: DinucleotideShuffle(axis=3)(lab.tensor(X)), "axis is 3"),
    ):
        with pytest.raises(polyattr.InputError, match=said):
            make()
    method = polyattr.IntegratedGradients(
        lab.function(lambda ops, x: ops.sum(x)),
        backend=lab.name,
        baseline_value=DinucleotideShuffle(),
    )
    if lab.name == "jax":
        import jax

        with pytest.raises(polyattr.InputError, match="a trace does not have"):
            jax.jit(method.function(lab.tensor(X)))(lab.tensor(X))
