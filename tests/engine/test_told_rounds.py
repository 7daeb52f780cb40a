"""Rounds of rows are told of their own scores, and several baselines belong to their samples."""

from dataclasses import dataclass

import numpy as np
import pytest

from polyattr import Explainer, IntegratedGradients, Recipe, Rows, Weights

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3)).astype(np.float32)
FACTORS = np.arange(1, 21) / 20
NOTES = []


def cubes(ops, x):
    return ops.sum(x * x * x)


@dataclass(frozen=True)
class Asking(Recipe):
    """Scaled copies; samples whose score is negative leave after the first round."""

    def rounds(self, n, norm):
        live = np.arange(n)
        for level in range(3):
            table = Rows.over(len(live), weight=np.ones(len(FACTORS)), alpha=FACTORS + level)
            rows = Rows(live[table.sample], table.part, table.weight, alpha=table.alpha)
            told = yield rows
            NOTES.append((rows, told))
            live = live[told.scores[-len(live) :] > 0]
        return Weights(np.ones(1))

    def at_input(self, rows):
        return rows.alpha == 1

    def place(self, backend, at):
        return at.x * backend.column(at.rows.alpha, at.x), None


class Asked(Explainer):
    """What `Asking` adds up."""

    def recipe(self):
        return Asking()


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64, None])
def test_each_round_is_told_of_its_own_rows(lab, batch_size):
    # At one row per call the log is full before a round is over.
    NOTES.clear()
    result = Asked(lab.function(cubes), backend=lab.name, batch_size=batch_size).attribute(
        lab.tensor(X)
    )
    expected, evaluations = np.zeros(X.shape), np.zeros(len(X))
    positive = np.flatnonzero((X**3).sum(1) > 0)
    assert 0 < len(positive) < len(X)
    assert len(NOTES) == 3
    for level, (rows, told) in enumerate(NOTES):
        assert set(rows.sample) == set(positive if level else range(len(X)))
        points = X[rows.sample] * rows.alpha[:, None]
        assert np.allclose(told.scores, (points**3).sum(1), rtol=1e-4, atol=1e-4)
        assert np.allclose(told.slopes, (3 * points**2).sum(1), rtol=1e-4, atol=1e-4)
        np.add.at(expected, rows.sample, 3 * points**2)
        np.add.at(evaluations, rows.sample, 1)
    assert np.allclose(lab.numpy(result.values), expected, rtol=1e-4)
    assert (result.evaluations == evaluations).all()
    assert np.allclose(result.scores, (X**3).sum(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("steps", [7, "auto"])
@pytest.mark.parametrize("batch_size", [1, 5, None])
def test_several_baselines_are_averaged_sample_by_sample(lab, batch_size, steps):
    x = RNG.normal(size=(11, 3)).astype(np.float32)
    starts = RNG.normal(size=(11, 2, 3)).astype(np.float32)
    model, options = lab.function(cubes), {"backend": lab.name, "steps": steps}
    if steps == "auto":
        options["max_steps"] = 9  # every sample has the same points
    several = IntegratedGradients(model, batch_size=batch_size, **options).attribute(
        lab.tensor(x), baselines=lab.tensor(starts)
    )
    single = IntegratedGradients(model, **options)
    each = [single.attribute(lab.tensor(x), baselines=lab.tensor(starts[:, k])) for k in range(2)]
    values = lab.numpy(several.values)
    mean = np.mean([lab.numpy(result.values) for result in each], axis=0)
    assert np.allclose(values, mean, rtol=1e-4, atol=1e-5)
    known = (starts**3).sum(-1).mean(1)
    assert np.allclose(several.baseline_scores, known, rtol=1e-4, atol=1e-5)
    gap = values.sum(1) - ((x**3).sum(1) - known)
    assert np.allclose(several.completeness_gap, gap, rtol=1e-3, atol=1e-4)
