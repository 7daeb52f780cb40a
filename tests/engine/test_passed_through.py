"""Leaves without a gradient: the model sees them as they are, and their slot in the result is None.

Every model here is x -> sum(x^2) times a factor made of what came along, so that the attributions
of `GradientInput` are 2 x^2 times that factor.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.backend.registry import get_backend

RNG = np.random.default_rng(201)
X = RNG.standard_normal((4, 3))
IDS = np.array([[1, 2], [3, 0], [2, 2], [0, 5]], np.int32)
MASK = np.array([[True, False, True], [True] * 3, [False] * 3, [False, True, True]])
SUMS = IDS.sum(axis=1)


class Batch(NamedTuple):
    """A container with names."""

    ids: Any
    features: Any
    mode: Any


def squares(lab, x, ids):
    """The sum of squares times 1 + the sum of the ids."""
    cast = get_backend(lab.name).cast
    return lab.ops.sum(x * x) * (lab.ops.sum(cast(ids, "float32")) + 1.0)


EXPECTED = 2 * X**2 * (1 + SUMS[:, None])


def containers(lab, x, ids):
    """Inputs, the model that takes them, and where the attributions of x are in the result."""
    deep = {"text": {"ids": ids, "mode": "sum"}, "more": [None, (x, True)]}
    return {
        "tuple": ((ids, x), lambda i, t: squares(lab, t, i), lambda r: r[1], (None, "x")),
        "list": ([x, ids], lambda t, i: squares(lab, t, i), lambda r: r[0], ["x", None]),
        "dict": (
            {"ids": ids, "t": x, "mask": None},
            lambda ids, t, mask: squares(lab, t, ids),
            lambda r: r["t"],
            {"ids": None, "t": "x", "mask": None},
        ),
        "named tuple": (
            Batch(ids, x, "sum"),
            lambda i, t, mode: squares(lab, t, i),
            lambda r: r.features,
            Batch(None, "x", None),
        ),
        "nested": (
            deep,
            lambda batch: squares(lab, batch["more"][1][0], batch["text"]["ids"]),
            lambda r: r["more"][1][0],
            {"text": {"ids": None, "mode": None}, "more": [None, ("x", None)]},
        ),
    }


@pytest.mark.parametrize("kind", ["tuple", "list", "dict", "named tuple", "nested"])
def test_the_slot_of_what_has_no_gradient_is_none(lab, kind):
    inputs, model, read, shown = containers(lab, lab.tensor(X), lab.tensor(IDS))[kind]
    method = polyattr.GradientInput(model, backend=lab.name, batch_size=3)
    result = method.attribute(inputs)
    assert_close(lab.numpy(read(result.values)), EXPECTED)
    assert_close(result.scores, (X**2).sum(axis=1) * (1 + SUMS))
    outline = polyattr.question.structure.map_leaves(
        lambda leaf: None if leaf is None else "x", result.values
    )
    assert outline == shown
    assert type(result.values) is type(inputs)


def test_the_model_sees_the_very_values(lab):
    """Arrays keep their dtypes; anything else is the same object."""
    seen = []
    token = object()

    def model(batch):
        seen.append(batch)
        factor = squares(lab, batch["x"], batch["ids"])
        mask = get_backend(lab.name).cast(batch["mask"], "float32")
        return factor * (lab.ops.sum(mask) + 1.0)

    plain = {"none": None, "text": "left", "flag": False, "count": 7, "token": token, "rate": 0.5}
    inputs = {"x": X.astype(np.float32), "ids": IDS.astype(np.uint8), "mask": MASK, **plain}
    method = polyattr.GradientInput(model, backend=lab.name, batch_size=2)
    for native in (False, True):
        given = dict(inputs)
        if native:
            given |= {key: lab.tensor(inputs[key]) for key in ("x", "ids", "mask")}
        found = method.explain(given)
        assert_close(lab.numpy(found["x"]), EXPECTED * (1 + MASK.sum(axis=1))[:, None])
        assert [found[key] for key in inputs if key != "x"] == [None] * 8
    for batch in seen:
        assert list(batch) == list(inputs)
        assert [lab.dtype(batch[key]) for key in ("x", "ids", "mask")] == [
            "float32",
            "uint8",
            "bool",
        ]
        assert all(batch[key] is value for key, value in plain.items())


def test_a_flag_chooses_another_program(lab):
    """What is no tensor may steer Python control flow, so a new value is a new kernel."""

    def model(x, mode):
        return lab.ops.sum(x * x if mode == "square" else x)

    method = polyattr.GradientInput(model, backend=lab.name)
    x = lab.tensor(X)
    for _ in range(2):
        assert_close(lab.numpy(method.explain((x, "square"))[0]), 2 * X**2)
        assert_close(lab.numpy(method.explain((x, "sum"))[0]), X)


def test_equal_numbers_of_other_signs_and_types_are_told_apart(lab):
    """0.0 == -0.0 and 1 == True, yet 1 / 0.0 and the type may be what the model asks for."""

    def model(x, number):
        sign = float(np.copysign(1.0, number)) * (2.0 if isinstance(number, bool) else 1.0)
        return lab.ops.sum(x) * sign

    method = polyattr.GradientInput(model, backend=lab.name)
    for number, sign in [(0.0, 1), (-0.0, -1), (1, 1), (True, 2), (1.0, 1)]:
        assert_close(lab.numpy(method.explain((lab.tensor(X), number))[0]), sign * X)


def test_a_table_of_another_length_is_shared(lab):
    """A leaf without a row per sample is the same for every row."""
    table = np.array([1, 2, 3], np.int32)
    cast = get_backend(lab.name).cast

    def model(x, table):
        return lab.ops.sum(x * x * cast(table, "float32"))

    method = polyattr.IntegratedGradients(model, backend=lab.name, batch_size=3, rule="midpoint")
    found = method.explain((lab.tensor(X), table))
    assert found[1] is None
    assert_close(lab.numpy(found[0]), X**2 * table)


@pytest.fixture(scope="module")
def on_dicts(lab):
    model = lambda batch: squares(lab, batch["x"], batch["ids"])  # noqa: E731
    return polyattr.IntegratedGradients(
        model, backend=lab.name, rule="gauss-legendre", steps=2, batch_size=3
    )


BASELINE = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize(
    "baselines",
    [
        {"x": BASELINE, "ids": None},
        {"x": BASELINE, "ids": 0},
        {"ids": IDS, "x": np.tile(BASELINE, (4, 1))},
        {"x": BASELINE},
    ],
    ids=["none", "a number", "another order", "left out"],
)
def test_baselines_of_what_has_a_gradient(lab, on_dicts, baselines):
    inputs = {"x": lab.tensor(X), "ids": lab.tensor(IDS)}
    result = on_dicts.attribute(inputs, baselines=baselines)
    # The gradient is linear in x: its mean on the path is that at the middle.
    expected = (X - BASELINE) * (X + BASELINE) * (1 + SUMS[:, None])
    assert_close(lab.numpy(result.values["x"]), expected)
    assert_close(result.baseline_scores, (BASELINE**2).sum() * (1 + SUMS))
    assert np.abs(result.completeness_gap).max() <= 1e-5 * np.abs(result.scores).max()


def test_a_callable_baseline_is_given_everything(lab, on_dicts):
    inputs = {"x": lab.tensor(X), "ids": lab.tensor(IDS)}
    given = []

    def half(batch):
        given.append(sorted(batch))
        return {"x": batch["x"] * 0.5, "ids": None}

    found = on_dicts.explain(inputs, baselines=half)
    assert_close(lab.numpy(found["x"]), 0.75 * X**2 * (1 + SUMS[:, None]))
    assert given == [["ids", "x"]]


def test_to_numpy_and_a_file_keep_the_slots(lab, on_dicts, tmp_path):
    inputs = {"x": lab.tensor(X), "ids": lab.tensor(IDS)}
    result = on_dicts.attribute(inputs)
    expected = X**2 * (1 + SUMS[:, None])
    host = result.to_numpy()
    assert isinstance(host.values["x"], np.ndarray)
    assert host.values["ids"] is None
    result.save(tmp_path / "map.npz")
    loaded = polyattr.load(tmp_path / "map.npz")
    assert list(loaded.values) == ["x", "ids"]
    assert loaded.values["ids"] is None
    for values in (host.values, loaded.values):
        assert_close(values["x"], expected)


@pytest.mark.parametrize("shape", ["pairs", "generator"])
def test_datasets_of_dicts(lab, on_dicts, shape):
    pieces = [(0, 2), (2, 4)]
    pairs = [({"x": lab.tensor(X[a:b]), "ids": lab.tensor(IDS[a:b])}, None) for a, b in pieces]
    dataset = pairs if shape == "pairs" else (inputs for inputs, _ in pairs)
    result = on_dicts.attribute(dataset)
    assert result.values["ids"] is None
    assert_close(lab.numpy(result.values["x"]), X**2 * (1 + SUMS[:, None]))
    assert_close(result.scores, (X**2).sum(axis=1) * (1 + SUMS))


def test_ids_do_not_count_as_features(lab):
    """Noise and errors are those of the floating input alone."""
    model = lambda x, ids: squares(lab, x, ids)  # noqa: E731
    method = polyattr.SmoothGrad(model, backend=lab.name, nb_samples=6, noise=0.3, batch_size=5)
    found, none = method.explain((lab.tensor(X), lab.tensor(IDS)))
    assert none is None
    # Antithetic noise cancels in a linear gradient.
    assert_close(lab.numpy(found), 2 * X * (1 + SUMS[:, None]))
