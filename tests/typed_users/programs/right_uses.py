"""The whole public interface as a user writes it: `mypy --strict` accepts it, and it runs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from own_backend import OwnBackend, Squares

import polyattr
from polyattr import Attribution, BackendInfo, Explainer, GradBackend

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
    plain = polyattr.Saliency(MODEL, backend=None, batch_size=None, output=first)
    lost = polyattr.Saliency(MODEL, operator=polyattr.loss(off_by))
    assert_type(lost.explain(X, [1.0, 2.0]), Any)
    product = polyattr.GradientInput(MODEL)
    assert_type(path, polyattr.IntegratedGradients)
    assert_type(smooth, polyattr.SmoothGrad)
    assert_type(square, polyattr.SquareGrad)
    assert_type(spread, polyattr.VarGrad)
    assert_type(plain, polyattr.Saliency)
    assert_type(product, polyattr.GradientInput)
    return [path, smooth, square, spread, plain, product]


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
    return result


def facts(result: Attribution, folder: Path) -> None:
    """What is known about an attribution, and its way to a file and back."""
    assert_type(result.values, Any)
    assert_type(result.scores, Array)
    assert_type(result.baseline_scores, Array | None)
    assert_type(result.completeness_gap, Array | None)
    assert_type(result.error, Array)
    assert_type(result.converged, Array)
    assert_type(result.evaluations, Array)
    assert_type(result.targets, Array | str | None)
    assert_type(result.method, str)
    assert_type(result.seed, int | None)
    assert_type(result.backend, str)
    assert_type(result.to_numpy(), Attribution)
    array: Array = np.asarray(result)
    assert_type(result.save(folder / "a.npz"), None)
    loaded = polyattr.load(folder / "a.npz", max_bytes=10**6)
    assert_type(loaded, Attribution)
    np.testing.assert_array_equal(loaded.values, array)
    result.save(str(folder / "b.npz"))
    polyattr.load(str(folder / "b.npz"))
    try:
        figure = result.plot(inputs=X, titles=["one", "two"])
        assert_type(figure, Any)
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


def main(folder: Path) -> None:
    """Runs everything above."""
    assert_type(polyattr.register(OwnBackend()), GradBackend)
    for method in methods(OwnBackend()):
        facts(calls(method), folder)
    known()
    errors()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
