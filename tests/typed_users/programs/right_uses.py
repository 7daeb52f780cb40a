"""The whole public interface as a user writes it: `mypy --strict` accepts it, and it runs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, assert_type

import numpy as np
from own_backend import OwnBackend, Squares
from own_method import OwnMethod
from right_family import run

import polyattr
from polyattr import (
    Attribution,
    BackendInfo,
    Explainer,
    GradBackend,
    InputError,
    Names,
    Paper,
    Recipe,
)
from polyattr.backend import Tensor

Array = np.ndarray[Any, Any]

MODEL = Squares(np.array([[1.0, 0.5], [2.0, 0.0], [-1.0, 3.0]]))
X = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])


def halves(model: Callable[[Any], Any], inputs: Any, targets: Any) -> Any:
    """An operator: half the first output."""
    return model(inputs)[:, 0] / 2


def off_by(outputs: Any, targets: Any) -> Any:
    """A loss: one per row."""
    return outputs[:, 0] - targets


def first(outputs: Any) -> Any:
    """Selects an output of several."""
    return outputs


def methods(backend: GradBackend) -> list[Explainer]:
    """Every method with every argument it has."""
    path = polyattr.IntegratedGradients(
        MODEL,
        steps=7,
        baseline_value=0.5,
        rule="simpson",
        tolerance=0.1,
        multiply_by_inputs=True,
        backend=backend,
        output_layer=None,
        input_layer=None,
        attribute_to_layer_input=False,
        batch_size="auto",
        operator="margin",
        output=None,
    )
    smooth = polyattr.SmoothGrad(
        MODEL,
        nb_samples=4,
        noise=0.1,
        seed=1,
        noise_source="portable",
        antithetic=False,
        backend="own",
        batch_size=3,
    )
    square = polyattr.SquareGrad(
        MODEL, nb_samples=4, noise=0.1, seed=1, noise_source="portable", operator=halves
    )
    spread = polyattr.VarGrad(MODEL, nb_samples=4, noise=0.1, seed=1, noise_source="portable")
    told = polyattr.Guide("g_i", "one gradient", "a first look", "shares of a score")
    assert_type(told.cost, str)
    plain = polyattr.Saliency(MODEL, backend=None, batch_size=None, output=first)
    lost = polyattr.Saliency(MODEL, operator=polyattr.loss(off_by))
    assert_type(lost.explain(X, [1.0, 2.0]), Any)
    product = polyattr.GradientInput(MODEL)
    refined = polyattr.IntegratedGradients(MODEL, steps="auto", max_steps=33, budget_ms=1e6)
    expected = polyattr.ExpectedGradients(
        MODEL, background=X, nb_samples=4, seed=1, tolerance=1e3, backend=backend
    )
    smooth_path = polyattr.SmoothGrad(of=path, nb_samples=2, noise=0.1, batch_size=4)
    square_path = polyattr.SquareGrad(of=expected, nb_samples=2)
    spread_path = polyattr.VarGrad(of=smooth, nb_samples=2)
    own = OwnMethod(MODEL, count=2, factor=0.5, backend=backend)
    assert_type(path, polyattr.IntegratedGradients)
    assert_type(smooth, polyattr.SmoothGrad)
    assert_type(square, polyattr.SquareGrad)
    assert_type(spread, polyattr.VarGrad)
    assert_type(plain, polyattr.Saliency)
    assert_type(product, polyattr.GradientInput)
    assert_type(expected, polyattr.ExpectedGradients)
    assert_type(own, OwnMethod)
    assert_type(own.factor, float)
    assert_type(path.steps, int | Literal["auto"])
    assert_type(smooth_path.of, Explainer | None)
    plainly: list[Explainer] = [path, smooth, square, spread, plain, product]
    return [*plainly, refined, expected, smooth_path, square_path, spread_path, own]


def calls(method: Explainer) -> Attribution:
    """Values are native tensors, and so Any; everything about them is typed."""
    baselines = 0.25 if method.uses_baselines else None
    values = method.explain(
        X,
        1,
        baselines=baselines,
        forward_args=(),
        forward_kwargs={},
        batched=(),
        progress=False,
    )
    assert_type(values, Any)
    same = method(X, targets=1, baselines=baselines, progress=False)
    assert_type(same, Any)
    np.testing.assert_array_equal(values, same)
    assert_type(method.explain(inputs=X, targets=None), Any)
    result = method.attribute(X, 1, baselines=baselines, progress=False)
    assert_type(result, Attribution)
    batches = [(X[:1], 1), (X[1:], 1)]
    assert_type(method.explain_batches(batches), Iterator[Any])
    results = method.attribute_batches(batches, targets=1)
    assert_type(results, Iterator[Attribution])
    assert len(list(results)) == 2
    if method.uses_baselines:
        several = np.stack([X * 0, X / 2], axis=1)  # (N, K, ...)
        method.explain(X, 1, baselines=several)
    return result


def functions(method: Explainer) -> None:
    """A method as a function of the inputs, unless it chooses its points on the way."""
    try:
        function = method.function(X, 1, forward_args=(), batched=())
    except InputError:
        assert "'auto'" in repr(method)
        return
    assert_type(function, Callable[[Any], Any])
    np.testing.assert_allclose(function(X), method.explain(X, 1), rtol=1e-12, atol=1e-12)


def sources(method: Explainer) -> None:
    """Where a method comes from."""
    assert_type(method.citation(), str)
    assert_type(type(method).paper, Paper | None)
    assert_type(method.recipe(), Recipe)
    assert_type(OwnMethod.citation().splitlines(), list[str])


def facts(result: Attribution, folder: Path) -> None:
    """What is known about an attribution, and its way to a file and back."""
    assert_type(result.values, Any)
    assert_type(result.scores, Array)
    assert_type(result.baseline_scores, Array | None)
    assert_type(result.completeness_gap, Array | None)
    assert_type(result.error, Array)
    assert_type(result.standard_error, Any)
    assert_type(result.converged, Array)
    assert_type(result.evaluations, Array)
    assert_type(result.targets, Array | str | None)
    assert_type(result.method, str)
    assert_type(result.seed, int | None)
    assert_type(result.backend, str)
    assert_type(result.signed, bool | None)
    assert_type(result.to_numpy(), Attribution)
    array: Array = np.asarray(result)
    assert_type(result.save(folder / "a.npz"), None)
    loaded = polyattr.load(folder / "a.npz", max_bytes=10**6)
    assert_type(loaded, Attribution)
    np.testing.assert_array_equal(loaded.values, array)
    result.save(str(folder / "b.npz"))
    polyattr.load(str(folder / "b.npz"))
    container(result)
    try:
        figure = result.plot(inputs=X, titles=["one", "two"], kind="tabular")
        assert_type(figure, Any)
    except polyattr.MissingExtraError as error:
        assert_type(error.args, tuple[Any, ...])


def container(result: Attribution) -> None:
    """A result and its samples."""
    names = Names(features=["a", "b", "c"], classes={1: "one"}, rows=range(2))
    named = result.named(names, classes=["none", "one"])
    assert_type(named, Attribution)
    assert_type(result.names, Names | None)
    assert_type(len(named), int)
    assert_type(named[0], Attribution)
    assert_type(named[~named.converged], Attribution)
    assert_type([sample.scores for sample in named], list[Array])
    assert_type(named.worst(1), Attribution)
    assert_type(named.sort("scores", reverse=True), Attribution)
    assert_type(result.methods, tuple[str, ...])
    assert_type(result.settings, Array)
    assert_type(result.inputs, Any)
    several = polyattr.Saliency(MODEL).attribute(X, polyattr.each([0, 1]), keep_inputs=True)
    assert_type(several.target(1), Attribution)
    path = polyattr.IntegratedGradients(MODEL, steps=5)
    rough = path.attribute(X, 1, names=names, keep_inputs=True)
    assert_type(path.refine(rough, tolerance=0.5), Attribution)
    try:
        assert_type(named.to_frame(), Any)
        assert_type(named.to_xarray(), Any)
        assert_type(named.to_shap(), Any)
    except polyattr.MissingExtraError as error:
        assert_type(error.args, tuple[Any, ...])


def known() -> None:
    """Backends: looking, registering and forgetting."""
    infos = polyattr.backends()
    assert_type(infos["own"], BackendInfo)
    names: list[str] = sorted(infos)
    for name, info in infos.items():
        assert_type(name, str)
        assert_type(info.installed, bool)
        assert_type(info.version, str | None)
        assert_type(info.provider, str)
    assert_type(infos["own"].devices, list[str])
    assert_type(polyattr.__version__, str)
    assert_type(polyattr.unregister(names[names.index("own")]), None)


def errors() -> None:
    """Every error is also a builtin one, and every warning a UserWarning."""
    kinds: list[type[polyattr.PolyattrError]] = [
        polyattr.InputError,
        polyattr.InputTypeError,
        polyattr.LayerNotFoundError,
        polyattr.MissingExtraError,
        polyattr.MissingFrameworkError,
        polyattr.ModelOutputError,
        polyattr.NonFiniteGradientError,
        polyattr.UnknownBackendError,
        polyattr.UnrecognisedModelError,
    ]
    values: list[type[ValueError]] = [polyattr.InputError, polyattr.NonFiniteGradientError]
    warned: list[type[polyattr.PolyattrWarning]] = [
        polyattr.ConvergenceWarning,
        polyattr.BaselineWarning,
        polyattr.CutGradientWarning,
        polyattr.MapLoggingWarning,
        polyattr.QuestionWarning,
        polyattr.RandomModelWarning,
        polyattr.TrainingModeWarning,
        polyattr.UnusedInputWarning,
    ]
    for warning in warned:
        warnings.simplefilter("error", category=warning)
    bound: polyattr.BoundModel = OwnBackend().bind(MODEL)
    assert_type(bound.dtype, str | None)
    try:
        polyattr.Saliency(MODEL, backend="nobody")
    except (*kinds, *values) as error:
        assert_type(error.args, tuple[Any, ...])


def operators(tensor: Tensor) -> Tensor:
    """What core computes with: a NumPy array is such a tensor."""
    larger: Tensor = (1 - tensor[:, :1]) * 2 + tensor**2
    return -larger / (1 + larger)


def product() -> polyattr.GradientInput:
    """What makes a method in each process."""
    return polyattr.GradientInput(MODEL, backend="own")


def datasets() -> None:
    """Batches in somebody's engine."""
    work = polyattr.worker(product)
    assert_type(work, polyattr.Worker)
    columns: dict[str, Array] = work({"input": X, "id": np.array([7, 8])})
    assert list(columns["id"]) == [7, 8]


def stored(method: Explainer, folder: Path) -> Array:
    """A data set into a store; not run here, since a store needs an extra."""
    done = polyattr.explain_dataset(method, X, folder, summary=True)
    assert_type(done, polyattr.Explained)
    assert_type(done.summary(), polyattr.Summary)
    return done.summary().mean


def main(folder: Path) -> None:
    """Runs everything above."""
    # So few draws and points leave maps off, which is said.
    warnings.simplefilter("ignore", category=polyattr.ConvergenceWarning)
    run(OwnBackend())
    assert_type(polyattr.register(OwnBackend()), GradBackend)
    for method in methods(OwnBackend()):
        facts(calls(method), folder)
        functions(method)
        sources(method)
    datasets()
    known()
    errors()
    operators(X)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
