"""Every task against its formula: scores and gradients in float64, in tiles and datasets."""

import numpy as np
import pytest
import task_formulas as formulas
from labs.closeness import assert_close

import polyattr

RNG = np.random.default_rng(242)
X = RNG.standard_normal((4, 3))
CHOSEN = np.array([0, 3, 1, 2])
WEIGHTS = RNG.standard_normal((4, 4))
ZONES = np.where(RNG.random((4, 2, 3)) < 0.5, 1.0, 0.0)
ZONES[:, 0, 0] = 1.0
GRADED = ZONES * RNG.uniform(0.5, 2.0, ZONES.shape) * np.where(RNG.random(ZONES.shape) < 0.3, -1, 1)
REFERENCES = np.tile(formulas.PLACES, (4, 1, 1)) + RNG.uniform(-0.3, 0.3, (4, 3, 7))
REFERENCES[1, 2] = REFERENCES[2, 1:] = 0.0  # samples with fewer reference boxes than others

both, position, proba, by_class = (
    formulas.detection(objectness, named)
    for objectness, named in [(True, True), (False, False), (True, False), (False, True)]
)
DETECTION = {
    "object detection": both,
    "object detection box position": position,
    "object detection box proba": proba,
    "object detection box class": by_class,
}

# name: (model, operator, targets, formula)
CASES = {
    "classification": (formulas.classes, "classification", CHOSEN, formulas.picked),
    "classification by default": (formulas.classes, None, CHOSEN, formulas.picked),
    "regression by index": (formulas.classes, "regression", CHOSEN, formulas.picked),
    "regression by weights": (formulas.classes, "regression", WEIGHTS, formulas.weighted),
    "regression of one value": (formulas.one_value, "regression", None, lambda o, t: o[:, 0]),
    "margin": (formulas.classes, "margin", CHOSEN, formulas.margin),
    "log_odds": (formulas.classes, "log_odds", CHOSEN, formulas.log_odds),
    "a zone": (formulas.image, "semantic segmentation", ZONES, formulas.zone),
    "a graded zone": (formulas.image, "semantic segmentation", GRADED, formulas.zone),
    **{name: (formulas.detector, name, REFERENCES, f) for name, f in DETECTION.items()},
    "one reference box each": (formulas.detector, "object detection", REFERENCES[:, 0], both),
}
MADE = {}


def method(lab, name):
    """One explainer per case for the whole file."""
    if (lab.name, name) not in MADE:
        body, operator, _, _ = CASES[name]
        MADE[lab.name, name] = polyattr.GradientInput(
            lab.function(body), backend=lab.name, operator=operator, batch_size=3
        )
    return MADE[lab.name, name]


def expected(name, x=X, targets=None):
    body, _, given, formula = CASES[name]
    targets = given if targets is None else targets
    targets = targets[:, None] if name == "one reference box each" else targets

    def score(x):
        return formula(body(formulas.NumpyOps, x), targets)

    return score(x), x * formulas.slopes(score, x)


@pytest.mark.parametrize("name", CASES)
def test_scores_and_gradients(lab, name):
    targets = CASES[name][2]
    scores, values = expected(name)
    with lab.double():
        result = method(lab, name).attribute(lab.tensor(X, "float64"), targets)
        assert_close(lab.numpy(result.values), values, 1e-7)  # what central differences allow
        assert_close(result.scores, scores, 1e-11)
        if targets is not None:
            native = lab.tensor(targets, str(targets.dtype))
            again = method(lab, name).explain(lab.tensor(X, "float64"), native)
            np.testing.assert_array_equal(lab.numpy(again), lab.numpy(result.values))
    if targets is not None:
        np.testing.assert_array_equal(np.squeeze(result.targets), np.squeeze(targets))


TILED = ["margin", "log_odds", "a graded zone", "object detection"]


@pytest.mark.parametrize("name", TILED)
def test_neither_batch_size_nor_order_matters(lab, name):
    body, operator, targets, _ = CASES[name]
    order = np.array([2, 0, 3, 1])
    for batch_size, keep in [(1, np.arange(4)), (None, order)]:
        made = polyattr.GradientInput(
            lab.function(body), backend=lab.name, operator=operator, batch_size=batch_size
        )
        result = made.attribute(lab.tensor(X[keep]), targets[keep])
        scores, values = expected(name)
        assert_close(lab.numpy(result.values), values[keep], 1e-5)
        assert_close(result.scores, scores[keep], 1e-5)


@pytest.mark.parametrize("name", TILED)
def test_datasets(lab, name):
    targets = CASES[name][2]
    pieces = [slice(0, 3), slice(3, 4)]
    batches = [(lab.tensor(X[piece]), targets[piece]) for piece in pieces]
    result = method(lab, name).attribute(batches)
    scores, values = expected(name)
    assert_close(lab.numpy(result.values), values, 1e-5)
    assert_close(result.scores, scores, 1e-5)
    np.testing.assert_array_equal(result.targets, targets)
    parts = method(lab, name).explain_batches(batches)
    np.testing.assert_array_equal(
        np.concatenate([lab.numpy(part) for part in parts]), lab.numpy(result.values)
    )


@pytest.mark.parametrize("name", ["margin", "log_odds"])
def test_no_targets_mean_the_predicted_class(lab, name):
    predicted = formulas.classes(formulas.NumpyOps, X).argmax(axis=1)
    result = method(lab, name).attribute(lab.tensor(X))
    scores, values = expected(name, targets=predicted)
    assert result.targets.tolist() == predicted.tolist()
    assert_close(lab.numpy(result.values), values, 1e-5)
    assert_close(result.scores, scores, 1e-5)


@pytest.mark.parametrize("name", ["margin", "log_odds"])
def test_one_class_for_all(lab, name):
    scores, _ = expected(name, targets=np.array([1] * 4))
    assert_close(method(lab, name).attribute(lab.tensor(X), 1).scores, scores, 1e-5)


def test_integrated_gradients_of_a_margin_are_complete(lab):
    made = polyattr.IntegratedGradients(
        lab.function(formulas.classes), backend=lab.name, operator="margin", steps=200
    )
    result = made.attribute(lab.tensor(X), CHOSEN)
    scores, _ = expected("margin")
    at_zero = formulas.margin(formulas.classes(formulas.NumpyOps, 0 * X), CHOSEN)
    found = lab.numpy(result.values).sum(axis=1)
    assert_close(found, scores - at_zero, 1e-3)  # of the rule, where the best other class changes


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("operator", ["margin", "log_odds"])
def test_large_logits_in_every_dtype(lab, dtype, operator):
    """Leaving the target out must not overflow, nor let it back in."""
    logits = np.array([[4.0, -2.0, 1.0], [96.0, -96.0, 80.0], [-512.0, 0.5, -1024.0]])
    made = polyattr.Saliency(lambda x: x * 1.0, backend=lab.name, operator=operator)
    result = made.attribute(lab.tensor(logits, dtype), [0, 1, 2])
    best = np.array([1.0, 96.0, 0.5])
    margins = np.array([4.0, -96.0, -1024.0]) - best
    rounding = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-22}[dtype]
    if operator == "margin":
        assert_close(result.scores, margins, rounding)
        signs = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]], float)
    else:
        rest = np.exp(-2.0 - 1.0), np.exp(80.0 - 96.0), 0.0
        assert_close(result.scores, margins - np.log1p(rest), rounding)
        shares = [np.array([1.0, 1 / (1 + np.exp(3.0))]), 1 / (1 + np.exp(-16.0))]
        signs = np.array(
            [[1, shares[0][1], 1 - shares[0][1]], [shares[1], 1, 1 - shares[1]], [0, 1, 1]]
        )
    assert_close(lab.numpy(result.values), signs, 4 * rounding)


def test_classes_that_tie_share_the_gradient_alike_everywhere(lab):
    logits = np.array([[3.0, 1.0, 1.0, -4.0], [2.0, 2.0, 2.0, 2.0]])
    made = polyattr.GradientInput(lambda x: x * 1.0, backend=lab.name, operator="margin")
    found = lab.numpy(made.explain(lab.tensor(logits), 0)) / logits
    assert_close(found, [[1, -0.5, -0.5, 0], [1, -1 / 3, -1 / 3, -1 / 3]], 1e-6)
