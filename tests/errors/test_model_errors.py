"""Models whose outputs cannot be scored, whose gradient is missing, or whose layers are not."""

import numpy as np
import pytest
from labs.numpy_network import random_network

import polyattr
from polyattr import LayerNotFoundError, ModelOutputError, NonFiniteGradientError

X = np.abs(np.random.default_rng(151).standard_normal((5, 3))).astype(np.float32) + 1


def refused(kind, call, *parts):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, polyattr.PolyattrError)
    assert isinstance(caught.value, ValueError)
    for part in parts:
        assert part in str(caught.value)


def saliency(lab, body, **settings):
    return polyattr.Saliency(lab.function(body), backend=lab.name, **settings)


def test_an_output_that_does_not_depend_on_the_input(lab):
    for body in (
        lambda ops, x: ops.sum(ops.detach(x) * 2.0),
        lambda ops, x: ops.sum(ops.like(np.ones(x.shape), x)),
    ):
        method = saliency(lab, body)
        refused(ModelOutputError, lambda m=method: m.explain(X), "does not depend on inputs", "cut")


def test_an_input_of_two_that_is_not_used(lab):
    method = saliency(lab, lambda ops, left, right: ops.sum(left * left))
    with pytest.warns(polyattr.UnusedInputWarning, match=r"inputs\[1\].*zero attribution"):
        left, right = method.explain((X, X))
    assert np.allclose(lab.numpy(left), 2 * X)
    assert (lab.numpy(right) == 0).all()
    with pytest.warns(polyattr.UnusedInputWarning, match=r"depend on inputs\['right'\]"):
        found = method.explain({"left": X, "right": X})
    assert (lab.numpy(found["right"]) == 0).all()


def test_a_gradient_that_happens_to_be_zero_is_no_missing_one(lab):
    method = saliency(lab, lambda ops, left, right: ops.sum(left * left) + ops.sum(right * 0.0))
    _, right = method.explain((X, X))  # no warning, which would be an error here
    assert (lab.numpy(right) == 0).all()
    flat = saliency(lab, lambda ops, x: ops.sum(ops.relu(x * -1.0)))
    assert (lab.numpy(flat.explain(X)) == 0).all()


@pytest.mark.parametrize(
    ("outputs", "shown"),
    [
        (lambda s: {"logits": s, "loss": s}, ["dict", "['logits', 'loss']"]),
        (lambda s: (s, s), ["tuple of 2 outputs"]),
        (lambda s: [s, s, s], ["list of 3 outputs"]),
    ],
)
def test_several_outputs_without_a_choice(lab, outputs, shown):
    method = saliency(lab, lambda ops, x: outputs(ops.sum(x)))
    refused(ModelOutputError, lambda: method.explain(X), *shown, "output=")


def test_a_model_that_returns_no_tensor(lab):
    method = saliency(lab, lambda ops, x: "score")
    refused(ModelOutputError, lambda: method.explain(X), "returned a builtins.str")


def test_an_unknown_output(lab):
    def body(ops, x):
        return {"logits": ops.sum(x), "features": x}

    method = saliency(lab, body, output="logit")
    refused(
        ModelOutputError,
        lambda: method.explain(X),
        "output='logit'",
        "['logits', 'features']",
        "Did you mean 'logits'",
    )
    method = saliency(lab, lambda ops, x: (ops.sum(x), x), output=2)
    refused(ModelOutputError, lambda: method.explain(X), "output=2", "tuple of 2 outputs")


def test_rows_that_are_not_the_inputs_rows(lab):
    method = saliency(lab, lambda ops, x: ops.total(x))
    refused(
        ModelOutputError,
        lambda: method.explain(X),
        "(3,) when tried on 2 samples",
        "one row per sample",
    )


def test_an_operator_that_returns_no_scores(lab):
    for operator, shown in [
        (lambda model, x, y: model(x), "("),
        (lambda model, x, y: 1.0, "float"),
        (lambda model, x, y: None, "NoneType"),
    ]:
        method = saliency(lab, lambda ops, x: x * x, operator=operator)
        refused(
            ModelOutputError, lambda m=method: m.explain(X), f"operator gave {shown}", "per sample"
        )


def test_a_gradient_that_is_infinite_at_one_sample(lab):
    x = X.copy()
    x[2, 1] = 0.0
    method = saliency(lab, lambda ops, t: ops.sum(ops.sqrt(t)), batch_size=2)
    refused(
        NonFiniteGradientError,
        lambda: method.explain(x),
        "sample 2 at the input",
        "1 of 5 samples affected: 2",
    )


def test_a_gradient_that_is_nan_on_the_path(lab):
    x = np.array([[4.0], [-1.0], [9.0], [-1.0]], np.float32)
    model = lab.function(lambda ops, t: ops.sum(ops.sqrt(t)))
    method = polyattr.IntegratedGradients(
        model, backend=lab.name, steps=4, baseline_value=1.0, batch_size=3
    )
    refused(
        NonFiniteGradientError,
        lambda: method.explain(x),
        "sample 1 at alpha = 0.6667",  # 1 + 2/3 (-1 - 1) is the first point below 0
        "2 of 4 samples affected: 1, 3",
    )


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"steps": 4}, "rule='midpoint' visits neither end"),
        ({"steps": 4, "rule": "left"}, "rule='midpoint' visits neither end"),
        ({"steps": 4, "rule": "midpoint"}, "other steps: rule='midpoint' visits neither end"),
        ({"steps": 4, "rule": "gauss-legendre"}, "other steps: rule='gauss-legendre' visits"),
        ({"steps": "auto"}, "steps=50, rule='midpoint'"),
    ],
)
def test_advice_does_not_name_the_rule_in_use(lab, settings, advice):
    x = np.array([[4.0], [-9.0]], np.float32)
    model = lab.function(lambda ops, t: ops.sum(ops.sqrt(t)))
    method = polyattr.IntegratedGradients(model, backend=lab.name, baseline_value=1.0, **settings)
    refused(NonFiniteGradientError, lambda: method.explain(x), "1 of 2 samples", advice)


def test_a_gradient_that_is_nan_at_a_draw(lab):
    x = np.array([[100.0], [0.1]], np.float32)
    model = lab.function(lambda ops, t: ops.sum(ops.sqrt(t)))
    method = polyattr.SmoothGrad(model, backend=lab.name, noise=1.0, nb_samples=20)
    refused(NonFiniteGradientError, lambda: method.explain(x), "sample 1 at noisy copy", "1 of 2")


def test_a_function_has_no_layers(lab):
    for layer in ("logits", -2):
        refused(
            LayerNotFoundError,
            lambda layer=layer: saliency(lab, lambda ops, x: x, output_layer=layer),
            f"output_layer={layer!r}",
            "no layers to name",
            "pass a function that returns",
        )


@pytest.fixture(scope="module")
def network(lab):
    return lab.network(random_network(0, 3, 4, 2))


def test_an_unknown_layer_suggests_the_nearest(network):
    refused(
        LayerNotFoundError,
        lambda: polyattr.Saliency(network, output_layer="logit"),
        "output_layer 'logit'",
        "Did you mean 'logits'",
        "dense0, activation0, logits, probabilities",
    )


@pytest.mark.parametrize("index", [17, -17])
def test_an_index_beyond_the_layers(network, index):
    refused(
        LayerNotFoundError,
        lambda: polyattr.Saliency(network, output_layer=index),
        f"output_layer is {index}",
        "expected -",
    )


def test_a_layer_of_another_model(lab, network):
    other = lab.layer(lab.network(random_network(1, 3, 4, 2)), "dense0")
    refused(
        LayerNotFoundError,
        lambda: polyattr.Saliency(network, output_layer=other),
        "output_layer",
        "dense0, activation0, logits, probabilities",
    )


@pytest.mark.parametrize("selector", [2.5, True, ["logits"]])
def test_something_that_names_no_layer(network, selector):
    with pytest.raises(polyattr.InputTypeError, match="output_layer is") as caught:
        polyattr.Saliency(network, output_layer=selector)
    assert repr(selector) in str(caught.value)


def test_an_error_of_the_model_says_what_it_was_called_with(lab):
    model = lab.function(lambda ops, x: ops.matmul(x, np.ones((4, 2), np.float32)))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the framework raises
        polyattr.Saliency(model, backend=lab.name).explain(X[:, :3], 0)
    assert not isinstance(caught.value, polyattr.PolyattrError)
    assert "inputs of shape (2, 3)" in caught.value.__notes__[-1]


def test_a_class_is_no_model(backend_name):
    class Network:
        pass

    with pytest.raises(polyattr.InputTypeError, match="class Network; expected an instance"):
        polyattr.Saliency(Network, backend=backend_name)
