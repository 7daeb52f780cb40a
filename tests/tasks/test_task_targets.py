"""Targets a task cannot take: each message says what was given, what is expected and what to do."""

import numpy as np
import pytest
import task_formulas as formulas

import polyattr
from polyattr import InputError, InputTypeError, ModelOutputError

X = np.random.default_rng(261).standard_normal((2, 3)).astype(np.float32)
ZONE = np.ones((2, 2, 3))
BOXES = np.tile(formulas.PLACES[:2], (2, 1, 1))


def changed(array, index, value):
    """A copy with one entry replaced."""
    copy = np.array(array, float)
    copy[index] = value
    return copy


def probabilities(ops, x):
    return ops.softmax(formulas.classes(ops, x))


def one_class(ops, x):
    return formulas.classes(ops, x)[:, :1]


def flat_boxes(ops, x):
    return ops.reshape(formulas.detector(ops, x), 21)


def four_columns(ops, x):
    return formulas.detector(ops, x)[:, :, :4]


SEGMENTATION, DETECTION = "semantic segmentation", "object detection"
WHOLE = "expected a class index (int), N indices (N,), or None for the predicted class"
LIKE = "expected reference boxes (2, K, 7) or (2, 7) like those of the output, (2, 3, 7)"

# name: (operator, model, targets, kind, parts of the message)
CASES = {
    "a class beyond the last": (
        "classification",
        formulas.classes,
        4,
        InputError,
        ["target 4 is out of range", "expected 0 to 3"],
    ),
    "regression of what": (
        "regression",
        formulas.classes,
        None,
        InputError,
        ["targets is None", "(2, 4)", "for regression say which output to explain", "its index"],
    ),
    "regression beyond the last": (
        "regression",
        formulas.classes,
        [0, 9],
        InputError,
        ["target 9 is out of range", "expected 0 to 3"],
    ),
    "regression by weights of another shape": (
        "regression",
        formulas.classes,
        np.ones((2, 3)),
        InputError,
        ["targets have shape (2, 3)", "expected weights of shape (2, 4)"],
    ),
    "a margin beyond the last": (
        "margin",
        formulas.classes,
        [0, -1],
        InputError,
        ["target -1 is out of range", "expected 0 to 3"],
    ),
    "a margin of weights": (
        "margin",
        formulas.classes,
        np.ones((2, 4)),
        InputTypeError,
        ["targets are array", "with operator='margin'", WHOLE],
    ),
    "log odds of a callable": (
        "log_odds",
        formulas.classes,
        lambda outputs: outputs[:, 0],
        InputTypeError,
        ["targets are <function", "with operator='log_odds'", WHOLE],
    ),
    "a margin of one class": (
        "margin",
        one_class,
        0,
        ModelOutputError,
        ["operator='margin' compares classes", "C >= 2", "the output has shape (2, 1)"],
    ),
    "log odds of pixels": (
        "log_odds",
        formulas.image,
        0,
        ModelOutputError,
        ["operator='log_odds' compares classes", "the output has shape (2, 2, 3)"],
    ),
    "log odds of probabilities": (
        "log_odds",
        probabilities,
        0,
        ModelOutputError,
        ["takes logits", "outputs are probabilities", "name the layer before the softmax"],
    ),
    "no zone": (
        SEGMENTATION,
        formulas.image,
        None,
        InputTypeError,
        ["targets is None", "expected a zone for each sample"],
    ),
    "an empty zone": (
        SEGMENTATION,
        formulas.image,
        changed(ZONE, 1, 0.0),
        InputError,
        ["targets of sample 1 are all zero", "zone is empty", "at least one element other than 0"],
    ),
    "a zone of another shape": (
        SEGMENTATION,
        formulas.image,
        np.ones((2, 3, 2)),
        InputError,
        ["targets have shape (2, 3, 2)", "the shape of the output, (2, 2, 3)"],
    ),
    "a zone for all samples": (
        SEGMENTATION,
        formulas.image,
        np.ones((2, 3)),
        InputError,
        ["targets have shape (2, 3)", "the shape of the output, (2, 2, 3)"],
    ),
    "a zone that is not finite": (
        SEGMENTATION,
        formulas.image,
        changed(ZONE, (0, 0, 0), np.nan),
        InputError,
        ["contain NaN or inf", "expected finite"],
    ),
    "a zone that is a text": (
        SEGMENTATION,
        formulas.image,
        "sky",
        InputTypeError,
        ["targets are 'sky'", "expected a zone for each sample"],
    ),
    "no boxes": (
        DETECTION,
        formulas.detector,
        None,
        InputTypeError,
        ["targets is None", "expected reference boxes for each sample"],
    ),
    "boxes for one sample": (
        DETECTION,
        formulas.detector,
        BOXES[:1],
        InputError,
        ["targets have shape (1, 2, 7)", LIKE, "rows of zeros where samples have fewer"],
    ),
    "boxes without classes": (
        DETECTION,
        formulas.detector,
        BOXES[:, :, :5],
        InputError,
        ["targets have shape (2, 2, 5)", LIKE],
    ),
    "boxes that are indices": (
        DETECTION,
        formulas.detector,
        [0, 1],
        InputError,
        ["targets have shape (2,)", LIKE],
    ),
    "a sample without a box": (
        DETECTION,
        formulas.detector,
        changed(BOXES, 1, 0.0),
        InputError,
        ["targets of sample 1 hold no reference box", "expected at least one per sample"],
    ),
    "a box turned over": (
        DETECTION,
        formulas.detector,
        changed(BOXES, (0, 1, 2), 3.0),
        InputError,
        ["targets of sample 0 have box [4.0, 3.0, 3.0, 8.0]", "which is empty", "x1 < x2"],
    ),
    "a box without height": (
        DETECTION,
        formulas.detector,
        changed(BOXES, (1, 0, 3), 1.0),
        InputError,
        ["targets of sample 1 have box [1.0, 1.0, 5.0, 1.0]", "y1 < y2"],
    ),
    "a box that is not finite": (
        DETECTION,
        formulas.detector,
        changed(BOXES, (1, 0, 3), np.inf),
        InputError,
        ["contain NaN or inf", "expected finite"],
    ),
    "boxes in one row": (
        DETECTION,
        flat_boxes,
        BOXES,
        ModelOutputError,
        ["'object detection...' expects outputs (N, boxes, 5 + classes)", "has shape (2, 21)"],
    ),
    "positions alone, of boxes in one row": (
        "object detection box position",
        four_columns,
        BOXES,
        ModelOutputError,
        ["(x1, y1, x2, y2, objectness, class scores...)", "has shape (2, 3, 4)"],
    ),
}
MADE = {}


def method(lab, operator, body):
    key = lab.name, operator, body
    if key not in MADE:
        model = lab.function(body)
        MADE[key] = polyattr.Saliency(model, backend=lab.name, operator=operator)
    return MADE[key]


@pytest.mark.parametrize("name", CASES)
def test_refused(lab, name):
    operator, body, targets, kind, parts = CASES[name]
    with pytest.raises(kind) as caught:
        method(lab, operator, body).explain(lab.tensor(X), targets)
    assert isinstance(caught.value, TypeError if kind is InputTypeError else ValueError)
    for part in parts:
        assert part in str(caught.value)


def test_after_a_refusal_the_explainer_works(lab):
    found = method(lab, DETECTION, formulas.detector).explain(lab.tensor(X), BOXES)
    assert np.abs(lab.numpy(found)).max() > 1e-3


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("clasification", "'classification'"),
        ("log-odds", "'log_odds'"),
        ("segmentation", "'semantic segmentation'"),
        ("object detection box", "'object detection'"),
        ("object detection box probability", "'object detection box proba'"),
        ("Regression", "'regression'"),
    ],
)
def test_an_unknown_task_suggests_the_nearest(given, near):
    with pytest.raises(InputError) as caught:
        polyattr.Saliency(abs, operator=given)
    text = str(caught.value)
    assert f"operator is {given!r}" in text
    assert "Did you mean" in text
    assert near in text
    assert "Tasks: classification, regression, margin, log_odds, semantic segmentation" in text


def test_a_name_that_is_near_nothing():
    with pytest.raises(InputError, match=r"a task\. Tasks: classification") as caught:
        polyattr.Saliency(abs, operator="xyz")
    assert "Did you mean" not in str(caught.value)


# What is explained are probabilities, on purpose.
@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")
def test_probabilities_are_welcome_to_other_tasks(lab):
    """A margin of probabilities is one; and logits that are positive are no probabilities."""
    found = method(lab, "margin", probabilities).explain(lab.tensor(X), 0)
    assert np.isfinite(lab.numpy(found)).all()
    positive = polyattr.Saliency(lambda x: x * x + 1.0, backend=lab.name, operator="log_odds")
    assert np.isfinite(lab.numpy(positive.explain(lab.tensor(X), 0))).all()
