"""What units of many layers pass on of a change of the input: closed forms, sums, limits."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network

import polyattr
from polyattr import InputError, InputTypeError

RNG = np.random.default_rng(181)
X, B = RNG.standard_normal((2, 4, 3))
NETWORK = random_network(182, 3, 6, 5, 4, activation="tanh")
LAYERS = ["dense0", "dense1", "logits"]
TARGET = 2
(W0, B0), (W1, B1), (W2, B2) = ((np.asarray(w), np.asarray(b)) for w, b in NETWORK.layers)


@pytest.fixture(scope="module")
def model(lab):
    return lab.network(NETWORK, softmax=False)


def explained(lab, model, layers=None, x=X, targets=TARGET, baselines=B, **settings):
    layers = LAYERS if layers is None else layers
    method = polyattr.AttributionPatching(model, backend=lab.name, layers=layers, **settings)
    found = method.explain(lab.tensor(x), targets, baselines=lab.tensor(baselines))
    return {name: lab.numpy(values) for name, values in found.items()}


def activations(x):
    """What the three layers give, and the gradient of the target's logit by each."""
    first = x @ W0 + B0
    second = np.tanh(first) @ W1 + B1
    third = np.tanh(second) @ W2 + B2
    of_third = np.zeros_like(third)
    of_third[:, TARGET] = 1
    of_second = (1 - np.tanh(second) ** 2) * (of_third @ W2.T)
    of_first = (1 - np.tanh(first) ** 2) * (of_second @ W1.T)
    return [first, second, third], [of_first, of_second, of_third]


def rise():
    return activations(X)[0][2][:, TARGET] - activations(B)[0][2][:, TARGET]


@pytest.mark.parametrize("at", ["baseline", "input"])
def test_one_step_is_gradient_times_change_of_the_activation(lab, model, at):
    found = explained(lab, model, at=at)
    (here, _), (there, _) = activations(X), activations(B)
    slopes = activations(B if at == "baseline" else X)[1]
    for name, x, b, slope in zip(LAYERS, here, there, slopes, strict=True):
        assert_close(found[name], (x - b) * slope, 5e-6)


@pytest.mark.parametrize("steps", [1, 7])
def test_sums_of_linear_layers_are_the_rise_of_the_score(lab, steps):
    linear = random_network(183, 3, 6, 4, activation="tanh")
    body = lab.network(linear, softmax=False)
    # Behind the last tanh everything is linear: its units sum to the rise in any number of steps.
    found = explained(lab, body, ["logits"], steps=steps)
    expected = (linear.outputs(X) - linear.outputs(B))[:, TARGET]
    assert_close(found["logits"].sum(axis=1), expected, 1e-5)


def test_sums_of_all_layers_converge_to_the_rise(lab, model):
    gaps = []
    for steps in (5, 50):
        found = explained(lab, model, steps=steps)
        gaps.append([np.abs(found[name].sum(axis=1) - rise()).max() for name in LAYERS])
    assert (np.array(gaps[1]) <= 3e-3 * np.abs(rise()).max()).all()
    assert (np.array(gaps[1][:2]) < 0.1 * np.array(gaps[0][:2])).all()


def test_many_steps_are_the_conductance(lab, model):
    found = explained(lab, model, steps=60)
    alphas = np.linspace(0, 1, 4001)
    path = [activations(B + alpha * (X - B)) for alpha in alphas]
    for layer, name in enumerate(LAYERS):
        moves = np.diff([a[layer] for a, _ in path], axis=0)
        slopes = np.array([g[layer] for _, g in path])
        assert_close(found[name], (moves * (slopes[1:] + slopes[:-1]) / 2).sum(axis=0), 2e-3)


def test_where_activations_go_straight_it_is_integrated_gradients(lab, model):
    found = explained(lab, model, ["dense0"], steps=9)
    parent = polyattr.IntegratedGradients(
        model, backend=lab.name, input_layer="dense0", steps=9, tolerance=9.0
    )
    wanted = parent.explain(lab.tensor(X), TARGET, baselines=lab.tensor(B))
    # But for the first hundredth of the first interval, which has the gradient at its own end.
    assert_close(found["dense0"], lab.numpy(wanted), 1e-3)


def test_no_layer_cuts_off_another(lab, model):
    together = explained(lab, model, steps=3)
    assert_close(together["dense0"], explained(lab, model, ["dense0"], steps=3)["dense0"], 1e-6)


def test_whatever_the_batch_size(lab, model):
    wanted = explained(lab, model, steps=3)
    found = explained(lab, model, steps=3, batch_size=3)
    for name in LAYERS:
        assert_close(found[name], wanted[name], 1e-6)


def test_several_targets_and_datasets(lab, model):
    method = polyattr.AttributionPatching(model, backend=lab.name, layers=["logits"])
    several = method.explain([(X[:2], None), (X[2:], None)], polyattr.each([TARGET, 0]))
    assert list(several) == ["logits"]
    outputs, start = NETWORK.outputs(X), NETWORK.outputs(0 * X)
    for number, target in enumerate([TARGET, 0]):
        expected = (outputs - start) * np.eye(4)[target]
        assert_close(lab.numpy(several["logits"][number]), expected)


def test_an_operator_and_a_score_layer(lab, model):
    plain = explained(lab, model)
    wanted = explained(lab, lab.network(NETWORK), ["dense0"], output_layer="logits")
    assert_close(wanted["dense0"], plain["dense0"], 1e-6)

    def operator(handed, x, targets):
        return lab.ops.sum(handed(x) * targets)

    one_hot = lab.tensor(np.eye(4)[[TARGET] * 4])
    found = explained(lab, model, targets=one_hot, operator=operator)
    for name in LAYERS:
        assert_close(found[name], plain[name], 1e-6)


def test_the_layers_are_dtype_and_shape_of_their_activations(lab, model):
    method = polyattr.AttributionPatching(model, backend=lab.name, layers=LAYERS)
    found = method(lab.tensor(X), TARGET)
    assert list(found) == LAYERS
    assert all(lab.is_native(values) for values in found.values())
    assert [tuple(values.shape) for values in found.values()] == [(4, 6), (4, 5), (4, 4)]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"layers": []}, InputTypeError, r"layers is \[\]; expected a list of at least one layer"),
        ({"layers": "dense0"}, InputTypeError, "expected a list of at least one layer"),
        ({"steps": 0}, InputError, "steps is 0; expected at least 1"),
        ({"at": "middle"}, InputError, "expected 'baseline' or 'input'"),
        ({"tangent": "simplex"}, InputError, "tangent is given; expected none"),
        ({"layers": ["dense0", "dense0"]}, InputError, "expected each layer once"),
        ({"layers": ["dense7"]}, polyattr.LayerNotFoundError, "layers"),
        ({"dense": 1}, InputTypeError, "has no argument 'dense'"),
    ],
    ids=str,
)
def test_wrong_arguments(lab, model, settings, error, message):
    with pytest.raises(error, match=message):
        polyattr.AttributionPatching(model, **{"backend": lab.name, "layers": LAYERS} | settings)


def test_wrong_calls(lab, model):
    method = polyattr.AttributionPatching(model, backend=lab.name, layers=LAYERS)
    with pytest.raises(InputTypeError, match="a call has no argument 'baseline'"):
        method.explain(lab.tensor(X), 1, baseline=0)
    with pytest.raises(InputError, match="there are 2 baselines per sample; expected one"):
        method.explain(lab.tensor(X), 1, baselines=lab.tensor(np.zeros((4, 2, 3))))
    with pytest.raises(InputTypeError, match="expected a method such as IntegratedGradients"):
        polyattr.SmoothGrad(of=method)
