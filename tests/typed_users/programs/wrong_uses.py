"""Mistakes a type checker should see: one on each line that names mypy's error code."""

# ruff: noqa: B018, F841 - only read by the type checker, never run

from __future__ import annotations

import numpy as np
from own_backend import OwnBackend, Squares

import polyattr
from polyattr import Attribution, Explainer, GradBackend
from polyattr.testing import BackendConformance

MODEL = Squares(np.eye(3))
X = np.ones((2, 3))
METHOD = polyattr.Saliency(MODEL)
RESULT = METHOD.attribute(X)


class Unfinished(GradBackend):
    """Lacks nearly every verb."""

    name = "unfinished"
    interface = 1


class TestNothing(BackendConformance):
    """Names a backend where an instance is needed."""

    backend = "own"  # wrong: assignment


class Misnamed(OwnBackend):
    """Has a name that is no str, and a verb that returns something else."""

    name = 3  # wrong: assignment

    def claims(self, candidate: object) -> str:  # wrong: override
        return "yes"


def constructors() -> None:
    polyattr.IntegratedGradients()  # wrong: call-arg
    polyattr.IntegratedGradients(MODEL, 50)  # wrong: call-arg
    polyattr.IntegratedGradients(MODEL, step=50)  # wrong: call-arg
    polyattr.IntegratedGradients(MODEL, steps="many")  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, steps=50.0)  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, steps=None)  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, rule=3)  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, tolerance="tight")  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, multiply_by_inputs="no")  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, nb_samples=3)  # wrong: call-arg
    polyattr.SmoothGrad(MODEL, 50, 0.2)  # wrong: call-arg
    polyattr.SmoothGrad(MODEL, nb_samples=1.5)  # wrong: arg-type
    polyattr.SmoothGrad(MODEL, noise="loud")  # wrong: arg-type
    polyattr.SmoothGrad(MODEL, seed=None)  # wrong: arg-type
    polyattr.SmoothGrad(MODEL, noise_source=np.random.default_rng())  # wrong: arg-type
    polyattr.SmoothGrad(MODEL, antithetic="yes")  # wrong: arg-type
    polyattr.SquareGrad(MODEL, antithetic=True)  # wrong: call-arg
    polyattr.VarGrad(MODEL, steps=5)  # wrong: call-arg
    polyattr.Saliency(MODEL, "torch")  # wrong: call-arg
    polyattr.Saliency(MODEL, noise=0.1)  # wrong: call-arg
    polyattr.Saliency(MODEL, backend=3)  # wrong: arg-type
    polyattr.Saliency(MODEL, batch_size=1.5)  # wrong: arg-type
    polyattr.GradientInput(MODEL, batchsize=4)  # wrong: call-arg
    polyattr.GradientInput(MODEL, operator=lambda outputs: outputs)  # wrong: arg-type
    polyattr.Explainer(MODEL, METHOD.settings)  # wrong: abstract


def calls() -> None:
    METHOD.explain()  # wrong: call-arg
    METHOD.explain(X, 1, X)  # wrong: call-arg
    METHOD.explain(X, target=1)  # wrong: call-arg
    METHOD.explain(X, progress="bar")  # wrong: arg-type
    METHOD.attribute(X, baseline=0.0)  # wrong: call-arg
    METHOD(X, 1, None)  # wrong: call-arg
    METHOD.explian(X)  # wrong: attr-defined


def results() -> None:
    number: int = RESULT  # wrong: assignment
    scores: Attribution = RESULT.scores  # wrong: assignment
    RESULT.error = np.zeros(2)  # wrong: misc
    RESULT.gap  # wrong: attr-defined
    RESULT.completeness_gap.max()  # wrong: union-attr
    RESULT.baseline_scores + 1.0  # wrong: operator
    RESULT.save()  # wrong: call-arg
    RESULT.save(3)  # wrong: arg-type
    RESULT.plot(X, ["title"], "extra")  # wrong: call-arg
    polyattr.load(None)  # wrong: arg-type
    polyattr.load("a.npz", max_bytes="1 GB")  # wrong: arg-type


def plugins() -> None:
    Unfinished()  # wrong: abstract
    polyattr.register(OwnBackend)  # wrong: arg-type
    polyattr.register("torch")  # wrong: arg-type
    polyattr.unregister(OwnBackend())  # wrong: arg-type
    polyattr.backends()["torch"].version.upper()  # wrong: union-attr
    polyattr.backends()[0]  # wrong: index
    polyattr.backends()["torch"].installed = True  # wrong: misc
    explainer: polyattr.SmoothGrad = METHOD  # wrong: assignment
    anything: list[Explainer] = [METHOD, RESULT]  # wrong: list-item
    kind: type[polyattr.PolyattrWarning] = polyattr.InputError  # wrong: assignment
    polyattr.PolyAttrError  # wrong: attr-defined
    polyattr.Operator  # wrong: attr-defined
