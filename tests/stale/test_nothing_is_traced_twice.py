"""What is the same is neither traced nor compiled again."""

import types

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

X = np.random.default_rng(11).standard_normal((2, 3))


def traces(lab, function):
    """The function, and a list that grows whenever its Python code runs."""
    runs = []

    def model(x):
        runs.append(1)
        return function(x)

    return model, runs


def steady(lab, model, runs, targets=lambda: None):
    """Calls until nothing is new; returns how often the code ran in one further call."""
    method = polyattr.GradientInput(model, backend=lab.name)
    for _ in range(3):
        method.explain(lab.tensor(X), targets())
    before = len(runs)
    method.explain(lab.tensor(X), targets())
    return len(runs) - before


@pytest.fixture
def once(lab):
    """How often the code of a model runs in a call when nothing is new."""
    return 0 if lab.compiled else 1


def test_a_file_of_arrays(lab, once, tmp_path):
    np.savez(tmp_path / "weights.npz", w=np.eye(3, dtype=np.float32))
    with np.load(tmp_path / "weights.npz") as weights:
        model, runs = traces(lab, lambda x: lab.ops.sum(x * lab.ops.like(weights["w"][0], x)))
        assert steady(lab, model, runs) == once


def test_a_long_list(lab, once):
    values = [float(k) for k in range(10_000)]
    model, runs = traces(lab, lambda x: lab.ops.sum(x) * sum(values))
    assert steady(lab, model, runs) == once


def test_values_made_anew_that_are_equal(lab, once):
    settings = {"scale": 1.5}

    def targets():
        settings["scale"] = float("1.5")

    model, runs = traces(lab, lambda x: lab.ops.sum(x) * settings["scale"])
    assert steady(lab, model, runs, targets) == once


def test_equal_callables_share_a_kernel(lab, once):
    model, runs = traces(lab, lambda x: x * x)
    method = polyattr.GradientInput(model, backend=lab.name)
    for _ in range(3):
        for k in (0, 1):
            found = lab.numpy(method.explain(lab.tensor(X), lambda z, k=k: z[:, k]))
            assert_close(found[:, k], 2 * X[:, k] ** 2)
    before = len(runs)
    for k in (0, 1):
        method.explain(lab.tensor(X), lambda z, k=k: z[:, k])
    assert len(runs) - before == 2 * once


class Lazy(types.ModuleType):
    """Stands for a part of a package until it is first asked for its name, as in frameworks."""

    def __init__(self, package, part):
        super().__init__("stand-in")
        self.package, self.part = package, part

    @property
    def __name__(self):
        self.package.part = self.part
        return "part"


@pytest.mark.parametrize("layers", [1, 3])
def test_what_a_module_loads_when_it_is_looked_at(lab, once, layers):
    """No call reads it: to look at all that the model might read is what loads it."""
    package = types.ModuleType("package")
    part = types.ModuleType("part")
    part.scale = 3.0
    for _ in range(layers):
        part = Lazy(package, part)
    package.scale, package.part = 2.0, part

    def body(x):
        return lab.ops.sum(x) * (package.scale or package.part.scale)

    model, runs = traces(lab, body)
    method = polyattr.GradientInput(model, backend=lab.name)
    method.explain(lab.tensor(X))
    before = len(runs)
    method.explain(lab.tensor(X))
    assert len(runs) - before == once


def test_what_a_model_counts_is_no_change(lab, once):
    runs, seen = [], {"calls": 0, "shapes": []}

    def model(x):
        runs.append(1)
        seen["calls"] += 1
        seen["shapes"].append(tuple(x.shape))
        return lab.ops.sum(x * x)

    assert steady(lab, model, runs) == once
    runs.clear()
    seen["shapes"].clear()
    assert steady(lab, model, runs) == once
