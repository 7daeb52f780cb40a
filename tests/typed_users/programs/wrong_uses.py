"""Mistakes a type checker should see: one on each line that names mypy's error code."""

# ruff: noqa: B018, F841 - only read by the type checker, never run

from __future__ import annotations

import numpy as np
from own_backend import OwnBackend, Squares

import polyattr
from polyattr import Attribution, Explainer, GradBackend, Paper, Recipe, Rows, Weights
from polyattr.backend import Tensor
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
    polyattr.IntegratedGradients(MODEL, steps="Auto")  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, max_steps=None)  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, steps="auto", max_steps="many")  # wrong: arg-type
    polyattr.IntegratedGradients(MODEL, of=METHOD)  # wrong: call-arg
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
    polyattr.SmoothGrad(of="IntegratedGradients")  # wrong: arg-type
    polyattr.SmoothGrad(of=polyattr.IntegratedGradients)  # wrong: arg-type
    polyattr.SmoothGrad(off=METHOD)  # wrong: call-arg
    polyattr.SmoothGrad(MODEL, max_steps=9)  # wrong: call-arg
    polyattr.SquareGrad(MODEL, antithetic=True)  # wrong: call-arg
    polyattr.VarGrad(MODEL, steps=5)  # wrong: call-arg
    polyattr.VarGrad(of=RESULT)  # wrong: arg-type
    polyattr.ExpectedGradients(MODEL, X)  # wrong: call-arg
    polyattr.ExpectedGradients(MODEL, background=X, nb_samples="all")  # wrong: arg-type
    polyattr.ExpectedGradients(MODEL, backgrounds=X)  # wrong: call-arg
    polyattr.ExpectedGradients(MODEL, background=X, steps=5)  # wrong: call-arg
    polyattr.Saliency(MODEL, "torch")  # wrong: call-arg
    polyattr.Saliency(MODEL, noise=0.1)  # wrong: call-arg
    polyattr.Saliency(MODEL, backend=3)  # wrong: arg-type
    polyattr.Saliency(MODEL, batch_size=1.5)  # wrong: arg-type
    polyattr.GradientInput(MODEL, batchsize=4)  # wrong: call-arg
    polyattr.GradientInput(MODEL, operator=lambda outputs: outputs)  # wrong: arg-type
    polyattr.ExpectedGradients(MODEL, X)  # wrong: call-arg
    polyattr.ExpectedGradients(MODEL, background=X, nb_samples="few")  # wrong: arg-type
    polyattr.SmoothGrad(of=MODEL)  # wrong: arg-type
    polyattr.Explainer(MODEL)  # wrong: abstract


def calls() -> None:
    METHOD.explain()  # wrong: call-arg
    METHOD.explain(X, 1, X)  # wrong: call-arg
    METHOD.explain(X, target=1)  # wrong: call-arg
    METHOD.explain(X, progress="bar")  # wrong: arg-type
    METHOD.attribute(X, baseline=0.0)  # wrong: call-arg
    METHOD(X, 1, None)  # wrong: call-arg
    METHOD.explain(X, forward_arg=(X,))  # wrong: call-arg
    METHOD.attribute(X, forward_args=3)  # wrong: arg-type
    METHOD.attribute(X, forward_kwargs=[X])  # wrong: arg-type
    METHOD.explain_batches([X], 1, X)  # wrong: call-arg
    METHOD.attribute_batches([X], progress="bar")  # wrong: arg-type
    METHOD.warm(X, steps=3)  # wrong: call-arg
    polyattr.AttributionPatching(MODEL, layer=[0])  # wrong: call-arg
    polyattr.AttributionPatching(MODEL, layers=[0]).explain(X, target=1)  # wrong: call-arg
    polyattr.AttributionPatching(MODEL, layers=[0]).attribute(X)  # wrong: attr-defined
    METHOD.explian(X)  # wrong: attr-defined
    METHOD.function()  # wrong: call-arg
    METHOD.function(X, target=1)  # wrong: call-arg
    METHOD.function(X)(X, 1)  # wrong: call-arg
    METHOD.citation("bibtex")  # wrong: call-arg
    METHOD.batch_size = 3  # wrong: misc


class Unplanned(Explainer):
    """A method without a recipe."""

    factor: float = 1.0


class Mistyped(Explainer):
    """A method whose recipe is none, with a default and a check of the wrong type."""

    count: int = polyattr.setting(default="many")  # wrong: assignment
    factor: float = polyattr.setting(default=1.0, check=lambda value: value)  # wrong: misc

    def recipe(self) -> str:  # wrong: override
        return "recipe"


class Halved(Recipe):
    """A recipe whose table is no table, and whose weights are none."""

    def table(self, n: int) -> list[int]:  # wrong: override
        return [n]

    def weights(self) -> float:  # wrong: override
        return 1.0


def recipes() -> None:
    Unplanned(MODEL)  # wrong: abstract
    Mistyped(MODEL, factors=2.0)  # wrong: call-arg
    Mistyped(MODEL, factor="two")  # wrong: arg-type
    Mistyped(MODEL, 3, 2.0)  # wrong: call-arg
    Rows.over(2)  # wrong: call-arg
    Rows.over(2, weight=X[0], alpha=0.5)  # wrong: arg-type
    Weights()  # wrong: call-arg
    Weights(X[0], others=X)  # wrong: arg-type
    Paper("key", "authors", "title", "2026", "2601.00001")  # wrong: arg-type
    Paper("key", "authors")  # wrong: call-arg
    polyattr.Recipe(noise=0.1)  # wrong: arg-type
    polyattr.setting()  # wrong: call-arg


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
    RESULT.worst("8")  # wrong: arg-type
    RESULT.sort(by=3)  # wrong: arg-type
    RESULT.sort("error", True)  # wrong: call-arg
    RESULT.target(1.5)  # wrong: arg-type
    RESULT.named(["a"])  # wrong: arg-type
    polyattr.Names(["a"])  # wrong: call-arg
    polyattr.Names(features=3)  # wrong: arg-type
    METHOD.refine(3)  # wrong: arg-type
    METHOD.refine(RESULT, tolerance="small")  # wrong: arg-type
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


def operators(tensor: Tensor) -> None:
    tensor.mean()  # wrong: attr-defined
    abs(tensor)  # wrong: arg-type
    operators("a tensor")  # wrong: arg-type
