"""Object detection where boxes touch, miss, are turned over, tiny, huge, or the references."""

import numpy as np
import pytest
import task_formulas as formulas
from labs.closeness import assert_close

import polyattr

REFERENCE = np.array([2.0, 2.0, 6.0, 6.0, 1.0, 1.0, 0.0])
BOXES = {
    "the reference": [2, 2, 6, 6, 0.5, 1, 0],
    "half of it": [2, 2, 6, 4, 0.5, 1, 0],
    "around it": [1, 1, 7, 7, 0.5, 3, 4],
    "touching": [6, 2, 9, 6, 0.5, 1, 0],
    "elsewhere": [7, 7, 9, 9, 0.5, 1, 0],
    "turned over": [6, 6, 2, 2, 0.5, 1, 0],
    "a line": [3, 2, 3, 6, 0.5, 1, 0],
    "no class": [2, 2, 6, 6, 0.5, 0, 0],
}
OVERLAP = [1, 1 / 2, 16 / 36, 0, 0, 0, 0, 1]
COSINE = [1, 1, 0.6, 1, 1, 1, 1, 0]
EXPECTED = {
    "object detection": 0.5 * np.multiply(OVERLAP, COSINE),
    "object detection box position": np.array(OVERLAP),
    "object detection box proba": 0.5 * np.array(OVERLAP),
    "object detection box class": np.multiply(OVERLAP, COSINE),
}


@pytest.fixture(scope="module")
def methods(lab):
    """The inputs are the boxes: one per sample."""
    model = lambda x: x * 1.0  # noqa: E731
    return {
        name: polyattr.GradientInput(model, backend=lab.name, operator=name) for name in EXPECTED
    }


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", EXPECTED)
def test_scores_of_single_boxes(lab, methods, name, dtype):
    with lab.double():
        x = lab.tensor(np.array(list(BOXES.values()), float)[:, None], dtype)
        result = methods[name].attribute(x, np.tile(REFERENCE, (len(BOXES), 1)))
        assert lab.dtype(result.values) == dtype
        assert np.isfinite(lab.numpy(result.values)).all()
    rounding = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 1e-6, "float64": 1e-11}
    assert_close(result.scores, EXPECTED[name], rounding[dtype])


@pytest.mark.parametrize("size", [1e-3, 1.0, 300.0])
def test_the_unit_of_length_does_not_matter(lab, methods, size):
    """Coordinates in pixels or as fractions of the picture, areas from 1e-6 to 1e6."""
    unit = np.array([size] * 4 + [1.0] * 3)
    boxes = np.array(list(BOXES.values()), float)[:, None]
    references = np.tile(REFERENCE * unit, (len(BOXES), 1))
    for name, expected in EXPECTED.items():
        result = methods[name].attribute(lab.tensor(boxes * unit), references)
        assert_close(result.scores, expected, 2e-6)


def test_pixels_in_half_precision(lab, methods):
    """Areas of 90,000 square pixels are beyond float16, which ends at 65,504."""
    boxes = np.array([[[0, 0, 320, 320, 0.5, 1, 0]], [[160, 0, 480, 320, 0.5, 1, 0]]], float)
    references = np.tile([0, 0, 320, 320, 1, 1, 0], (2, 1))
    method = methods["object detection box position"]
    result = method.attribute(lab.tensor(boxes, "float16"), references)
    assert_close(result.scores, [1, 1 / 3], 1e-3)


def test_a_models_own_boxes_as_references(lab, methods):
    """Moving an edge either way lowers the overlap: its gradient there is that of a peak, zero."""
    box = np.array(list(BOXES.values())[:1], float)
    found = {
        name: lab.numpy(method.explain(lab.tensor(box[:, None]), box))[0, 0]
        for name, method in methods.items()
    }
    for values in found.values():
        assert np.abs(values[:4]).max() <= 1e-6
    assert_close(found["object detection"][4], 0.5, 1e-6)
    assert np.abs(found["object detection box position"]).max() <= 1e-6


def test_touching_boxes_have_no_gradient_from_the_outside_only(lab, methods):
    """A box that misses the reference scores nothing, however it moves a little."""
    x = np.array([BOXES["elsewhere"], BOXES["half of it"]], float)[:, None]
    found = methods["object detection"].explain(lab.tensor(x), np.tile(REFERENCE, (2, 1)))
    values = lab.numpy(found)
    assert (values[0] == 0).all()
    assert np.abs(values[1]).max() > 0.1


def test_references_may_be_filled_up_with_zeros(lab):
    rng = np.random.default_rng(251)
    x = rng.standard_normal((2, 3))
    boxes = formulas.PLACES + rng.uniform(-0.2, 0.2, (2, 3, 7))
    made = polyattr.GradientInput(
        lab.function(formulas.detector), backend=lab.name, operator="object detection"
    )
    counts = [3, 1]
    filled = np.zeros((2, 4, 7))
    for i, count in enumerate(counts):
        filled[i, :count] = boxes[i, :count]
    together = made.attribute(lab.tensor(x), filled)
    for i, count in enumerate(counts):
        alone = made.attribute(lab.tensor(x[i : i + 1]), boxes[i : i + 1, :count])
        assert_close(lab.numpy(together.values)[i], lab.numpy(alone.values)[0], 1e-5)
        assert_close(together.scores[i], alone.scores[0], 1e-6)
        shuffled = made.attribute(lab.tensor(x[i : i + 1]), filled[i : i + 1, ::-1])
        assert_close(shuffled.scores, alone.scores, 1e-6)
    np.testing.assert_array_equal(together.targets, filled)
