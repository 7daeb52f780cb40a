"""Infidelity, max-sensitivity and completeness against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr
from polyattr import metrics
from polyattr.metrics.features import ADDED, MOVED, REMOVED, uniform
from polyattr.sampling.noise import portable_noise

RNG = np.random.default_rng(1510)
X = single(RNG.standard_normal((4, 6)))
A = single(RNG.random(6) + 0.5)
NETWORK = random_network(1511, 6, 12, 3)


def linear(ops, x):
    return ops.sum(x * ops.like(A, x)) + 1.0


def quadratic(ops, x):
    return ops.sum(x * x * ops.like(A, x))


def gradient(lab, body, **arguments):
    """A method whose map is the gradient itself: the mean of one draw without noise."""
    return polyattr.SmoothGrad(
        lab.function(body), backend=lab.name, noise=0.0, nb_samples=2, **arguments
    )


# -- infidelity ---------------------------------------------------------------------------------


@pytest.mark.parametrize("perturbation", ["removal", "gaussian"])
@pytest.mark.parametrize("kind", ["gradient", "product", "path"])
def test_the_exact_map_of_a_linear_model_is_faithful(lab, kind, perturbation):
    with lab.double():
        x = lab.tensor(X, "float64")
        function = lab.function(linear)
        method = {
            "gradient": gradient(lab, linear),
            "product": polyattr.GradientInput(function, backend=lab.name),
            "path": polyattr.IntegratedGradients(
                function, backend=lab.name, steps=3, baseline_value=0.5
            ),
        }[kind]
        start = 0.5 if kind == "path" else 0.0
        found = metrics.infidelity(method, x, perturbation=perturbation, replacement=start)
        wrong = metrics.infidelity(
            method, x, perturbation=perturbation, attribution=np.ones_like(X)
        )
    assert found.values.max() < 1e-24
    assert found.standard_error.max() < 1e-24
    assert wrong.values.min() > 1e-3


def test_all_features_at_once_leave_a_known_difference(lab):
    found = metrics.infidelity(
        polyattr.GradientInput(lab.function(quadratic), backend=lab.name),
        lab.tensor(X),
        fraction=1.0,
        nb_samples=3,
    )
    # Promised is 2 a x^2, and a x^2 is lost.
    assert_close(found.values, ((A * X**2).sum(axis=1)) ** 2, 1e-5)
    assert found.standard_error.max() < 1e-5


def test_removal_takes_features_that_are_drawn_for_each_sample(lab):
    method = polyattr.GradientInput(lab.function(quadratic), backend=lab.name, batch_size=7)
    found = metrics.infidelity(method, lab.tensor(X), fraction=1 / 3, nb_samples=20, seed=5)
    lost = (A * X**2).astype(np.float64)
    each = np.array(
        [
            [
                lost[i, np.argsort(uniform(5, k, 0, (6,), REMOVED, i))[:2]].sum() ** 2
                for k in range(20)
            ]
            for i in range(4)
        ]
    )
    assert_close(found.values, each.mean(axis=1), 1e-5)
    assert_close(found.standard_error, each.std(axis=1, ddof=1) / np.sqrt(20), 1e-5)
    assert found.settings["per_unit"] is False


def test_gaussian_noise_on_a_quadratic_leaves_its_own_square(lab):
    method = gradient(lab, quadratic)
    found = metrics.infidelity(
        method, lab.tensor(X), perturbation="gaussian", noise=0.3, nb_samples=16
    )
    noise = [[0.3 * portable_noise(0, k, 0, (6,), ADDED, i) for k in range(16)] for i in range(4)]
    # 2 a x I - (a x^2 - a (x - I)^2) = a I^2
    each = ((np.array(noise) ** 2 * A).sum(axis=-1)) ** 2
    assert_close(found.values, each.mean(axis=1), 1e-4)
    assert found.settings["per_unit"] is True


def test_normalised_only_proportions_count(lab):
    method = polyattr.GradientInput(lab.function(linear), backend=lab.name)
    maps = -7.0 * X * A
    found = metrics.infidelity(method, lab.tensor(X), attribution=maps, normalise=True)
    assert found.values.max() < 1e-9
    nothing = metrics.infidelity(
        method, lab.tensor(X), attribution=0 * maps, normalise=True, fraction=1.0
    )
    assert_close(nothing.values, (X @ A) ** 2, 1e-4)


# -- max-sensitivity ------------------------------------------------------------------------------


def moved(radius, draws, seed=0, ids=range(4)):
    each = [[uniform(seed, k, 0, (6,), MOVED, i) for k in range(draws)] for i in ids]
    return radius * (2 * np.array(each) - 1)


@pytest.mark.parametrize("relative", [False, True])
def test_the_gradient_of_a_quadratic_moves_with_the_input(lab, relative):
    found = metrics.max_sensitivity(
        gradient(lab, quadratic), lab.tensor(X), radius=0.1, nb_samples=6, relative=relative
    )
    each = np.linalg.norm(2 * A * moved(0.1, 6), axis=-1)
    if relative:
        each = each / np.linalg.norm(2 * A * X, axis=1)[:, None]
    assert_close(found.values, each.max(axis=1), 1e-4)
    largest = np.sort(each, axis=1)
    assert_close(found.standard_error, 5 / 6 * (largest[:, -1] - largest[:, -2]), 1e-3)
    assert (found.values <= each.max() * 1.001).all()


def test_a_map_that_never_moves_has_none(lab):
    found = metrics.max_sensitivity(gradient(lab, linear), lab.tensor(X), nb_samples=3)
    assert found.values.max() < 1e-7


def test_neighbours_are_explained_for_the_class_of_the_sample(lab):
    method = polyattr.GradientInput(lab.mlp(NETWORK), backend=lab.name)
    classes = NETWORK.outputs(X).argmax(axis=1)
    free = metrics.max_sensitivity(method, lab.tensor(X), radius=2.0, nb_samples=4)
    named = metrics.max_sensitivity(method, lab.tensor(X), classes, radius=2.0, nb_samples=4)
    assert_close(free.values, named.values, 1e-6)
    near = X[:, None] + moved(2.0, 4)
    assert (NETWORK.outputs(near.reshape(-1, 6)).argmax(1).reshape(4, 4) != classes[:, None]).any()


def test_numpy_inputs_and_containers_move_as_they_are(lab):
    def both(ops, inputs):
        return quadratic(ops, inputs[0]) + quadratic(ops, inputs[1])

    method = polyattr.SmoothGrad(lab.function(both), backend=lab.name, noise=0.0, nb_samples=2)
    native = metrics.max_sensitivity(method, [lab.tensor(X), lab.tensor(X)], nb_samples=2)
    plain = metrics.max_sensitivity(method, [X, X], nb_samples=2)
    assert_close(native.values, plain.values, 1e-5)


# -- completeness ---------------------------------------------------------------------------------


def test_the_gap_of_a_quadratic_is_what_the_product_has_too_much(lab):
    method = polyattr.GradientInput(lab.function(quadratic), backend=lab.name)
    found = metrics.completeness(method, lab.tensor(X))
    assert_close(found.values, (A * X**2).sum(axis=1), 1e-5)
    relative = metrics.completeness(method, lab.tensor(X), relative=True)
    assert_close(relative.values, np.ones(4), 1e-5)
    assert found.standard_error is None
    assert found.better == "zero"


def test_the_gap_of_a_path_method_is_the_one_it_states(lab):
    method = polyattr.IntegratedGradients(
        lab.mlp(NETWORK), backend=lab.name, steps=5, baseline_value=0.3
    )
    result = method.attribute(lab.tensor(X))
    found = metrics.completeness(method, lab.tensor(X))
    assert np.abs(result.completeness_gap).max() > 1e-4
    assert_close(found.values, result.completeness_gap, 1e-4)
    other = metrics.completeness(method, lab.tensor(X), replacement=np.zeros(6))
    assert np.abs(other.values - found.values).max() > 1e-2


def test_several_baselines_are_averaged(lab):
    starts = single(RNG.standard_normal((4, 2, 6)))
    method = polyattr.IntegratedGradients(
        lab.function(quadratic), backend=lab.name, steps=20, baseline_value=starts
    )
    found = metrics.completeness(method, lab.tensor(X))
    first = metrics.completeness(method, lab.tensor(X), replacement=starts[:, 0])
    assert np.abs(found.values).max() < 1e-3
    assert np.abs(first.values).max() > 1e-1


# -- all of them ----------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(rows=st.permutations(range(4)), size=st.integers(1, 9), seed=st.integers(0, 2**40))
@pytest.mark.parametrize("name", ["infidelity", "max_sensitivity"])
def test_draws_belong_to_the_sample(lab, name, rows, size, seed):
    measure, some = getattr(metrics, name), list(rows)[:2]
    function = lab.function(quadratic)
    whole = measure(
        polyattr.GradientInput(function, backend=lab.name), lab.tensor(X), nb_samples=4, seed=seed
    )
    part = measure(
        polyattr.GradientInput(function, backend=lab.name, batch_size=size),
        lab.tensor(X[some]),
        nb_samples=4,
        seed=seed,
        sample_ids=np.array(some),
    )
    assert_close(part.values, whole.values[some], 1e-4)
    assert_close(part.standard_error, whole.standard_error[some], 1e-3)
