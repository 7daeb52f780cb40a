"""The model an operator is handed: called like the user's own, and giving back what that does."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import ModelOutputError

RNG = np.random.default_rng(431)
X, Z = RNG.standard_normal((2, 5, 3))
SCALE = RNG.standard_normal(5)


class Answer(dict):
    """A dict whose entries are attributes, as transformers returns it."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no {name}") from None


def body(ops, x, z=None, scale=None):
    """Logits x * z * scale, beside another output."""
    logits = x * 2.0 if z is None else x * z
    return Answer(logits=logits if scale is None else logits * ops.reshape(scale, 1), z=x)


OPERATORS = {
    "by name": lambda model, inputs, t: model(**inputs).logits[:, 1],
    "in one": lambda model, inputs, t: model(inputs).logits[:, 1],
    "by position": lambda model, inputs, t: model(inputs["x"], inputs["z"])["logits"][:, 1],
    "both": lambda model, inputs, t: model(inputs["x"], z=inputs["z"])["logits"][:, 1],
    "twice": lambda m, inputs, t: 3.0 * m(**inputs).logits[:, 1] - 2.0 * m(inputs).logits[:, 1],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_the_model_takes_its_own_arguments_and_returns_its_own_output(lab, name):
    method = polyattr.GradientInput(
        lab.function(body), backend=lab.name, operator=OPERATORS[name], batch_size=2
    )
    found = method.explain({"x": lab.tensor(X), "z": lab.tensor(Z)})
    expected = X * Z * np.eye(3)[1]
    assert_close(lab.numpy(found["x"]), expected)
    assert_close(lab.numpy(found["z"]), expected)


@pytest.mark.parametrize("name", ["by name", "in one", "both"])
def test_arguments_beside_the_inputs_follow(lab, name):
    method = polyattr.GradientInput(
        lab.function(body), backend=lab.name, operator=OPERATORS[name], batch_size=2
    )
    inputs = {"x": lab.tensor(X), "z": lab.tensor(Z)}
    found = method.explain(inputs, forward_kwargs={"scale": lab.tensor(SCALE)})
    assert_close(lab.numpy(found["x"]), X * Z * np.eye(3)[1] * SCALE[:, None])


def test_what_the_operator_names_itself_replaces_what_the_call_brought(lab):
    def doubled(model, inputs, targets):
        return model(inputs, z=inputs * 0.0 + 2.0).logits[:, 0]

    method = polyattr.GradientInput(lab.function(body), backend=lab.name, operator=doubled)
    found = method.explain(lab.tensor(X), forward_kwargs={"z": lab.tensor(Z)})
    assert_close(lab.numpy(found), 2 * X * np.eye(3)[0])


def test_targets_reach_the_operator_as_ever(lab):
    def scaled(model, inputs, targets):
        return model(**inputs).logits[:, 1] * targets

    method = polyattr.GradientInput(lab.function(body), backend=lab.name, operator=scaled)
    inputs = {"x": lab.tensor(X), "z": lab.tensor(Z)}
    found = method.explain(inputs, SCALE.astype(np.float32))
    assert_close(lab.numpy(found["x"]), X * Z * np.eye(3)[1] * SCALE[:, None])


@pytest.mark.parametrize(
    "operator",
    [
        lambda model, inputs, t: model(inputs)[:, 1],
        lambda model, inputs, t: model(inputs).logit[:, 1],
        lambda model, inputs, t: model(inputs)["logit"][:, 1],
    ],
)
def test_an_operator_that_takes_the_output_for_another(lab, operator):
    method = polyattr.GradientInput(lab.function(body), backend=lab.name, operator=operator)
    with pytest.raises(ModelOutputError) as caught:
        method.explain(lab.tensor(X))
    for part in ("operator raised", "with keys ['logits', 'z']", "output=key"):
        assert part in str(caught.value)


def test_a_loss_takes_one_output(lab):
    method = polyattr.GradientInput(
        lab.function(body),
        backend=lab.name,
        operator=polyattr.loss(lambda outputs, targets: lab.ops.sum(outputs * targets)),
    )
    with pytest.raises(ModelOutputError, match="choose one with output="):
        method.explain(lab.tensor(X), X.astype(np.float32))
