"""Questions that can be answered, and may not be the ones that were meant: told once each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.dtypes import FLOATS
from polyattr.engine.forward import Forward
from polyattr.errors import (
    BaselineWarning,
    ModelOutputError,
    PolyattrError,
    QuestionWarning,
    warn,
)
from polyattr.probing.meant.alike_ends import alike_ends
from polyattr.probing.meant.cut_features import warn_of_cut
from polyattr.probing.rows.numbers import outline_output
from polyattr.question.inputs import Inputs
from polyattr.sampling.errors.course import Course
from polyattr.scores import reductions
from polyattr.scores.targets import TargetReader, Targets
from polyattr.scores.tasks import Task

Array = np.ndarray[Any, Any]

_SUM = 5e-3
"""How far from 1 the outputs of a softmax in half precision may sum."""


class Meaning:
    """Tells, once per explainer, where another question may have been meant.

    Args:
        forward: Evaluates the model.
        told: What was told already.
    """

    def __init__(self, forward: Forward, told: set[str] | None = None) -> None:
        self._forward = forward
        self._told = set[str]() if told is None else told
        self._own: list[tuple[int, ...] | None] = []  # the model's own output, once looked at

    def check(
        self,
        task: Task,
        reader: TargetReader,
        inputs: Inputs,
        targets: Targets,
        found: Array | None,
    ) -> None:
        """Checks targets that have been read.

        Args:
            task: What they are targets of.
            reader: Knows the output.
            inputs: The samples.
            targets: As they were read.
            found: Outputs (N, ...) of the samples, where the predicted class was looked for.

        Warns:
            QuestionWarning: They count units of a layer that has others than the model has
                classes, or the outputs are probabilities.
        """
        classes = task.predicts and targets.rule is not reductions.total
        if not classes or targets.rule is reductions.weighted or not targets.columns:
            return
        if self._forward.scorer.taps.score_layer is None:
            self._check_probabilities(reader, inputs, found)
        else:
            self._check_layer(reader, inputs, targets, predicted=found is not None)

    def check_logits(self, inputs: Inputs) -> None:
        """Checks that a task that takes logits is not given probabilities.

        Raises:
            ModelOutputError: It is.
        """
        if "logits" in self._told:
            return
        if is_probability(self._few_outputs(inputs)):
            raise ModelOutputError(
                "operator='log_odds' takes logits, but the outputs are probabilities: they sum to "
                "1 for every sample; name the layer before the softmax with output_layer"
            )
        self._told.add("logits")

    def predicted(self, classes: Array, reader: TargetReader) -> None:
        """Tells which outputs are explained where the samples have different ones.

        Warns:
            QuestionWarning: They have, and nobody said that outputs are classes.
        """
        numbers, counts = np.unique(classes, return_counts=True)
        if len(numbers) < 2 or not self._first("predicted"):
            return
        pairs = sorted(zip(counts.tolist(), numbers.tolist(), strict=True), reverse=True)
        shown = ", ".join(f"{number} ({count} samples)" for count, number in pairs[:4])
        more = ", ..." if len(pairs) > 4 else ""
        warn(
            f"targets is None, and each sample is explained at the largest of its "
            f"{reader.shape[0]} outputs: {shown}{more}. If these are classes, say "
            f"operator='classification', and attribute() records which one; else say with targets "
            f"which output to explain: an index, weights or a callable",
            QuestionWarning,
        )

    def reach(self, inputs: Inputs, targets: Targets, values: list[Tensor]) -> None:
        """Looks, at the first samples and at the first several, for features cut off the gradient.

        Args:
            inputs: The samples.
            targets: What is explained.
            values: Their attributions (N, ...) per input.

        Warns:
            CutGradientWarning: There are some.
        """
        first = "cut" not in self._told and self._first("one" if inputs.n == 1 else "several")
        if first and warn_of_cut(self._forward, inputs, targets, values):
            self._told.add("cut")

    def ends(self, inputs: Inputs, course: Course | None, every: bool) -> None:
        """Looks for samples that score like their baseline.

        Args:
            inputs: The samples.
            course: How scores go along the paths, where that is known.
            every: Whether a single sample counts.

        Warns:
            BaselineWarning: There are some.
        """
        if course is None:
            return
        dtype = self._forward.backend.dtype(inputs.leaves[0])
        found = alike_ends(course, every, FLOATS[dtype].noticeable)
        if not len(found) or not self._first("alike ends"):
            return
        worst = int(found[np.argmin(np.abs(course.rise[found]))])
        warn(
            f"{len(found)} of {len(course.rise)} samples score like their baseline: f(x) - f(b) of "
            f"sample {worst} is {course.rise[worst]:.3g}, where the score moves by "
            f"{course.travel[worst]:.3g} on the path between them. Such a map sums to next to "
            f"nothing, and says how features cancel, not why the score is what it is; choose a "
            f"baseline that the model scores otherwise (compare_baselines tries several)",
            BaselineWarning,
        )

    def recorded(self) -> None:
        """Tells that attributions are cut off the caller's differentiation.

        Warns:
            QuestionWarning: Always, the first time.
        """
        if self._first("recorded"):
            warn(
                "inputs require a gradient, and attributions are detached: nothing that is "
                "computed from them has a gradient through them. To differentiate through "
                "attributions use phi = method.function(example, targets); else pass "
                "inputs.detach(), or call within torch.no_grad()",
                QuestionWarning,
            )

    def labels(self, reader: TargetReader) -> None:
        """Tells that the labels of a dataset are not used.

        Warns:
            QuestionWarning: Always, the first time.
        """
        if self._first("labels"):
            warn(
                f"the second part of the batches is not used: the output of shape {reader.whole} "
                f"is one score per sample, which is explained itself, and labels would multiply "
                f"its map. Say operator='regression' if that is meant, or for what raises the "
                f"loss operator=polyattr.loss(...)",
                QuestionWarning,
            )

    def _first(self, what: str) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True

    def _check_probabilities(
        self, reader: TargetReader, inputs: Inputs, found: Array | None
    ) -> None:
        if "outputs" in self._told or max(reader.shape) < 2:
            return
        if found is None:
            found = self._few_outputs(inputs)
        self._told.add("outputs")
        if is_probability(found):
            hint = self._forward.scorer.bound.logits()
            instead = (
                f"pass {hint}" if hint else "name the layer before the softmax with output_layer"
            )
            warn(
                f"the outputs are probabilities, which sum to 1 for every sample: a class then "
                f"also gains by what lowers the others, and its map fades where the model is "
                f"certain. For the logits, the scores before the softmax, {instead}, or pass a "
                f"model without its softmax; the logarithm of the outputs, "
                f"lambda x: model(x).log(), differs from them by what all classes share",
                QuestionWarning,
            )

    def _few_outputs(self, inputs: Inputs) -> Array:
        x, context = inputs.first_rows([])
        few = replace(inputs, leaves=x, n=int(x[0].shape[0]), companions=context.companions)
        return self._forward.outputs(few, None)

    def _check_layer(
        self, reader: TargetReader, inputs: Inputs, targets: Targets, predicted: bool
    ) -> None:
        if "layer" in self._told:
            return
        if not self._own:
            self._own.append(self._own_shape(inputs))
        own = self._own[0]
        if own is None or own == reader.shape:
            return
        limits = (2,) if own in {(), (1,)} else own
        record = np.asarray(targets.record).reshape(inputs.n, -1)
        # Beside one score a single index is no class; both of two may be.
        if limits != own and len(np.unique(record)) < 2 and not predicted:
            return
        may_be_classes = (
            limits is not None
            and record.shape[1] == len(limits)
            and bool((record < np.array(limits)).all())
        )
        if not (predicted or may_be_classes):
            return
        self._told.add("layer")
        layer, hint = self._forward.scorer.taps.score_layer, self._forward.scorer.bound.logits()
        instead = f"; the logits are {hint}" if hint else ""
        warn(
            f"output_layer is {layer.name if layer else None!r}, which gives "
            f"{_shaped(reader.shape)} per sample where the model gives {_shaped(own)}: targets "
            f"count units of that layer, not classes{instead}. If its units are meant, pass a "
            f"callable, such as targets=lambda z: z[:, 0]",
            QuestionWarning,
        )

    def _own_shape(self, inputs: Inputs) -> tuple[int, ...] | None:
        """The shape of what the model itself gives for a sample; None if it gives no one tensor."""
        scorer = self._forward.scorer
        whole = replace(scorer, taps=replace(scorer.taps, score_layer=None))
        try:
            return outline_output(replace(self._forward, scorer=whole), inputs)[0]
        except PolyattrError:
            return None


def is_probability(outputs: Array) -> bool:
    """Says whether outputs (N, ...) are probabilities of the classes along some axis."""
    if outputs.ndim < 2 or outputs.dtype.kind != "f":
        return False
    outputs = outputs.astype(np.float64)
    if not (outputs >= 0).all():
        return False
    axes = {1, outputs.ndim - 1}
    return any(
        outputs.shape[axis] > 1 and bool((np.abs(outputs.sum(axis=axis) - 1) < _SUM).all())
        for axis in axes
    )


def _shaped(shape: tuple[int, ...]) -> str:
    return "one number" if shape in {(), (1,)} else f"{' x '.join(map(str, shape))} numbers"
