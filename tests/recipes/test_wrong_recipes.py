"""Recipes and methods put together wrongly: refused in words, or right all the same."""

import copy
import dataclasses
import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import polyattr
from polyattr.sampling import AdaptiveNodes, Mean, RandomBaselines, StraightPath

X = np.array([[1.0, 2.0, -0.5], [0.25, -2.0, 1.0]])


def squares(ops, x):
    return ops.sum(x * x)


def method_of(recipe):
    class Made(polyattr.Explainer):
        background = np.zeros((2, 3))
        baseline_value = 0.0

        def recipe(self):
            return recipe

    return Made


@dataclass(frozen=True)
class Together(polyattr.Recipe):
    """Takes something along, but its rows come together."""

    def start(self, backend, x, baseline):
        return (x * 0 + 1,)


@dataclass(frozen=True)
class Smallest(polyattr.Recipe):
    """The smallest gradient so far, from infinity on."""

    sequential: ClassVar[bool] = True

    def table(self, n):
        return polyattr.Rows.over(n, weight=np.array([0.0, 0.0, 1.0]), turn=np.arange(3))

    def start(self, backend, x, baseline):
        return (x * 0 + float("inf"),)

    def step(self, backend, rows, scores, gradients, flow, carry):
        least = [-backend.maximum(-c[0], -g) for g, c in zip(gradients, carry, strict=True)]
        return least, [(part,) for part in least]


@dataclass(frozen=True)
class Astray(polyattr.Recipe):
    """Names a part there is none of."""

    def table(self, n):
        return polyattr.Rows.over(n, weight=np.ones(1), part=np.array([3]))


@dataclass(frozen=True)
class Halves(RandomBaselines):
    """The same draws in two rounds."""

    def rounds(self, n, norm):
        table = self.table(n)
        half = len(table) // 2
        yield table.take(np.arange(half))
        yield table.take(np.arange(half, len(table)))
        return self.weights()


class Unfielded(polyattr.Recipe):
    def __init__(self, power):
        object.__setattr__(self, "power", power)
        super().__init__()


def test_a_carry_needs_turns(lab):
    made = method_of(Together())(lab.function(squares), backend=lab.name)
    with pytest.raises(polyattr.InputError, match="expected sequential = True"):
        made.explain(lab.tensor(X))


@pytest.mark.parametrize("batch_size", [1, 3, None])
def test_a_carry_may_begin_at_infinity(lab, batch_size):
    made = method_of(Smallest())(lab.function(squares), backend=lab.name, batch_size=batch_size)
    np.testing.assert_allclose(lab.numpy(made.explain(lab.tensor(X))), 2 * X, rtol=1e-6)


def test_rows_of_parts_there_are_none_of(lab):
    made = method_of(Astray())(lab.function(squares), backend=lab.name)
    with pytest.raises(polyattr.InputError, match=r"part from 3 to 3; expected 0 to 0"):
        made.explain(lab.tensor(X))


def test_rounds_of_a_subclass_are_each_their_own(lab):
    model = lab.function(lambda ops, x: ops.sum(ops.tanh(x) * x))
    whole, halves = (
        method_of(recipe)(model, backend=lab.name).explain(lab.tensor(X))
        for recipe in (RandomBaselines(count=16), Halves(count=16))
    )
    np.testing.assert_allclose(lab.numpy(halves), lab.numpy(whole), rtol=1e-4, atol=1e-6)


class Even(Mean):
    """A mean that needs as many rows of every sample."""

    counts_each_sample = False


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (None, "gave None; expected a Recipe"),
        (Unfielded(2), "has 'power', which is no field"),
        (StraightPath(statistic=Even(), nodes=AdaptiveNodes()), "takes a Even of rows"),
    ],
    ids=["none", "no field", "even"],
)
def test_recipes_that_no_engine_can_run(recipe, said):
    with pytest.raises(polyattr.InputTypeError, match=said):
        method_of(recipe)(abs)


def test_a_method_is_no_model():
    for outer in (polyattr.SmoothGrad, polyattr.IntegratedGradients):
        with pytest.raises(polyattr.InputTypeError, match=r"write SmoothGrad\(of=Saliency"):
            outer(polyattr.Saliency(abs))


def test_steps_that_almost_say_auto():
    with pytest.raises(polyattr.InputTypeError, match="steps is 'Auto'; expected an int, or"):
        polyattr.IntegratedGradients(abs, steps="Auto")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_a_method_in_a_method_can_be_changed(copied):
    made = polyattr.SmoothGrad(of=polyattr.IntegratedGradients(abs))
    assert dataclasses.replace(copied(made), noise=0.3).noise == 0.3


def test_a_constructor_of_ones_own_takes_the_arguments_of_its_base():
    class Doubled(polyattr.IntegratedGradients):
        def __init__(self, model, half=3):
            super().__init__(model, steps=2 * half)

    assert Doubled(abs, half=4).steps == 8


def test_the_smallest_batch_size_of_a_chain_bounds_the_whole(lab):
    model, counter = lab.counting(squares)
    inner = polyattr.GradientInput(model, backend=lab.name)
    middle = polyattr.SquareGrad(of=inner, nb_samples=4, batch_size=3)
    polyattr.SmoothGrad(of=middle, nb_samples=4, batch_size=64).explain(lab.tensor(X))
    assert counter.largest <= 3


def test_a_function_is_for_the_dtype_it_was_made_for(lab):
    with lab.double():
        phi = polyattr.GradientInput(lab.function(squares), backend=lab.name).function(
            lab.tensor(X)
        )
        with pytest.raises(polyattr.InputError, match="float64; expected"):
            phi(lab.tensor(X, "float64"))


def test_another_head_is_seen_where_the_class_is_predicted(lab):
    heads = {"now": np.random.default_rng(1).standard_normal((3, 2))}
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(heads["now"], x)))
    method = polyattr.GradientInput(model, backend=lab.name)
    method.attribute(lab.tensor(X))
    if lab.compiled:
        return  # a kernel that holds the old head: what a function holds is not its arguments
    heads["now"] = np.random.default_rng(2).standard_normal((3, 5))
    wanted = (X @ heads["now"]).argmax(axis=1)
    assert method.attribute(lab.tensor(X)).targets.tolist() == wanted.tolist()
