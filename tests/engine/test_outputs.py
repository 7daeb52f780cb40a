"""Which output is scored, and by whom: output_layer, output, operator."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr

NETWORK = random_network(101, 3, 8, 4)
X = single(np.random.default_rng(102).standard_normal((5, 3)))
TARGETS = np.array([0, 3, 1, 2, 2])
LOGITS_MAP = X * NETWORK.gradient(X, one_hot(TARGETS, 4))


def softmax_map():
    """By the chain rule: d p_t / d logit_j = p_t (1[j = t] - p_j)."""
    p, hot = NETWORK.probabilities(X), one_hot(TARGETS, 4)
    chosen = (p * hot).sum(axis=1, keepdims=True)
    return X * NETWORK.gradient(X, chosen * (hot - p))


@pytest.fixture(scope="module")
def model(lab):
    return lab.network(NETWORK)


def test_the_models_own_output_is_the_softmax(lab, model):
    method = polyattr.GradientInput(model)
    with pytest.warns(polyattr.QuestionWarning, match="the outputs are probabilities"):
        result = method.attribute(lab.tensor(X), TARGETS)
    method.attribute(lab.tensor(X), TARGETS)  # said once
    assert_close(lab.numpy(result.values), softmax_map())
    assert_close(result.scores, NETWORK.probabilities(X)[np.arange(5), TARGETS])


@pytest.mark.parametrize("kind", ["name", "object", "index"])
def test_a_layer_by_name_object_or_index(lab, model, kind):
    layer = {"name": "logits", "object": lab.layer(model, "logits"), "index": -2}[kind]
    result = polyattr.GradientInput(model, output_layer=layer).attribute(lab.tensor(X), TARGETS)
    assert_close(lab.numpy(result.values), LOGITS_MAP)
    assert_close(result.scores, NETWORK.outputs(X)[np.arange(5), TARGETS])
    assert np.abs(LOGITS_MAP - softmax_map()).max() > 0.1 * np.abs(LOGITS_MAP).max()


def test_the_map_at_a_layer_is_that_of_the_model_cut_there(lab, model):
    settings = {"steps": 20, "batch_size": 16}
    selected = polyattr.IntegratedGradients(model, output_layer="logits", **settings)
    cut = polyattr.IntegratedGradients(lab.network(NETWORK, softmax=False), **settings)
    expected = lab.numpy(cut.explain(lab.tensor(X), TARGETS))
    assert_close(lab.numpy(selected.explain(lab.tensor(X), TARGETS)), expected, 1e-6)
    predicted = selected.attribute(lab.tensor(X))
    assert predicted.targets.tolist() == NETWORK.outputs(X).argmax(axis=1).tolist()


def test_a_hidden_layer(lab, model):
    hidden = X @ NETWORK.layers[0][0] + NETWORK.layers[0][1]
    result = polyattr.GradientInput(model, output_layer="dense0").attribute(lab.tensor(X), 7)
    assert_close(lab.numpy(result.values), X * NETWORK.layers[0][0][:, 7])
    assert_close(result.scores, hidden[:, 7])


def test_selecting_a_layer_leaves_the_model_as_it_was(lab, model):
    before = lab.numpy(model(lab.tensor(X)))
    polyattr.Saliency(model, output_layer="logits").explain(lab.tensor(X), 0)
    assert (lab.numpy(model(lab.tensor(X))) == before).all()
    assert_close(before, NETWORK.probabilities(X))


def with_outputs(kind):
    def body(ops, x):
        first, second = ops.sum(x * x), ops.matmul(x, ops.like(np.ones((3, 2)), x))
        if kind == "dict":
            return {"first": first, "second": second}
        return [first, second] if kind == "list" else (first, second)

    return body


@pytest.mark.parametrize(
    ("kind", "output", "targets", "expected"),
    [
        ("dict", "first", None, 2 * X * X),
        ("dict", "second", 1, X),
        ("tuple", 0, None, 2 * X * X),
        ("tuple", -1, 0, X),
        ("list", 1, 0, X),
        ("dict", lambda outputs: outputs["first"] * 3.0, None, 6 * X * X),
    ],
)
def test_one_of_several_outputs(lab, kind, output, targets, expected):
    model = lab.function(with_outputs(kind))
    method = polyattr.GradientInput(model, backend=lab.name, output=output)
    assert_close(lab.numpy(method.explain(lab.tensor(X), targets)), expected)


def test_an_operator_scores_instead_of_the_targets(lab):
    def squared_distance(model, inputs, targets):
        return lab.ops.sum((model(inputs) - targets) * (model(inputs) - targets))

    weights = np.random.default_rng(103).standard_normal((3, 2))
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(weights, x)))
    method = polyattr.GradientInput(model, backend=lab.name, operator=squared_distance)
    goals = np.random.default_rng(104).standard_normal((5, 2)).astype(np.float32)
    for given in (goals, lab.tensor(goals)):
        result = method.attribute(lab.tensor(X), given)
        difference = X @ weights - goals
        assert_close(lab.numpy(result.values), X * (2 * difference @ weights.T))
        assert_close(result.scores, (difference**2).sum(axis=1))


def test_an_operator_without_targets_in_tiles(lab):
    def energy(model, inputs, targets):
        assert targets is None
        return lab.ops.sum(model(inputs["x"])) * 2.0

    model = lab.function(lambda ops, x: x * x)
    method = polyattr.IntegratedGradients(
        model, backend=lab.name, operator=energy, steps=3, rule="simpson", batch_size=4
    )
    result = method.explain({"x": lab.tensor(X)})
    assert_close(lab.numpy(result["x"]), 2 * X * X)


def test_an_operator_on_one_of_several_outputs(lab):
    method = polyattr.GradientInput(
        lab.function(with_outputs("dict")),
        backend=lab.name,
        output="second",
        operator=lambda model, inputs, targets: lab.ops.sum(model(inputs)),
    )
    assert_close(lab.numpy(method.explain(lab.tensor(X))), 2 * X)
