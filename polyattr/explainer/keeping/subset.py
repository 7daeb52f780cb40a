"""The part of a question that belongs to some of its samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend
from polyattr.errors import InputError
from polyattr.explainer.options import Options
from polyattr.question.arguments import Beside
from polyattr.question.structure import flatten
from polyattr.question.tables.edge import read_column
from polyattr.results.parts.cutting import cut
from polyattr.scores.each import Each, each

Array = np.ndarray[Any, Any]


class Subset:
    """Takes some of `n` samples out of what a call was given.

    Args:
        where: Their positions (M,).
        n: Number of samples, N.
        backend: What tensors belong to.
    """

    def __init__(self, where: Array, n: int, backend: GradBackend) -> None:
        self.where, self.n, self._backend = where, n, backend

    def rows(self, value: Any) -> Any:
        """Returns `value` at these samples, in its containers; what has no row for each stays."""
        structure, leaves = flatten(value, "")
        return structure.build([self._leaf(leaf) for leaf in leaves])

    def _leaf(self, leaf: Any) -> Any:
        if tuple(getattr(leaf, "shape", ()))[:1] != (self.n,):
            return leaf
        return cut(leaf, self.where, 0, self._backend)

    def targets(self, targets: Any) -> Any:
        """Returns targets of these samples: of one kind, or of several."""
        if isinstance(targets, Each):
            return each([self.targets(target) for target in targets.targets])
        if isinstance(targets, list):
            targets = np.asarray(targets)
        return targets if callable(targets) else self.rows(targets)

    def options(self, options: Options, inputs: Any, own_draws: bool) -> Options:
        """Returns the further arguments of the call.

        Raises:
            InputError: It cannot be told whether one of them has a row for each sample.
        """
        ids = options.sample_ids
        if own_draws:  # which are called by their places among all
            ids = np.arange(self.n) if ids is None else np.asarray(ids)
            ids = ids[self.where]
        return replace(
            options,
            baselines=self._baselines(options.baselines, inputs),
            beside=self._beside(options.beside),
            sample_ids=ids,
            names=None,
            keep_inputs=False,
        )

    def _baselines(self, baselines: Any, inputs: Any) -> Any:
        """One in the shape of a sample is that of all samples, whatever its size."""
        if baselines is None or callable(baselines):
            return baselines
        structure, leaves = flatten(baselines, "baselines")
        leaves = [read_column(leaf) for leaf in leaves]
        at = flatten(inputs, "inputs")[1]
        shapes = [tuple(getattr(leaf, "shape", ()))[1:] for leaf in at]
        shapes = shapes if len(shapes) == len(leaves) else [()] * len(leaves)
        return structure.build(
            [
                leaf if tuple(getattr(leaf, "shape", ())) == shape else self._leaf(leaf)
                for leaf, shape in zip(leaves, shapes, strict=True)
            ]
        )

    def _beside(self, beside: Beside) -> Beside:
        """Further arguments of the model, and which of them have a row for each sample."""
        if beside.batched is None:
            self._check_shared(beside)
            return replace(beside, batched=frozenset())
        args = tuple(self._argument(beside, i, value) for i, value in enumerate(beside.args))
        kwargs = {key: self._argument(beside, key, value) for key, value in beside.kwargs.items()}
        return replace(beside, args=args, kwargs=kwargs)

    def _argument(self, beside: Beside, key: int | str, value: Any) -> Any:
        return self.rows(value) if beside.kind(key) == "companion" else value

    def _check_shared(self, beside: Beside) -> None:
        for what, given in (("forward_args", beside.args), ("forward_kwargs", dict(beside.kwargs))):
            structure, leaves = flatten(given, what)
            for name, leaf in zip(structure.names, leaves, strict=True):
                if tuple(getattr(leaf, "shape", ()))[:1] == (self.n,):
                    raise InputError(
                        f"{name} has shape {tuple(leaf.shape)} for {self.n} samples; expected "
                        f"batched= to say whether it has a row for each of them, since some are "
                        f"refined without the others"
                    )
