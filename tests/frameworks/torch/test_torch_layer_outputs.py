"""Layers that take and return more than one tensor: containers, states, keywords."""

import pytest
import torch
from torch import nn

import polyattr
from polyattr import IntegratedGradients


class Stem(nn.Module):
    """Returns what `kind` says, of two floating tensors and other things."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        a, b = x * 2, x.sum(1, keepdim=True)
        ids = torch.arange(x.shape[0])
        return {
            "tuple": (a, b),
            "list": [a, [b]],
            "dict": {"a": a, "b": b},
            "none": (a, None, b),
            "ids": (a, ids, b),
        }[self.kind]


class Body(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.stem = Stem(kind)

    def forward(self, x):
        parts = self.stem(x)
        kind = self.stem.kind
        a = parts["a"] if kind == "dict" else parts[0]
        b = parts["b"] if kind == "dict" else parts[-1]
        b = b[0] if kind == "list" else b
        assert kind != "none" or parts[1] is None
        assert kind != "ids" or parts[1].dtype is torch.int64
        return a.square().sum(1) + 5 * b[:, 0]


@pytest.mark.parametrize("kind", ["tuple", "list", "dict", "none", "ids"])
def test_what_a_layer_returns_keeps_its_containers(kind):
    x = torch.randn(5, 3)
    values = polyattr.GradientInput(Body(kind), input_layer="stem", batch_size=2).explain(x)
    a, b = 2 * (2 * x).square(), 5 * x.sum(1, keepdim=True)
    expected = {
        "tuple": (a, b),
        "list": [a, [b]],
        "dict": {"a": a, "b": b},
        "none": (a, None, b),
        "ids": (a, None, b),
    }[kind]
    assert type(values) is type(expected)
    torch.testing.assert_close(values, expected)


class Recurrent(nn.Module):
    def __init__(self, layers, read):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.LSTM(3, 4, num_layers=layers, batch_first=True)
        self.head = nn.Linear(4, 2)
        self.read = read

    def forward(self, x):
        outputs, (h, c) = self.rnn(x)
        assert h.shape[1] == c.shape[1] == outputs.shape[0]
        states = {"outputs": outputs[:, -1], "both": outputs[:, -1] + h[-1], "state": h[-1]}
        return self.head(torch.tanh(states[self.read]))


# Two layers and two samples: the states are then as long as there are samples.
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_recurrent_layer_is_attributed_by_its_outputs(path_integral, n, layers):
    model, x = Recurrent(layers, "outputs").eval(), torch.randn(n, 6, 3)
    values, states = IntegratedGradients(model, input_layer="rnn", steps=9, batch_size=4).explain(
        x, 1
    )
    assert states == (None, None)
    outputs = model.rnn(x)[0].detach()
    torch.testing.assert_close(
        values, path_integral(lambda h: model.head(torch.tanh(h[:, -1])), outputs, 1, 9)
    )


def test_the_states_of_a_recurrent_layer_stay_those_of_the_sample(path_integral):
    model, x = Recurrent(1, "both").eval(), torch.randn(1, 6, 3)
    values, _ = IntegratedGradients(model, input_layer="rnn", steps=9).explain(x, 1)
    outputs, (h, _) = model.rnn(x)
    cut = lambda rows: model.head(torch.tanh(rows[:, -1] + h[-1].detach()))  # noqa: E731
    torch.testing.assert_close(values, path_integral(cut, outputs.detach(), 1, 9))


def test_a_model_that_reads_the_states_alone_is_an_error():
    model, x = Recurrent(1, "state").eval(), torch.randn(3, 6, 3)
    with pytest.raises(polyattr.ModelOutputError, match="does not depend on"):
        IntegratedGradients(model, input_layer="rnn").explain(x, 1)


def test_a_layer_that_is_called_by_keyword():
    class Scaled(nn.Module):
        def forward(self, *, x, power):
            return x.square() if power == 2 else x

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scaled = Scaled()

        def forward(self, x):
            return self.scaled(x=3 * x, power=2).sum(1)

    x = torch.randn(4, 3)
    explainer = polyattr.GradientInput(Model(), input_layer="scaled", attribute_to_layer_input=True)
    torch.testing.assert_close(explainer.explain(x), 2 * (3 * x).square())


class Overwriting(nn.Module):
    def forward(self, x):
        return x.mul_(3).add_(1)


class Overwritten(nn.Module):
    """The layer in the middle overwrites what it takes, the one after it what it returns."""

    def __init__(self):
        super().__init__()
        self.first, self.second = Overwriting(), Overwriting()

    def forward(self, x):
        return self.second(self.first(x * 2)).square().sum(1)


@pytest.mark.parametrize("at_input", [True, False])
def test_a_layer_that_overwrites_what_it_takes_is_read_before(at_input):
    x = torch.randn(4, 3)
    explainer = polyattr.GradientInput(
        Overwritten(), input_layer="first", attribute_to_layer_input=at_input, batch_size=3
    )
    result = explainer.attribute(x)
    taken = 2 * x  # the score is (3 (3 t + 1) + 1)^2 = (9 t + 4)^2 of what the layer takes
    slope = 18 * (9 * taken + 4)
    expected = taken * slope if at_input else (3 * taken + 1) * slope / 3
    torch.testing.assert_close(result.values, expected)
    scores = (9 * taken + 4).square().sum(1)
    torch.testing.assert_close(torch.from_numpy(result.scores).float(), scores)


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_the_fast_path_of_a_transformer_layer_calls_its_parts_all_the_same(path_integral):
    torch.manual_seed(0)
    encoder = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)
    model = nn.Sequential(encoder, nn.Flatten(), nn.Linear(24, 3)).eval()
    x = torch.randn(2, 4, 6)
    values = IntegratedGradients(model, input_layer="0.norm1", steps=5).explain(x, 1)
    hidden = encoder.norm1(x + encoder.self_attn(x, x, x, need_weights=False)[0]).detach()

    def behind(rows):
        fed = encoder.linear2(torch.relu(encoder.linear1(rows)))
        return model[1:](encoder.norm2(rows + fed))

    torch.testing.assert_close(values, path_integral(behind, hidden, 1, 5), atol=1e-5, rtol=1e-4)
