"""The methods docs/write-a-method.md writes: executed from the page, held to closed forms."""

from __future__ import annotations

import ast
import importlib
import pickle
import re
import sys
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import polyattr
import polyattr.backend
import polyattr.sampling

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-method.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
FIRST = {
    "import torch": "torch",
    "import tensorflow as tf": "tensorflow",
    "import jax.numpy as jnp": "jax",
}
DOORS = {door.__name__: door for door in (polyattr, polyattr.backend, polyattr.sampling)}
BESIDE = {"dataclasses", "typing", "numpy", "torch", "tensorflow", "jax.numpy"}
X = np.array([[1.5, 2.0, 3.0], [0.5, 3.0, 1.5]])
X0, X1, X2 = X.T


def blocks(backend_name):
    """The blocks of the page that run in a framework."""
    first = [FIRST.get(block.splitlines()[0], backend_name) for block in BLOCKS]
    return [block for block, name in zip(BLOCKS, first, strict=True) if name == backend_name]


@pytest.fixture(scope="module")
def page(backend_name, tmp_path_factory):
    """The page's module, after all its blocks ran in order."""
    module = ModuleType("methods_of_the_page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        patch.setitem(sys.modules, module.__name__, module)  # pickles name it
        for block in blocks(backend_name):
            # What is executed is the project's own page.
            exec(compile(block, "docs/write-a-method.md", "exec"), vars(module))
        yield module


def methods(page):
    return {
        name: thing
        for name, thing in vars(page).items()
        if isinstance(thing, type) and issubclass(thing, polyattr.Explainer)
    }


def close(found, expected, rtol=2e-6):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=rtol, atol=rtol)


# -- the page itself ----------------------------------------------------------------------------


def test_each_framework_has_its_block():
    assert [b.splitlines()[0] for b in BLOCKS if b.splitlines()[0] in FIRST] == list(FIRST)
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_only_public_names_are_used(block):
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            modules = {alias.name for alias in node.names}
            assert modules <= BESIDE | {"polyattr"}
        elif isinstance(node, ast.ImportFrom):
            assert node.module in BESIDE | set(DOORS)
            names = {alias.name for alias in node.names}
            assert node.module in BESIDE or names <= set(DOORS[node.module].__all__)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "polyattr":
            assert node.attr in polyattr.__all__


@pytest.mark.parametrize("part", [n for n in vars(polyattr.Recipe) if n[0] != "_"])
def test_every_part_of_a_recipe_is_on_the_page(part):
    # From `rounds`, from `table`, and for those who average over baselines.
    follows = {"one_round", "over", "repeats", "walk"}
    assert part in follows or f"`{part}" in PAGE


def test_every_column_is_on_the_page():
    columns = [column.name for column in fields(polyattr.Rows)]
    assert all(f"`{name}`" in PAGE for name in (*columns, *polyattr.sampling.Spot._fields))


def test_lines_fit():
    assert max(len(line) for block in BLOCKS for line in block.splitlines()) <= 100


# -- numbers ------------------------------------------------------------------------------------


def test_input_times_smooth_grad(page):
    s2 = 0.1**2
    expected = np.stack([X0 * (X1**2 + s2), 2 * X0 * X1**2, 3 * X2 * (X2**2 + s2)], axis=1)
    off = np.asarray(page.smooth.values) - expected
    deviations = np.maximum(np.asarray(page.smooth.standard_error), 1e-6)
    assert np.all(np.abs(off) < 6 * deviations)
    norm = np.abs(np.asarray(page.smooth.values)).sum(axis=1)
    stated = np.asarray(page.smooth.standard_error).sum(axis=1) / norm
    close(page.smooth.error, np.sqrt(2 / np.pi) * stated, 1e-4)


def test_the_error_is_that_of_the_finished_map(page, lab):
    """Over many independent features of very different sizes, stated and true error agree."""
    size = np.random.default_rng(0).uniform(0.1, 2.0, (3, 4000))
    model = lab.function(lambda ops, x: ops.sum(x**2))
    settings = {"noise": 0.3, "nb_samples": 64, "antithetic": False}
    x = lab.tensor(size)
    result = page.InputTimesSmoothGrad(model, **settings).attribute(x)
    off = np.asarray(result.values) - 2 * size**2
    true = np.abs(off).sum(axis=1) / np.abs(np.asarray(result.values)).sum(axis=1)
    assert np.all(np.abs(result.error / true - 1) < 0.04)
    # The error of the gradient, which was stated before, is another one.
    before = polyattr.SmoothGrad(model, **settings).attribute(x).error
    assert np.all(before / true > 1.2)


def test_power_gradients(page, lab):
    assert page.curved.error.max() < 1e-5
    straight = page.PowerGradients(page.model, power=1.0).explain(page.x)
    options = {"steps": 20, "rule": "gauss-legendre", "baseline_value": 1.0}
    close(straight, polyattr.IntegratedGradients(page.model, **options).explain(page.x), 1e-5)
    assert not np.allclose(np.asarray(straight), np.asarray(page.curved.values), atol=1e-2)
    with lab.double():
        page.test_power_gradients(lab.tensor(X, "float64"), rtol=1e-12)


def test_blurred(page):
    """A map that sums to f(x) - f(blurred), found for each feature by integrating in NumPy."""
    differences = np.diff(np.eye(3), axis=0)
    rates, waves = np.linalg.eigh(differences.T @ differences)
    alpha, weight = np.polynomial.legendre.leggauss(60)
    expected, last = np.zeros_like(X), np.zeros_like(X)
    for a, w in zip((alpha + 1) / 2, weight / 2, strict=True):
        spectrum = (X @ waves) * np.exp(-rates * (1 - a) * 4.0)
        point, velocity = spectrum @ waves.T, (spectrum * rates * 4.0) @ waves.T
        expected += w * velocity * gradient(point)
        last = point
    assert last.shape == X.shape
    close(page.blurred.values, expected, 1e-5)
    blurred = ((X @ waves) * np.exp(-rates * 4.0)) @ waves.T
    close(expected.sum(axis=1), np.asarray(page.model(X) - page.model(blurred)), 1e-9)
    close(page.blurred.baseline_scores, np.asarray(page.model(blurred)), 1e-5)
    assert np.abs(page.blurred.completeness_gap).max() < 1e-4


def gradient(x):
    return np.stack([x[:, 1] ** 2, 2 * x[:, 0] * x[:, 1], 3 * x[:, 2] ** 2], axis=1)


def test_downhill(page, lab):
    expected, here = np.zeros_like(X), X
    for _ in range(10):
        expected = expected + 0.01 * gradient(here) ** 2
        here = here - 0.01 * gradient(here)
    close(page.walked.values, expected, 1e-5)
    assert page.walked.evaluations.tolist() == [10, 10]
    # On a bowl the strides shrink geometrically.
    bowl = lab.function(lambda ops, x: ops.sum(x * x) * 0.5)
    x = np.arange(1.0, 31.0).reshape(10, 3) / 10
    shrink = 0.8**2
    known = 0.2 * x**2 * (1 - shrink**6) / (1 - shrink)
    for size in (3, 64):
        method = page.Downhill(bowl, steps=6, rate=0.2, batch_size=size)
        close(method.explain(lab.tensor(x)), known)


def test_left_integrated_gradients(page):
    nodes = np.linspace(0, 1, 21)
    end = nodes[(nodes**3 >= 0.9).argmax()]  # f grows with the cube of alpha
    full = np.stack([X0 * X1**2 / 3, 2 * X0 * X1**2 / 3, X2**3], axis=1)
    # The trapezoid of alpha**2 over n intervals is 1/3 + 1/(6 n**2).
    fine, coarse = (full * 3 * end**3 * (1 / 3 + 1 / (6 * n**2)) for n in (20, 10))
    close(page.left.values, fine, 1e-5)
    stated = np.sqrt(2 / np.pi) * np.abs(fine - coarse).sum(axis=1) / np.abs(fine).sum(axis=1)
    close(page.left.error, stated, 1e-5)
    assert page.left.evaluations.tolist() == [42, 42]
    assert page.left.completeness_gap is None


def test_left_integrated_gradients_of_several_baselines(page, lab):
    """The rounds are told the mean over a sample's baselines."""
    starts = np.stack([np.zeros_like(X), np.full_like(X, 1.2)], axis=1)
    method = page.LeftIntegratedGradients(page.model)
    nodes, weights = polyattr.sampling.quadrature("trapezoid", 21)
    for x, start, found in zip(
        X, starts, np.asarray(method.explain(page.x, baselines=lab.tensor(starts))), strict=True
    ):

        def points(at, x=x, start=start):
            return start[:, None] + at[:, None] * (x - start)[:, None]

        scores = page.model(points(nodes).reshape(-1, 3)).reshape(2, -1).mean(axis=0)
        end = nodes[(scores - scores[0] >= 0.9 * (scores[-1] - scores[0])).argmax()]
        gradients = gradient(points(nodes * end).reshape(-1, 3)).reshape(2, -1, 3)
        mean = np.tensordot(gradients, weights * end, axes=(1, 0))
        close(found, ((x - start) * mean).mean(axis=0), 1e-5)


def test_batch_size_changes_nothing(page):
    for name, kind in methods(page).items():
        sizes = [kind(page.model, batch_size=size).attribute(page.x) for size in (1, 5, None)]
        for cut in sizes:
            close(cut.values, np.asarray(sizes[-1].values), 1e-5)
            assert cut.method.startswith(name)


# -- what comes for free ------------------------------------------------------------------------


def test_what_comes_for_free(page, lab):
    values = np.asarray(page.curved.values)
    streamed = np.concatenate([np.asarray(values) for values in page.streamed])
    for same in (streamed, page.again.values, page.small, lab.numpy(page.pure)):
        close(same, values, 1e-5)
    assert page.again.method == "PowerGradients(power=2.0, steps=20, rule='gauss-legendre', " + (
        "baseline_value=1.0, tolerance=None)"
    )
    assert page.figure.axes
    close(page.smoothed.values, values, 0.5)
    quiet = polyattr.SmoothGrad(of=page.PowerGradients(page.model), noise=0.0, nb_samples=2)
    close(quiet.explain(page.x), values, 1e-5)


def test_the_function_is_differentiable(page, backend_name):
    """The attributions of a sample sum to f(x) - f(b): their derivative is that of f."""
    library = importlib.import_module(backend_name)
    if backend_name == "torch":
        x = page.x.clone().requires_grad_()
        page.function(x).sum().backward()
        found = x.grad
    elif backend_name == "tensorflow":
        with library.GradientTape() as tape:
            tape.watch(page.x)
            total = library.reduce_sum(page.function(page.x))
        found = library.convert_to_tensor(tape.gradient(total, page.x))
    else:
        found = library.jit(library.grad(lambda x: page.function(x).sum()))(page.x)
    close(found, gradient(X), 1e-4)


def test_a_function_of_several_rounds_is_refused(page):
    with pytest.raises(polyattr.InputError, match="chooses its points"):
        page.LeftIntegratedGradients(page.model).function(page.x)


def test_progress_of_a_walk_does_not_pass_its_end(page, monkeypatch):
    """Sequential rows are told of block by block: their tiles are not those of one table."""
    ticks = []

    class Bar:
        def __call__(self, done, size, note):
            ticks.append((done, size))

        step = end = staticmethod(lambda: None)

    bar = contextmanager(lambda on, name, batches: iter([Bar()]))
    monkeypatch.setattr("polyattr.explainer.call.progress_bar", bar)
    page.Downhill(page.model, batch_size=1).explain(page.x, progress=True)
    n = len(page.x)
    assert ticks == sorted(ticks)
    assert {size for _, size in ticks} == {n}
    assert ticks[0] == (0, n)
    assert ticks[-1] == (n, n)
    assert len(ticks) > 20


def test_methods_pickle(page):
    for name, kind in methods(page).items():
        method = kind(page.model)
        again = pickle.loads(pickle.dumps(method))
        assert repr(again) == repr(method)
        assert repr(method).startswith(name)
    close(pickle.loads(pickle.dumps(page.cited)).explain(page.x), page.cited.explain(page.x))


def test_errors_speak(page):
    with pytest.raises(polyattr.InputError, match="power is -1; expected a number above 0"):
        page.PowerGradients(page.model, power=-1)
    with pytest.raises(polyattr.InputError, match="midpoint"):
        page.PowerGradients(page.model, rule="midpiont")
    with pytest.raises(polyattr.InputTypeError, match="Did you mean 'power'"):
        page.PowerGradients(page.model, powr=2)


def test_citation(page):
    assert page.CitedGradients.citation() == polyattr.IntegratedGradients.citation()
    assert repr(page.cited).startswith("CitedGradients(power=3.0, ")
    with pytest.raises(polyattr.InputError, match="names no paper"):
        page.PowerGradients.citation()
