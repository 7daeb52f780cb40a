"""Integrands with known values behind the questions a recipe may ask between rounds."""

import numpy as np

from polyattr.sampling import Norm, Told


class Integrands(Norm):
    """Answers with NumPy what the engine answers with running sums.

    Args:
        functions: Of each sample alpha (P,) to gradients (P, F).
    """

    def __init__(self, functions):
        self.functions = list(functions)
        self.parts = [{} for _ in functions]
        self.rows = []
        grid = np.linspace(0, 1, 20_001)
        middle = (grid[1:] + grid[:-1]) / 2
        self.grid = grid
        self.scores = [
            np.concatenate([[0.0], np.cumsum(f(middle).sum(axis=1)) / 20_000]) for f in functions
        ]

    def told(self, rows, at):
        """Takes up a table whose rows are taken at `at` (R,)."""
        self.rows.append(rows)
        slopes, scores = np.zeros(len(rows)), np.zeros(len(rows))
        for row in range(len(rows)):
            sample = int(rows.sample[row])
            gradient = self.functions[sample](at[row : row + 1])[0]
            self.parts[sample][int(rows.part[row])] = gradient * rows.weight[row]
            slopes[row] = gradient.sum()
            scores[row] = np.interp(at[row], self.grid, self.scores[sample])
        return Told(lambda: (scores, slopes))

    def value(self, weights, sample):
        """The map of a sample (F,)."""
        own = self.parts[sample]
        return sum(own[g] * w for g, w in enumerate(weights[sample]) if w and g in own)

    def size(self, weights):
        return np.array([np.abs(self.value(weights, s)).sum() for s in range(len(weights))])

    def _moved(self, intervals):
        return [
            w * (self.parts[s][right] - self.parts[s][left])
            for s, left, right, w in zip(*map(np.ndarray.tolist, intervals), strict=True)
        ]

    def jumps(self, intervals):
        return np.array([np.abs(moved).sum() for moved in self._moved(intervals)])

    def roots(self, intervals, unit):
        squares = [0.0 for _ in unit]
        for moved, sample in zip(self._moved(intervals), intervals.sample, strict=True):
            squares[sample] = squares[sample] + moved**2
        return np.array([np.sqrt(np.asarray(square) / 12).sum() for square in squares])


def driven(recipe, nodes, integrands):
    """Runs all rounds; returns the final weights."""
    rounds = recipe.rounds(len(integrands.functions), integrands)
    rows = next(rounds)
    while True:
        told = integrands.told(rows, np.where(rows.alpha == 0, nodes.inside, rows.alpha))
        try:
            rows = rounds.send(told)
        except StopIteration as end:
            return end.value
