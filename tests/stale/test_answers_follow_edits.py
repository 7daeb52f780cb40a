"""What ran before must not matter: after any edit the answer is that of a new explainer."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from labs.closeness import assert_close
from world import World

import polyattr

X = np.random.default_rng(11).standard_normal((2, 3))
EDITS = sorted(World.edits(World.__new__(World)))


class Questions:
    """Callables of the call, which read what the test edits."""

    def __init__(self):
        self.column, self.power = 0, 1

    def target(self, outputs):
        return outputs[:, self.column]

    def operator(self, model, inputs, targets):
        return model(inputs)[:, self.column] * self.power

    def output(self, outputs):
        return outputs * self.power


def explainers(lab, model, questions):
    """Makes one of each kind: (explainer, targets)."""
    make = polyattr.GradientInput
    return [
        (make(model, backend=lab.name), 1),
        (make(model, backend=lab.name), questions.target),
        (make(model, backend=lab.name, operator=questions.operator), None),
        (make(model, backend=lab.name, output=questions.output), 2),
    ]


@pytest.mark.parametrize("name", EDITS)
def test_one_edit(lab, name):
    world = World(lab)
    method = polyattr.GradientInput(world.model(), backend=lab.name)
    weights = np.array([[1.0, 0.5, 0.25]] * 2)
    before = lab.numpy(method.explain(lab.tensor(X), weights))
    world.edits()[name](3)
    found = lab.numpy(method.explain(lab.tensor(X), weights))
    fresh = polyattr.GradientInput(method.model, backend=lab.name)
    assert_close(found, lab.numpy(fresh.explain(lab.tensor(X), weights)))
    assert np.abs(found - before).max() > 1e-3


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.sampled_from([*EDITS, "column", "power"]), st.integers(0, 4)),
        min_size=2,
        max_size=5,
    )
)
def test_random_edits_between_calls_change_nothing_but_what_they_mean(lab, edits):
    world, questions = World(lab), Questions()
    model = world.model()
    old = explainers(lab, model, questions)
    for name, k in edits:
        if name in {"column", "power"}:
            setattr(questions, name, k % 3)
        else:
            world.edits()[name](k)
        kept, (new, _) = old[k % len(old)], explainers(lab, model, questions)[k % len(old)]
        method, targets = kept
        result = method.attribute(lab.tensor(X), targets)
        expected = new.attribute(lab.tensor(X), targets)
        np.testing.assert_allclose(np.asarray(result), np.asarray(expected), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(result.scores, expected.scores, rtol=1e-5, atol=1e-6)


def test_a_head_replaced_leaves_no_shape_behind(lab):
    heads = {"head": lab.tensor(np.ones((3, 1)))}
    method = polyattr.GradientInput(lambda x: lab.ops.matmul(x, heads["head"]), backend=lab.name)
    method.attribute(lab.tensor(X))
    weights = np.arange(15.0).reshape(3, 5)
    heads["head"] = lab.tensor(weights)
    result = method.attribute(lab.tensor(X), 4)
    np.testing.assert_allclose(result.scores, X @ weights[:, 4], rtol=1e-5)
    assert_close(np.asarray(result), X * weights[:, 4])
    predicted = (X @ weights).argmax(1)
    np.testing.assert_array_equal(method.attribute(lab.tensor(X)).targets, predicted)


def test_arguments_beside_the_inputs_are_read_as_they_are(lab):
    class Options:
        n = 1

    options = Options()
    method = polyattr.GradientInput(lambda x, options: lab.ops.sum(x * options.n), backend=lab.name)
    for n in (1, 5, True, 2.0):
        options.n = n
        found = lab.numpy(method.explain(lab.tensor(X), forward_kwargs={"options": options}))
        assert_close(found, X * n)
