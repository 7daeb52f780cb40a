"""Modules whose first call sets something, and gradients that are left to chance."""

import pytest
import torch
from torch import nn

import polyattr

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(331))


class Centring(nn.Module):
    """Subtracts the mean of the first samples it sees, which it keeps as an attribute."""

    def __init__(self):
        super().__init__()
        self.mean = None

    def forward(self, x):
        if self.mean is None:
            self.mean = x.detach().mean(0)
        return (x - self.mean) ** 2


class CentringByFlag(nn.Module):
    """The same with buffers, as normalising flows have them."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("known", torch.tensor(False))

    def forward(self, x):
        if not self.known:
            self.mean.copy_(x.detach().mean(0))
            self.known.fill_(True)
        return (x - self.mean) ** 2


@pytest.mark.parametrize("kind", [Centring, CentringByFlag])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_what_the_first_samples_set(kind, n):
    model = kind().eval()
    method = polyattr.GradientInput(model)
    for _ in range(2):
        with pytest.raises(polyattr.ModelOutputError, match="call it once on data of yours"):
            method.explain(X[:n], 0)
    assert model.mean is None or not model.mean.any()
    model(X[:3])
    expected = torch.zeros(n, 3)
    expected[:, 0] = X[:n, 0] * 2 * (X[:n, 0] - X[:3, 0].mean())
    result = method.attribute(X[:n], 0)
    torch.testing.assert_close(result.values, expected)
    torch.testing.assert_close(torch.as_tensor(result.scores).float(), model(X[:n])[:, 0])


class Remembering(nn.Module):
    """Makes a table in its first call, and keeps what it saw last: neither changes a score."""

    def __init__(self):
        super().__init__()
        self.table = self.seen = None

    def forward(self, x):
        if self.table is None:
            self.table = torch.arange(x.shape[1]) + 1.0
        self.seen = x.softmax(1)
        return x**2 * self.table


def test_what_is_made_once_and_is_always_the_same():
    model = Remembering().eval()
    expected = torch.zeros(5, 3)
    expected[:, 1] = 4 * X[:, 1] ** 2
    for _ in range(2):
        torch.testing.assert_close(polyattr.GradientInput(model).explain(X, 1), expected)


class NoisyGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * torch.rand_like(gradient)


def test_gradients_that_are_left_to_chance_alone():
    method = polyattr.GradientInput(lambda x: NoisyGradient.apply(x**2).sum(1))
    with pytest.warns(polyattr.RandomModelWarning, match="the model is random"):
        method.explain(X)


class Streaming(nn.Module):
    """An LSTM that goes on from where its last call ended."""

    def __init__(self):
        super().__init__()
        self.lstm, self.state = nn.LSTM(3, 4, batch_first=True), None

    def forward(self, x):
        outputs, state = self.lstm(x[:, None], self.state)
        self.state = tuple(part.detach() for part in state)
        return outputs[:, -1]


@pytest.mark.parametrize("n", [1, 3])
def test_a_recurrent_layer_with_the_state_of_one_row(n):
    model = Streaming().eval()
    model(X[4:])
    state = model.state
    expected = []
    for sample in X[:n]:
        leaf = sample[None].clone().requires_grad_()
        model(leaf)[0, 1].backward()
        expected.append(leaf.grad[0] * sample)
        model.state = state
    method = polyattr.GradientInput(model)
    for _ in range(2):
        torch.testing.assert_close(method.explain(X[:n], 1), torch.stack(expected))
        assert model.state is state
