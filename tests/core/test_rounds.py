"""What recipes say of themselves, and what an engine must be able to take from it."""

from dataclasses import dataclass

import numpy as np
import pytest

from polyattr.sampling import AdaptiveNodes, FixedNodes, Nodes, PathIntegral, Rows, Told, Weights


@dataclass(frozen=True)
class OwnRounds(PathIntegral):
    """A path that chooses its rows itself."""

    def rounds(self, n, norm):
        yield self.nodes.table(n)
        yield self.nodes.table(n)
        return Weights(np.ones(1))


@dataclass(frozen=True)
class OwnNodes(FixedNodes):
    """Nodes that are no longer fixed."""

    def rounds(self, n, norm):
        yield self.table(n)
        yield self.table(n)
        return Weights(np.ones(1))


@pytest.mark.parametrize(
    ("recipe", "fixed"),
    [
        (PathIntegral(), True),
        (PathIntegral(nodes=AdaptiveNodes()), False),
        (OwnRounds(), False),
        (PathIntegral(nodes=OwnNodes()), False),
    ],
    ids=["fixed", "adaptive", "own rounds", "own nodes"],
)
def test_rounds_that_are_overridden_are_not_known_in_advance(recipe, fixed):
    """Else the engine takes the table of the first round for that of every round."""
    assert recipe.one_round is fixed


@dataclass(frozen=True)
class Listening(Nodes):
    """Nodes that put what they are told into their weights."""

    def rounds(self, n, norm):
        told = yield Rows.over(n, weight=np.ones(2), alpha=np.array([0.0, 1.0]))
        return Weights(np.stack([told.scores, told.slopes]))


def test_nodes_are_told_the_mean_over_baselines():
    rounds = PathIntegral(nodes=Listening(), references=2).rounds(1, lambda weights: weights)
    rows = next(rounds)
    assert rows.reference.tolist() == [0, 0, 1, 1]
    assert rows.weight.tolist() == [0.5] * 4
    with pytest.raises(StopIteration) as end:
        rounds.send(Told(lambda: (np.array([1.0, 2.0, 3.0, 6.0]), np.array([0.0, 2.0, 4.0, 4.0]))))
    assert end.value.value.value.tolist() == [[2.0, 4.0], [2.0, 3.0]]
