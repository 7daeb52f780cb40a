"""Methods of the family, and what goes with all of them, as a user writes it."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
from own_backend import OwnBackend, Squares

import polyattr
from polyattr import Attribution, Explainer

MODEL = Squares(np.array([[1.0, 0.5], [2.0, 0.0], [-1.0, 3.0]]))
X = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
TURN = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def along(x: Any, b: Any, alpha: Any) -> Any:
    """A path of the user's own."""
    return b + alpha * (x - b)


def even(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Noise of the user's own."""
    return generator.uniform(-1.7, 1.7, shape)


def family(backend: OwnBackend) -> list[Explainer]:
    """Methods that the other program does not make."""
    own = polyattr.IntegratedGradients(MODEL, path=along, steps=5, backend=backend)
    gap = polyattr.IntegratedGradients(MODEL, steps="auto", converge_on="gap", backend=backend)
    guided = polyattr.GuidedIntegratedGradients(
        MODEL, fraction=0.5, max_dist=0.1, steps=5, backend=backend
    )
    idgi = polyattr.IDGI(MODEL, steps=9, backend=backend)
    decided = polyattr.IntegratedDecisionGradients(MODEL, steps=9, backend=backend)
    blurred = polyattr.BlurIntegratedGradients(
        MODEL, max_sigma=2.0, axes=(1,), steps=5, backend=backend
    )
    noisy = polyattr.SmoothGrad(
        MODEL,
        nb_samples="auto",
        max_samples=64,
        noise_mode="relative",
        distribution=even,
        shared_draws=False,
        on_nonfinite="mark",
        domain=polyattr.domains.Linear(TURN),
        backend=backend,
    )
    tangent = polyattr.GradientInput(MODEL, tangent="simplex", backend=backend)
    assert_type(guided, polyattr.GuidedIntegratedGradients)
    assert_type(idgi, polyattr.IDGI)
    assert_type(decided, polyattr.IntegratedDecisionGradients)
    assert_type(blurred, polyattr.BlurIntegratedGradients)
    return [own, gap, guided, idgi, decided, blurred, noisy, tangent]


def run(backend: OwnBackend) -> None:
    """Runs them, and what takes a method."""
    for method in family(backend):
        result = method.attribute(X, 1)
        assert_type(result, Attribution)
        assert_type(result.bound, np.ndarray[Any, Any] | None)
        several = method.attribute(X, polyattr.each([0, 1]))
        assert several.scores.shape == (2, 2)
    noisy = family(backend)[-2]
    assert_type(noisy.explain(X, 1, sample_ids=np.array([7, 8])), Any)
    hessian = polyattr.SmoothHess(MODEL, features=[0, 1], nb_samples=8, backend=backend)
    pairs = polyattr.SmoothHess(MODEL, pairs=[(0, 1)], nb_samples=8, backend=backend)
    assert_type(hessian.explain(X, 1), Any)
    assert_type(pairs.explain(X, 1), Any)
    compared = polyattr.compare_baselines(
        family(backend)[0], X, 1, baselines={"zeros": 0.0, "ones": 1.0}
    )
    assert_type(compared, polyattr.BaselineComparison)
    assert issubclass(polyattr.NonFiniteGradientWarning, polyattr.PolyattrWarning)
    patching = polyattr.AttributionPatching
    assert_type(patching.__name__, str)
