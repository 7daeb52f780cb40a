"""Checks of tasks whose scores compare outputs: margins and detected boxes."""

from __future__ import annotations

import numpy as np

from polyattr.testing import expect
from polyattr.testing.harness import Harness, order_one
from polyattr.testing.models import rational

_NETWORK = rational(2)
_X = order_one(4, 4, seed=4)
_BOX = np.array([1.0, 1.0, 5.0, 4.0, 0.5, 1.0, 0.0])


class TaskChecks(Harness):
    """Scores made of `maximum`, `reduce` and arithmetic."""

    def test_margin(self) -> None:
        """The gradient of a class minus that of the best other one."""
        native = self.native(_X)
        model = self.model(_NETWORK.native(self.backend, native))
        made = self.explainer("GradientInput", model, operator="margin", batch_size=3)
        targets = np.array([0, 2, 1, 0])
        result = made.attribute(native, targets)
        outputs, rows = _NETWORK.outputs(_X), np.arange(4)
        others = np.where(np.eye(3)[targets] == 1, -np.inf, outputs)
        best = others.argmax(axis=1)
        wanted = _X * (_NETWORK.gradient(_X, targets) - _NETWORK.gradient(_X, best))
        expect.close(self.host(result.values), wanted, 1e-5, "x * gradient of the margin")
        margins = outputs[rows, targets] - outputs[rows, best]
        expect.close(result.scores, margins, 1e-5, "margins")

    def test_object_detection(self) -> None:
        """Overlap times objectness times similarity of the classes, of one box by hand."""
        box = np.array([[_BOX], [_BOX + np.array([1, 0, 1, 0, 0.25, 0, 1])]])
        model = self.model(lambda x: x * 1.0)
        made = self.explainer("Saliency", model, operator="object detection")
        reference = np.concatenate([np.tile(_BOX, (2, 1, 1)), np.zeros((2, 1, 7))], axis=1)
        result = made.attribute(self.native(box), reference)
        # Moved by 1 of 4, boxes share 3 of 5 columns; (1, 1) and (1, 0) are 45 degrees apart.
        expect.close(result.scores, [0.5, 0.75 * 0.6 / np.sqrt(2)], 1e-6, "similarity")
        by_objectness = self.host(result.values)[:, 0, 4]
        expect.close(by_objectness, [1.0, 0.6 / np.sqrt(2)], 1e-6, "gradient by objectness")
