"""Tasks: named ways to turn outputs and targets into scores, for the `operator` argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.dtypes import FLOATS
from polyattr.errors import InputError, InputTypeError, ModelOutputError, brief, nearest
from polyattr.question.checks import check_called
from polyattr.scores import reductions
from polyattr.scores.reductions import Detection
from polyattr.scores.targets import TargetReader, Targets


@dataclass(frozen=True)
class Task:
    """What targets mean, and how they score.

    Attributes:
        read: Turns targets into the form a rule takes.
        predicts: Whether targets=None means the predicted class.
        takes_logits: Whether probabilities would silently give another quantity.
        explains_outputs: Whether targets say which outputs count, rather than what they should be.
        unsaid: Whether nobody named the task.
    """

    read: Callable[[TargetReader, Any, str], Targets]
    predicts: bool = False
    takes_logits: bool = False
    explains_outputs: bool = False
    unsaid: bool = False


def _classification(reader: TargetReader, targets: Any, dtype: str) -> Targets:
    return reader.read(targets, dtype)


def _regression(reader: TargetReader, targets: Any, dtype: str) -> Targets:
    if targets is None and not reader.is_score:
        raise InputError(
            f"targets is None, but the output has shape {reader.whole}; for regression say which "
            f"output to explain: its index, or weights in the shape of the output"
        )
    return reader.read(targets, dtype)


def _against_others(rule: reductions.Rule, name: str) -> Callable[..., Targets]:
    def read(reader: TargetReader, targets: Any, dtype: str) -> Targets:
        if len(reader.shape) != 1 or reader.shape[0] < 2:
            raise ModelOutputError(
                f"operator={name!r} compares classes; expected outputs (N, C) with C >= 2, but the "
                f"output has shape {reader.whole}"
            )
        goal = reader.read(targets, dtype)
        if goal.rule is not reductions.indexed:
            raise InputTypeError(
                f"targets are {brief(targets)}; with operator={name!r}, expected a class index "
                f"(int), N indices (N,), or None for the predicted class"
            )
        one_hot = np.eye(reader.shape[0])[goal.record]
        columns = [one_hot, -FLOATS[dtype].huge * one_hot]
        return Targets(rule, [reader.native(c, dtype) for c in columns], record=goal.record)

    return read


def _segmentation(reader: TargetReader, targets: Any, dtype: str) -> Targets:
    zone = reader.floats(targets, "a zone")
    if zone.shape != reader.whole:
        raise InputError(
            f"targets have shape {zone.shape}; for semantic segmentation expected a zone in the "
            f"shape of the output, {reader.whole}: 1 where the score counts, 0 elsewhere"
        )
    sizes = np.count_nonzero(zone.reshape(reader.n, -1), axis=1)
    if not sizes.all():
        raise InputError(
            f"targets of sample {int(np.argmin(sizes))} are all zero: its target zone is empty, so "
            f"it has no score; expected at least one element other than 0 per sample"
        )
    weights = zone / sizes.reshape(-1, *[1] * len(reader.shape))
    return Targets(reductions.weighted, [reader.native(weights, dtype)], record=zone)


def _detection(rule: Detection) -> Callable[..., Targets]:
    def read(reader: TargetReader, targets: Any, dtype: str) -> Targets:
        if len(reader.shape) != 2 or reader.shape[1] < 5 + rule.classes:
            raise ModelOutputError(
                f"operator='object detection...' expects outputs (N, boxes, 5 + classes), each box "
                f"(x1, y1, x2, y2, objectness, class scores...), but the output has shape "
                f"{reader.whole}"
            )
        boxes = reader.floats(targets, "reference boxes")
        boxes = boxes[:, None] if boxes.ndim == 2 else boxes
        n, width = reader.n, reader.shape[1]
        if boxes.ndim != 3 or boxes.shape[0] != n or boxes.shape[2] != width:
            raise InputError(
                f"targets have shape {boxes.shape}; for object detection expected reference boxes "
                f"({n}, K, {width}) or ({n}, {width}) like those of the output, {reader.whole}; "
                f"fill up with rows of zeros where samples have fewer than K"
            )
        there: np.ndarray[Any, Any] = np.asarray(boxes.any(axis=2))
        _check_boxes(boxes, there)
        weights = there / there.sum(axis=1, keepdims=True)
        # A filled-up row weighs nothing, as any box that has an area.
        unit = np.array([0.0, 0.0, *[1.0] * (width - 2)])
        whole = np.where(there[..., None], boxes, unit)
        columns = [reader.native(whole, dtype), reader.native(weights, dtype)]
        return Targets(rule, columns, record=boxes)

    return read


def _check_boxes(boxes: np.ndarray[Any, Any], there: np.ndarray[Any, Any]) -> None:
    if not there.any(axis=1).all():
        raise InputError(
            f"targets of sample {int(np.argmin(there.any(axis=1)))} hold no reference box, only "
            f"zeros; expected at least one per sample"
        )
    flat = (boxes[..., 2] <= boxes[..., 0]) | (boxes[..., 3] <= boxes[..., 1])
    if (flat & there).any():
        sample, box = (int(i) for i in np.argwhere(flat & there)[0])
        raise InputError(
            f"targets of sample {sample} have box {boxes[sample, box, :4].tolist()}, which is "
            f"empty; expected (x1, y1, x2, y2) with x1 < x2 and y1 < y2"
        )


TASKS = {
    "classification": Task(_classification, predicts=True, explains_outputs=True),
    "regression": Task(_regression, explains_outputs=True),
    "margin": Task(_against_others(reductions.margin, "margin"), predicts=True),
    "log_odds": Task(
        _against_others(reductions.log_odds, "log_odds"), predicts=True, takes_logits=True
    ),
    "semantic segmentation": Task(_segmentation),
    "object detection": Task(_detection(Detection(objectness=True, classes=True))),
    "object detection box position": Task(_detection(Detection(objectness=False, classes=False))),
    "object detection box proba": Task(_detection(Detection(objectness=True, classes=False))),
    "object detection box class": Task(_detection(Detection(objectness=False, classes=True))),
}


_UNSAID = replace(TASKS["classification"], unsaid=True)


def task_of(operator: Any) -> Task | None:
    """Returns the task an `operator` argument names; None for a callable of the user's."""
    if operator is None:
        return _UNSAID
    return TASKS[operator] if isinstance(operator, str) else None


def check_operator(name: str, operator: Any) -> Any:
    """Checks the `operator` argument, and returns it.

    Raises:
        InputError: Neither a callable nor the name of a task.
        InputTypeError: A callable that cannot be called with a model, inputs and targets.
    """
    if operator is None:
        return None
    if not isinstance(operator, str) and callable(operator):
        check_called(
            name, operator, "g(model, inputs, targets) -> (N,)", "three positional arguments"
        )
        return operator
    if isinstance(operator, str) and operator in TASKS:
        return operator
    hint = nearest(operator, TASKS) if isinstance(operator, str) else ""
    raise InputError(
        f"{name} is {operator!r}; expected a callable g(model, inputs, targets) -> (N,), None "
        f"for classification, or a task.{hint} Tasks: {', '.join(TASKS)}"
    )


def check_output(name: str, output: Any) -> Any:
    """Checks the `output` argument, and returns it.

    Raises:
        InputTypeError: A callable that cannot be called with what the model returns.
    """
    if callable(output):
        check_called(name, output, "g(returned) -> tensor", "one positional argument")
    return output
