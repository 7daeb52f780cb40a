"""Models that take one number of rows, and say so by an assertion or an error without a number."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

X = np.random.default_rng(311).standard_normal((5, 3)).astype(np.float32)


class Asserting:
    """Takes one number of rows, which no message names."""

    def __init__(self, rows):
        self.config = {"rows": rows}
        self.rows = rows

    def by_attribute(self, ops, x):
        assert x.shape[0] == self.rows
        return ops.sum(x * x)

    def by_key(self, ops, x):
        if x.shape[0] != self.config["rows"]:
            raise ValueError("the batch is wrong")
        return ops.sum(x * x)

    def by_constant(self, ops, x):
        assert x.shape[0] == 11, "what is this"
        return ops.sum(x * x)


@pytest.mark.parametrize("way", ["by_attribute", "by_key", "by_constant"])
def test_a_batch_size_that_no_message_names(lab, way):
    method = polyattr.GradientInput(lab.function(getattr(Asserting(6), way)), backend=lab.name)
    for n in (5, 1):
        result = method.attribute(lab.tensor(X[:n]))
        assert_close(lab.numpy(result.values), 2 * X[:n] ** 2)
        assert_close(result.scores, (X[:n] ** 2).sum(1))


def test_an_assertion_about_something_else_stays_one(lab):
    def body(ops, x):
        assert x.shape[1] == 4, "four features"
        return ops.sum(x * x)

    with pytest.raises(AssertionError, match="four features"):
        polyattr.GradientInput(lab.function(body), backend=lab.name).explain(lab.tensor(X))


class Stream:
    """A recurrent cell that was run on one sample, and goes on from the state that left."""

    def __init__(self, lab):
        self.ops, self.state = lab.ops, lab.tensor(np.full((1, 3), 0.5, np.float32))

    def __call__(self, x):
        if x.shape[0] != self.state.shape[0]:
            raise ValueError(f"a state of {self.state.shape[0]} rows for {x.shape[0]}")
        self.state = self.ops.tanh(x + self.state)
        return self.ops.sum(self.state)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_state_of_one_row(lab, n):
    """Every sample goes on from that state, also where several are explained."""
    model = Stream(lab)
    state = model.state
    method = polyattr.GradientInput(model, backend=lab.name)
    for _ in range(2):
        result = method.attribute(lab.tensor(X[:n]))
        assert_close(lab.numpy(result.values), X[:n] * (1 - np.tanh(X[:n] + 0.5) ** 2))
        assert_close(result.scores, np.tanh(X[:n] + 0.5).sum(1))
        assert model.state is state


def test_rows_in_pairs_only(lab):
    """Two rows run, one does not: a model of pairs, such as two views of each picture."""

    def body(ops, x):
        if x.shape[0] % 2:
            raise ValueError(f"shape {tuple(x.shape)} has no pairs of rows")
        return ops.sum(x * x)

    for n in (4, 1):
        result = polyattr.GradientInput(lab.function(body), backend=lab.name).attribute(
            lab.tensor(X[:n])
        )
        assert_close(lab.numpy(result.values), 2 * X[:n] ** 2)
        assert_close(result.scores, (X[:n] ** 2).sum(1))
