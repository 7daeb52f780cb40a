"""Sequences in another order, with the same letters and the same pairs of neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.axes import axes_of, check_axes
from polyattr.baselines.baseline import Baseline
from polyattr.baselines.drawn import generator_of, owner_of, rearranged
from polyattr.errors import InputError
from polyattr.question.checks import check_count

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class DinucleotideShuffle(Baseline):
    """Each sequence in another order that has as many of each pair of neighbours as before.

    With the pairs the counts of letters stay, and the first and the last letter: what is gone is
    the order beyond neighbours, motifs among it. `Permutation` keeps the letters alone. Of all such
    orders each is as likely as any other (Altschul & Erickson, Significance of nucleotide sequence
    alignments, 1985; Kandel, Matias, Unger & Winkler, Shuffling biological sequences, 1996). A
    draw belongs to the seed and the sequence itself, never to the others of a call.

    Attributes:
        nb_draws: Draws per sequence, K; attributions are averaged over them.
        seed: Seed of the draws.
        axis: The axis of the inputs along which letters follow each other: 1 of (N, L, 4), 2 of
            (N, 4, L). A letter is whatever stands at one place of it.

    Raises:
        InputTypeError: An argument of another type.
        InputError: A number below its least, the axis of samples; or, when it is called, an axis
            that the inputs do not have, or sequences whose values are not known, as in a trace.

    Example:
        >>> import polyattr, torch
        >>> letters = torch.tensor([[0.0, 1.0, 0.0, 2.0, 0.0, 1.0]])
        >>> shuffled = polyattr.baselines.DinucleotideShuffle(nb_draws=8, seed=1)(letters)
        >>> shuffled.shape, shuffled[0, 0].tolist()
        (torch.Size([1, 8, 6]), [0.0, 2.0, 0.0, 1.0, 0.0, 1.0])
    """

    nb_draws: int = 1
    seed: int = 0
    axis: int = 1

    def __post_init__(self) -> None:
        check_count("nb_draws", self.nb_draws, 1)
        check_count("seed", self.seed, 0)
        check_axes("axis", (self.axis,))

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The shuffled sequences (N, K, ...); without the second axis for one draw."""
        if not backend.readable(x):
            raise InputError(
                "DinucleotideShuffle counts the letters of the sequences, which a trace does not "
                "have; expected baselines made before: an array (N, K, ...)"
            )
        return rearranged(backend, x, self._places(backend.to_numpy(x), number))

    def _places(self, sequences: Array, number: int) -> Array:
        """Returns where in its sequence each value comes from: (N, K, ...)."""
        axis = axes_of("axis", (self.axis,), sequences.ndim)[0] - 1
        shape = sequences.shape[1:]
        places = np.arange(int(np.prod(shape))).reshape(shape)
        made = []
        for sequence in sequences:
            rows = np.moveaxis(sequence, axis, 0).reshape(shape[axis], -1)
            letters = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
            owner = owner_of(sequence)
            drawn = (generator_of(self.seed, owner, number, k) for k in range(self.nb_draws))
            made.append([np.take(places, shuffled(letters, one), axis=axis) for one in drawn])
        return np.array(made)


def shuffled(letters: Array, generator: np.random.Generator) -> Array:
    """Draws an order of a sequence that keeps its pairs of neighbours, each equally likely.

    Letters are the vertices and pairs the edges of a graph, which an order walks through. Which
    edge leaves each vertex last is drawn until these lead from everywhere to the last letter; the
    others are taken in any order.

    Args:
        letters: (L,) whole numbers from 0, one per place.
        generator: Draws.

    Returns:
        (L,) the place that each letter of the new order comes from.
    """
    if len(letters) < 3:
        return np.arange(len(letters))
    end = letters[-1]
    leaving = [np.flatnonzero(letters[:-1] == letter) for letter in range(letters.max() + 1)]
    while True:
        last = {i: generator.choice(edges) for i, edges in enumerate(leaving) if i != end}
        if _lead_to(end, {i: letters[edge + 1] for i, edge in last.items()}):
            break
    queues = []
    for i, edges in enumerate(leaving):
        others = generator.permutation(edges[edges != last[i]] if i in last else edges)
        queues.append(iter([*others.tolist(), *([int(last[i])] if i in last else [])]))
    order = [0]
    for _ in range(len(letters) - 1):
        order.append(next(queues[letters[order[-1]]]) + 1)
    return np.array(order)


def _lead_to(end: int, follows: dict[int, int]) -> bool:
    """Says whether from every vertex the edges end at one, and not in a circle."""
    for start in follows:
        here = start
        for _ in follows:
            here = follows.get(here, here)
        if here != end:
            return False
    return True
