"""What each task scores, written out in NumPy; and models that exist in NumPy and natively."""

import numpy as np

RNG = np.random.default_rng(241)
INNER, OUTER = RNG.standard_normal((3, 5)), RNG.standard_normal((5, 4))
PIXELS = RNG.standard_normal((3, 6))
BOXES = 0.7 * RNG.standard_normal((3, 3 * 7))


class NumpyOps:
    """As much of a lab's vocabulary as the models below use."""

    tanh = staticmethod(np.tanh)
    exp = staticmethod(np.exp)
    matmul = staticmethod(np.matmul)

    @staticmethod
    def like(array, x):
        return array

    @staticmethod
    def reshape(x, *shape):
        return x.reshape(len(x), *shape)


def classes(ops, x):
    """Outputs (N, 4) of a smooth network."""
    return ops.matmul(ops.tanh(ops.matmul(x, ops.like(INNER, x))), ops.like(OUTER, x))


def one_value(ops, x):
    """Outputs (N, 1)."""
    return classes(ops, x)[:, 2:3]


def image(ops, x):
    """Outputs (N, 2, 3), a value per pixel."""
    return ops.reshape(ops.tanh(ops.matmul(x, ops.like(PIXELS, x))), 2, 3)


# (x1, y1, x2, y2, objectness, two classes): where the boxes are, and how far they move.
PLACES = np.array(
    [
        [1.0, 1.0, 5.0, 6.0, 0.7, 0.6, 0.3],
        [4.0, 3.0, 9.0, 8.0, 0.4, 0.2, 0.8],
        [0.5, 5.0, 3.0, 9.0, 0.6, 0.5, 0.5],
    ]
)
MOVES = np.array([0.4, 0.3, 0.3, 0.4, 0.25, 0.2, 0.2])


def detector(ops, x):
    """Outputs (N, 3, 7): three boxes that move with the input."""
    raw = ops.reshape(ops.tanh(ops.matmul(x, ops.like(BOXES, x))), 3, 7)
    return raw * ops.like(MOVES, x) + ops.like(PLACES, x)


def picked(outputs, targets):
    return outputs[np.arange(len(outputs)), targets]


def weighted(outputs, weights):
    return (outputs * weights).reshape(len(outputs), -1).sum(axis=1)


def margin(outputs, targets):
    others = np.where(np.eye(outputs.shape[1])[targets] == 1, -np.inf, outputs)
    return picked(outputs, targets) - others.max(axis=1)


def log_odds(outputs, targets):
    p = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    chosen = picked(p, targets)
    return np.log(chosen / (1 - chosen))


def zone(outputs, zones):
    """The mean of outputs times weights over the elements that are not zero."""
    return np.array(
        [
            sum(o * w for o, w in zip(out.flat, marks.flat, strict=True)) / (marks != 0).sum()
            for out, marks in zip(outputs, zones, strict=True)
        ]
    )


def overlap(a, b):
    """Intersection over union of two boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [max(0.0, c[2] - c[0]) * max(0.0, c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(areas) - width * height)


def detection(objectness, by_class):
    """Each reference's best prediction, averaged over the references that are not filled up."""

    def similarity(box, reference):
        found = overlap(box, reference)
        if objectness:
            found *= box[4]
        if by_class:
            a, b = box[5:], reference[5:]
            found *= a @ b / np.sqrt((a @ a) * (b @ b))
        return found

    def scores(outputs, references):
        found = []
        for boxes, wanted in zip(outputs, references, strict=True):
            real = [reference for reference in wanted if reference.any()]
            best = [max(similarity(box, reference) for box in boxes) for reference in real]
            found.append(np.mean(best))
        return np.array(found)

    return scores


def slopes(score, x, step=1e-6):
    """Central differences of scores (N,) by x (N, F)."""
    found = np.empty_like(x)
    for j in range(x.shape[1]):
        move = step * np.eye(x.shape[1])[j]
        found[:, j] = (score(x + move) - score(x - move)) / (2 * step)
    return found
