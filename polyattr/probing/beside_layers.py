"""Differentiating at layers where they are: nothing is replaced, so that none cuts off another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polyattr.backend import Tensor
from polyattr.engine.forward import Forward, row_taker
from polyattr.engine.kernels import Kernels, make_room
from polyattr.errors import ModelOutputError
from polyattr.probing.layer_inputs import Activations, outline_activations
from polyattr.probing.rows.numbers import with_fitting_rows
from polyattr.question.inputs import Inputs
from polyattr.question.layout import Added
from polyattr.question.references import References

_MOST_KINDS = 64

Known = tuple[Activations, list[Tensor]]
"""What the layers return, and zeros (1, ...) like each of their activations."""


class BesideLayers:
    """Adds to the inputs of a call what is differentiated at the layers of `Taps.added`.

    Args:
        forward: Evaluates the model.
    """

    def __init__(self, forward: Forward) -> None:
        scorer = forward.scorer
        self._names = [entry.name for entry in scorer.taps.added]
        taps = replace(
            scorer.taps, inputs=scorer.taps.added, several=True, score_layer=None, added=()
        )
        kernels = Kernels(forward.backend, scorer.guard)
        self._forward = Forward(replace(scorer, taps=taps), kernels)
        self._forward.scorer.fitting.wish = scorer.fitting.wish
        self._known: dict[object, Known] = {}

    def inputs(self, given: Inputs, at: Inputs) -> Inputs:
        """Returns `at`, what is attributed to, with zeros for each layer beside its tensors.

        Args:
            given: The model's inputs.
            at: The same, or activations that take their place.

        Raises:
            ModelOutputError: A layer returns several tensors, or none with a row per sample.
        """
        if not self._names:
            return at
        activations, likes = self._of(given)
        backend = self._forward.backend
        zeros = [
            backend.zeros((at.n, *like.shape[1:]), like, backend.dtype(like)) for like in likes
        ]
        added = Added(activations.structure, activations.attributed)
        return replace(
            at, leaves=[*at.leaves, *zeros, *zeros], layout=replace(at.layout, added=added)
        )

    def references(self, references: References | None, at: Inputs) -> References | None:
        """Returns baselines with zeros beside them, too, which stay zeros on every path."""
        if references is None or at.layout.added is None:
            return references
        backend, rows = self._forward.backend, references.leaves[0].shape[0]
        beside = at.leaves[len(references.leaves) :]
        zeros = [backend.zeros((rows, *b.shape[1:]), b, backend.dtype(b)) for b in beside]
        return replace(references, leaves=[*references.leaves, *zeros])

    def _of(self, given: Inputs) -> Known:
        signature = given.signature(self._forward.backend)
        if signature not in self._known:
            make_room(self._known, _MOST_KINDS)
            self._known[signature] = with_fitting_rows(
                self._forward, given.n, lambda: self._look(given)
            )
        return self._known[signature]

    def _look(self, given: Inputs) -> Known:
        activations = outline_activations(self._forward, given)
        for name, child in zip(self._names, activations.structure.children, strict=True):
            found = _attributed(activations, child.names)
            if found != 1:
                raise ModelOutputError(
                    f"layer {name!r} returns {found} floating tensors with a row per sample; "
                    f"expected one: name the layers that take them apart, or one behind"
                )
        rows = min(2, given.n)
        two = given.take(row_taker(self._forward.backend, np.arange(rows)), rows, 1)
        leaves = self._forward.activations(two, activations.attributed, None)
        return activations, [leaf[:1] * 0 for leaf in leaves]


def _attributed(activations: Activations, names: tuple[str, ...]) -> int:
    every = zip(activations.structure.names, activations.attributed, strict=True)
    return sum(has for name, has in every if name in names)
