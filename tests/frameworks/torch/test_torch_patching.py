"""Attribution patching of modules: how often they run, tokens, layers of other kinds."""

import pytest
import torch
from labs.closeness import assert_close
from labs.lab import told
from torch import nn

import polyattr
from polyattr import ModelOutputError, UnusedInputWarning


def seeded(*layers):
    torch.manual_seed(0)
    return nn.Sequential(*layers)


class Counted(nn.Module):
    """Tells the rows of each evaluation, and of each gradient that goes back through it."""

    def __init__(self, network, forwards, backwards):
        super().__init__()
        self.network = network
        self.tell, self.back = told(forwards.append), told(backwards.append)

    def forward(self, x):
        self.tell(len(x))
        outputs = self.network(x)
        if outputs.requires_grad:
            outputs.register_hook(lambda gradient: self.back(len(gradient)))
        return outputs


@pytest.mark.parametrize(("steps", "points"), [(1, 2), (2, 3), (8, 9)])
@pytest.mark.parametrize("layers", [["0"], ["0", "1", "2", "3", "4"]], ids=["one", "all"])
@pytest.mark.parametrize(("targets", "gradients"), [(1, 1), (polyattr.each([0, 1]), 2)])
def test_one_pass_per_point_whatever_the_number_of_layers(
    steps, points, layers, targets, gradients
):
    forwards, backwards = [], []
    network = seeded(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
    names = [f"network.{name}" for name in layers]
    method = polyattr.AttributionPatching(
        Counted(network, forwards, backwards), layers=names, steps=steps
    )
    method(torch.randn(6, 3), targets)
    forwards.clear()
    backwards.clear()
    method(torch.randn(6, 3), targets)
    assert forwards == [6 * points]
    assert backwards == [6 * points] * gradients


def test_clean_and_corrupted_tokens():
    embedding = nn.Embedding(20, 6)
    encoder = nn.TransformerEncoderLayer(6, 2, 12, dropout=0.0, batch_first=True)

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.encoder, self.head = embedding, encoder, nn.Linear(6, 3)

        def forward(self, ids):
            return self.head(self.encoder(self.words(ids)).mean(dim=1))

    torch.manual_seed(1)
    model = Reader().eval()
    clean, corrupted = torch.randint(0, 20, (2, 4, 5))
    layers = ["words", "encoder.self_attn.out_proj", "encoder.linear1", "encoder", "head"]
    layers.remove("encoder.self_attn.out_proj")  # fused attention never calls it
    method = polyattr.AttributionPatching(model, layers=layers, input_layer="words", steps=40)
    found = method(clean, 1, baselines=corrupted)
    rise = (model(clean) - model(corrupted))[:, 1].detach()
    assert tuple(found["encoder"].shape) == (4, 5, 6)
    for name in ("words", "encoder", "head"):  # everything passes through these
        assert_close(found[name].flatten(1).sum(dim=1), rise, 5e-3)


def test_a_layer_that_the_score_does_not_depend_on():
    class Beside(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            self.unused(x)
            return self.used(x)

    method = polyattr.AttributionPatching(Beside(), layers=["used", "unused"])
    with pytest.warns(UnusedInputWarning, match=r"not depend on layers\['unused'\]"):
        found = method(torch.ones(2, 3), 0)
    assert found["used"].abs().sum() > 0
    assert found["unused"].abs().sum() == 0


def test_layers_of_one_tensor():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells, self.pair = nn.LSTM(3, 4, batch_first=True), Pair()

        def forward(self, x):
            return self.pair(self.cells(x)[0].sum(dim=1))[0]

    class Pair(nn.Module):
        def forward(self, x):
            return x * x, x

    model = Recurrent().eval()
    found = polyattr.AttributionPatching(model, layers=["cells"], steps=50)(torch.ones(2, 5, 3), 1)
    outputs, states = found["cells"]
    assert states == (None, None)  # which have no row per sample
    rise = (model(torch.ones(2, 5, 3)) - model(torch.zeros(2, 5, 3)))[:, 1].detach()
    assert_close(outputs.flatten(1).sum(dim=1), rise, 1e-3)
    with pytest.raises(ModelOutputError, match="layer 'pair' returns 2 floating tensors"):
        polyattr.AttributionPatching(model, layers=["pair"])(torch.ones(2, 5, 3), 1)


def test_a_layer_called_twice():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix = nn.Linear(3, 3)

        def forward(self, x):
            return self.mix(torch.tanh(self.mix(x)))

    torch.manual_seed(2)
    model, x = Twice(), torch.randn(2, 3)
    with pytest.raises(polyattr.InputError, match="layers 'mix' is called 2 times"):
        polyattr.AttributionPatching(model, layers=["mix"])(x, 1)
    calls = [("mix", 0), ("mix", 1)]
    found = polyattr.AttributionPatching(model, layers=calls, steps=50)(x, 1)
    rise = (model(x) - model(torch.zeros(2, 3)))[:, 1].detach()
    for name in ("mix[0]", "mix[1]"):
        assert_close(found[name].sum(dim=1), rise, 2e-3)


def test_the_module_is_left_as_it_was():
    model = seeded(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    method = polyattr.AttributionPatching(model, layers=[0, 1, 2, 3], steps=4)
    with pytest.warns(polyattr.TrainingModeWarning):
        method(torch.randn(5, 3), 1)
    assert model.training
    assert all(not module._forward_hooks for module in model.modules())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_float64():
    model = seeded(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double()
    x, start = torch.randn(2, 5, 3, dtype=torch.float64)
    found = polyattr.AttributionPatching(model, layers=[1])(x, 1, baselines=start)["1"]
    moved = torch.tanh(model[0](x)) - torch.tanh(model[0](start))
    assert_close(found, (moved * model[2].weight[1]).detach(), 1e-14)


@pytest.mark.parametrize("batch_size", [1, 4, 7, None])
def test_several_targets_are_as_separate_calls(batch_size):
    model = seeded(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    method = polyattr.AttributionPatching(model, layers=[0, 1, 2], steps=4, batch_size=batch_size)
    whole = polyattr.AttributionPatching(model, layers=[0, 1, 2], steps=4)
    found = method(x, polyattr.each([3, 0]))
    for number, target in enumerate([3, 0]):
        for name, values in whole(x, target).items():
            assert_close(found[name][number], values, 1e-14)
