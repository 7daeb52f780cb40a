"""Modules that change when they are called, and modes that are more than a flag."""

import copy

import pytest
import torch
from torch import nn

import polyattr

torch.manual_seed(321)
X = torch.randn(5, 3)


class Detector(nn.Module):
    """A recurrent cell with a hidden state from the last call, and statistics of what it saw."""

    def __init__(self):
        super().__init__()
        self.cell, self.head, self.hidden = nn.GRUCell(3, 4), nn.Linear(4, 2), None
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        before = x.new_zeros(len(x), 4) if self.hidden is None else self.hidden
        self.mean.data.mul_(0.9).add_(0.1)
        self.seen += 1
        self.hidden = self.cell(x - self.mean, before)
        return self.head(self.hidden)


def once(model, x):
    """The gradient of class 0 by autograd, from one call of a copy."""
    leaf = x.clone().requires_grad_()
    copy.deepcopy(model)(leaf)[:, 0].sum().backward()
    return x * leaf.grad


def state_of(model):
    return {**{k: v.clone() for k, v in model.state_dict().items()}, "hidden": model.hidden}


def same(a, b):
    return a.keys() == b.keys() and all(
        torch.equal(a[k], b[k]) if torch.is_tensor(a[k]) else a[k] is b[k] for k in a
    )


def test_a_hidden_state_and_moving_averages():
    model = Detector().eval()
    before, expected = state_of(model), once(model, X)
    method = polyattr.GradientInput(model)
    for _ in range(3):
        torch.testing.assert_close(method.explain(X, 0), expected)
        assert same(state_of(model), before)
    with pytest.raises(polyattr.InputError):
        method.explain(X, 7)
    assert same(state_of(model), before)


def test_the_state_is_that_at_the_time_of_the_call():
    """A state that all rows share; what the user did since is seen."""
    model = Detector().eval()
    method = polyattr.GradientInput(model)
    method.explain(X, 0)
    for value in (1.0, -1.0):
        with torch.no_grad():
            model.mean.fill_(value)
        torch.testing.assert_close(method.explain(X, 0), once(model, X))


def test_a_state_of_another_batch_is_of_no_sample():
    model = Detector().eval()
    with torch.no_grad():
        model(X)  # leaves a hidden state for each of these five rows
    with pytest.raises(polyattr.PolyattrError, match=r"scored on its own|rows"):
        polyattr.GradientInput(model).explain(X, 0)


@pytest.mark.filterwarnings("ignore:.torch.jit.* is deprecated:DeprecationWarning")
def test_a_scripted_module_with_a_state():
    class Adding(nn.Module):
        hidden: torch.Tensor

        def __init__(self):
            super().__init__()
            self.hidden = torch.ones(1, 1)

        def forward(self, x):
            self.hidden = self.hidden + 1.0
            return x * x * self.hidden

    model = torch.jit.script(Adding())
    method = polyattr.GradientInput(model)
    for _ in range(2):
        torch.testing.assert_close(method.explain(X, 0), 4 * X**2 * torch.eye(3)[0])
        assert model.hidden.item() == 1.0


def test_buffers_that_matter_to_nothing_are_put_back_too():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls += 1
            return (x * x).sum(1)

    model = Counting().eval()
    torch.testing.assert_close(polyattr.GradientInput(model).explain(X), 2 * X**2)
    assert model.calls == 0


def test_functional_dropout_is_told_of():
    def model(x):
        return nn.functional.dropout(x, 0.5, training=True).sum(1)

    for method in (polyattr.GradientInput(model), polyattr.Saliency(model)):
        with pytest.warns(polyattr.RandomModelWarning, match="dropout called as a function"):
            method.explain(X)


@pytest.mark.parametrize("kind", ["operator", "target", "output"])
def test_a_dropout_beside_the_model_does_not_drop(kind):
    drop, model = nn.Dropout(0.5), nn.Linear(3, 2)
    asked = {
        "operator": ({"operator": lambda m, x, _: drop(m(x))[:, 0]}, None),
        "target": ({}, lambda out: drop(out)[:, 0]),
        "output": ({"output": drop}, 0),
    }
    settings, targets = asked[kind]
    method = polyattr.GradientInput(model.eval(), **settings)
    with pytest.warns(polyattr.TrainingModeWarning):
        found = method.explain(X, targets)
    torch.testing.assert_close(found, X * model.weight[0].detach())
    assert drop.training


class Folding(nn.Module):
    """Keeps its BatchNorm frozen, says by a flag of its own what it does, and folds its weights."""

    def __init__(self):
        super().__init__()
        self.norm, self.head, self.mode = nn.BatchNorm1d(3), nn.Linear(3, 2), "train"
        self.folded = False

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        self.mode = "train" if mode else "eval"
        if self.folded == mode:
            self.head.weight.data += -1.0 if self.folded else 1.0
            self.folded = not self.folded
        return self

    def forward(self, x):
        return self.head(self.norm(x)) * (3.0 if self.mode == "train" else 1.0)


def test_a_mode_that_is_more_than_a_flag():
    model = Folding().train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    reference = copy.deepcopy(model).eval()
    found = polyattr.GradientInput(model).explain(X, 0)
    torch.testing.assert_close(found, polyattr.GradientInput(reference).explain(X, 0))
    assert (model.mode, model.folded, model.training, model.norm.training) == (
        "train",
        False,
        True,
        False,
    )
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    "body",
    [
        lambda lin, x: lin(x.view(32, -1)),
        lambda lin, x: lin(x).view(32, 2),
        lambda lin, x: lin(x) + torch.zeros(32, 2),
    ],
)
def test_a_batch_size_written_into_the_model(body):
    linear = nn.Linear(3, 2)
    found = polyattr.IntegratedGradients(lambda x: body(linear, x), steps=9).explain(X, 1)
    torch.testing.assert_close(found, X * linear.weight[1].detach())


def test_an_initial_state_of_a_batch():
    layer, start = nn.GRU(3, 2, batch_first=True), torch.zeros(1, 32, 2)
    found = polyattr.GradientInput(lambda x: layer(x[:, None], start)[0][:, 0]).explain(X, 1)
    expected = polyattr.GradientInput(lambda x: layer(x[:, None])[0][:, 0]).explain(X, 1)
    torch.testing.assert_close(found, expected)


def test_squeeze():
    linear = nn.Linear(3, 2)
    for n in (1, 5):
        for settings in ({}, {"batch_size": 1}):
            method = polyattr.GradientInput(lambda x: linear(x)[:, None].squeeze(), **settings)
            torch.testing.assert_close(method.explain(X[:n], 0), X[:n] * linear.weight[0].detach())


def test_clips_of_frames_are_refused():
    """A shift along time takes rows from each other, four at a time."""
    linear = nn.Linear(3, 2)

    def model(x):
        return linear(x).view(-1, 4, 2).roll(1, dims=1).reshape(-1, 2)

    with pytest.raises(polyattr.ModelOutputError, match="scored on its own"):
        polyattr.GradientInput(model).explain(torch.randn(8, 3), 0)


def test_gradients_that_are_mixed_alone():
    def model(x):
        y = x * x
        if y.requires_grad:
            y.register_hook(lambda gradient: gradient / gradient.norm())
        return (y * x).sum(1)

    with pytest.raises(polyattr.ModelOutputError, match="another gradient beside itself"):
        polyattr.GradientInput(model).explain(X)
