"""Numbers that other libraries get wrong without saying so: paths, targets and selected layers.

Each test is named after what the peer gets wrong; the peer and the version it was measured on, or
read in, stand beside it. Measured: captum 0.9.0, xplique 2.0.2. Read: alibi, tf-explain,
innvestigate, and saliency 0.2.1 by PAIR.
"""

import numpy as np
import pytest
from labs import EVERY_METHOD, named
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.sampling.quadrature import RULES

RNG = np.random.default_rng(201)
X = single(RNG.standard_normal((4, 3)))
W = single(RNG.standard_normal((3, 4)))
NETWORK = random_network(202, 3, 8, 4)
TARGETS = np.array([2, 0, 3, 1])
# Without those whose draws are estimates: what they give has no closed form here.
METHODS = named(method for method in EVERY_METHOD if not hasattr(method, "seed"))


def linear(ops, x):
    return ops.matmul(x, ops.like(W, x))


def cube(ops, x):
    return ops.sum(x * x * x)


# What is explained are probabilities, on purpose.
@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")
@pytest.mark.parametrize("name", METHODS)
def test_output_layer_changes_the_map(lab, name):
    # xplique 2.0.2: the maps with and without output_layer="logits" are identical.
    model, method = lab.network(NETWORK), getattr(polyattr, name)
    logits = lab.numpy(method(model, output_layer="logits").explain(lab.tensor(X), TARGETS))
    softmax = lab.numpy(method(model).explain(lab.tensor(X), TARGETS))
    assert np.abs(logits - softmax).max() > 0.1 * np.abs(logits).max()
    cut = method(lab.network(NETWORK, softmax=False)).explain(lab.tensor(X), TARGETS)
    assert_close(logits, lab.numpy(cut), 1e-6)
    if name in {"Saliency", "GradientInput"}:
        slope = NETWORK.gradient(X, one_hot(TARGETS, 4))
        assert_close(logits, np.abs(slope) if name == "Saliency" else X * slope)


@pytest.mark.parametrize(
    ("rule", "steps"),
    [(rule, n) for rule in RULES for n in (1, 2, 3, 50) if n >= RULES[rule].minimum],
)
def test_every_rule_is_exact_on_a_linear_model_for_every_number_of_steps(lab, rule, steps):
    # captum 0.9.0, and alibi: riemann_trapezoid's weights sum to (n - 1) / n, so that a linear
    # model is half of what it should be at n = 2 and 2% short at n = 50.
    method = polyattr.IntegratedGradients(
        lab.function(linear), backend=lab.name, rule=rule, steps=steps
    )
    found = lab.numpy(method.explain(lab.tensor(X), TARGETS))
    assert_close(found, X * W[:, TARGETS].T, 1e-6)


@pytest.mark.parametrize("steps", [11, 21, 41])
def test_trapezoid_error_falls_with_the_square_of_the_steps(lab, steps):
    # PAIR 0.2.1 and tf-explain take the plain mean over a linspace that includes both ends, whose
    # error is O(1 / n): 0.05, 0.025 and 0.0125 here.
    method = polyattr.IntegratedGradients(lab.function(cube), backend=lab.name, steps=steps)
    found = lab.numpy(method.explain(lab.tensor(np.array([[1.0], [-2.0]]))))
    assert_close(found, np.array([[1.0], [-8.0]]) * (1 + 0.5 / (steps - 1) ** 2), 1e-6)


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
@pytest.mark.parametrize("rule", ["trapezoid", "left", "gauss-legendre"])
def test_float64_is_computed_in_float64(lab, rule):
    # captum 0.9.0: float64 is good to 5e-8, for the weights of its rules are float32.
    expected = {
        # The start is taken from inside: a hundredth of the first interval.
        "trapezoid": 1 + 0.5 / 6**2 + 3 * (0.01 / 6) ** 2 / 12,
        "left": 3 * sum((max(i, 0.01) / 7) ** 2 for i in range(7)) / 7,
        "gauss-legendre": 1.0,
    }[rule]
    with lab.double():
        method = polyattr.IntegratedGradients(
            lab.function(cube), backend=lab.name, rule=rule, steps=7
        )
        found = lab.numpy(method.explain(lab.tensor(X, "float64")))
    assert_close(found, X**3 * expected, 1e-14)


@pytest.mark.parametrize("target", [0, 1, 3])
def test_a_single_integer_target_is_an_index_and_no_weight(lab, target):
    # xplique 2.0.2: with one sample the index multiplies the sum of all classes: 0 gives zeros.
    method = polyattr.GradientInput(lab.function(linear), backend=lab.name)
    found = lab.numpy(method.explain(lab.tensor(X[:1]), np.array([target])))
    assert_close(found, X[:1] * W[:, target])


def test_as_many_integer_targets_as_classes_are_indices_and_no_weights(lab):
    # xplique 2.0.2: with as many samples as classes the indices weight the classes of each sample.
    method = polyattr.GradientInput(lab.function(linear), backend=lab.name)
    indices = method.explain(lab.tensor(X), TARGETS)
    assert_close(lab.numpy(indices), X * W[:, TARGETS].T)
    weights = method.explain(lab.tensor(X), one_hot(TARGETS, 4))
    assert_close(lab.numpy(weights), X * W[:, TARGETS].T)


def test_integer_targets_of_another_length_are_refused(lab):
    method = polyattr.GradientInput(lab.function(linear), backend=lab.name)
    for targets in (np.array([1]), np.array([0, 1, 2])):
        with pytest.raises(polyattr.InputError, match=rf"\({len(targets)},\).*\(4,\)"):
            method.explain(lab.tensor(X), targets)


def test_a_segmentation_score_without_pixels_is_no_map_of_nan(lab):
    # xplique 2.0.2: its segmentation operator divides by the pixels of the target, 0 / 0.
    def mean_over_pixels(model, x, pixels):
        return lab.ops.sum(model(x) * pixels) / lab.ops.sum(pixels)

    model = lab.function(lambda ops, x: x * x)
    method = polyattr.GradientInput(model, backend=lab.name, operator=mean_over_pixels)
    pixels = np.array([[1.0, 0.0, 1.0]] * 4, np.float32)
    found = lab.numpy(method.explain(lab.tensor(X), lab.tensor(pixels)))
    assert_close(found, X * X * pixels)
    pixels[1] = 0.0
    with pytest.raises(polyattr.NonFiniteGradientError, match="sample 1"):
        method.explain(lab.tensor(X), lab.tensor(pixels))


def test_the_difference_to_the_baseline_is_multiplied_in(lab):
    # tf-explain: Integrated Gradients is the mean gradient, without the factor x - b.
    method = polyattr.IntegratedGradients(lab.function(linear), backend=lab.name, baseline_value=2)
    found = lab.numpy(method.explain(lab.tensor(X), 1))
    assert_close(found, (X - 2) * W[:, 1])


def test_smoothgrad_differentiates_the_score_and_no_loss(lab):
    # tf-explain: the gradient is that of a cross-entropy, which is no multiple of the score's.
    method = polyattr.SmoothGrad(lab.function(linear), backend=lab.name, nb_samples=8)
    found = lab.numpy(method.explain(lab.tensor(X), 1))
    assert_close(found, np.tile(W[:, 1], (4, 1)))


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_the_default_rule_is_not_the_left_sum(lab):
    # innvestigate: always the left sum, which gives (1 - 1 / n) x^2 for a square.
    model = lab.function(lambda ops, x: ops.sum(x * x))
    default = polyattr.IntegratedGradients(model, backend=lab.name, steps=10)
    # The start is taken from inside, at 0.01 / 9, with the weight 1 / 18.
    assert_close(lab.numpy(default.explain(lab.tensor(X))), X * X * (1 + 0.02 / 9 / 18), 1e-6)
    left = polyattr.IntegratedGradients(model, backend=lab.name, steps=10, rule="left")
    assert_close(lab.numpy(left.explain(lab.tensor(X))), (0.9 + 0.0002) * X * X, 1e-6)
