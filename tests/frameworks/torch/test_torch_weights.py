"""Weights of modules, layer by layer: while others take their place, theirs is not written to."""

import pytest
import torch
from torch import nn

import polyattr
from polyattr import metrics
from polyattr.backend import get_backend


def made():
    torch.manual_seed(0)
    head = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), head, nn.Linear(4, 2)).eval()
    network[0].weight.requires_grad_(False)
    return network


def interrupted(block, look):
    """Looks at the model in a block that fails then."""
    with block as model:
        look(model)
        raise KeyError("interrupted")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within torch.compile
@pytest.mark.parametrize("kind", ["module", "function", "compiled"])
def test_parameters_point_elsewhere_while_a_block_runs(kind):
    network = made()
    model = {
        "module": lambda: network,
        "function": lambda: lambda x: network(x),
        "compiled": lambda: torch.compile(network),
    }[kind]()
    bound = get_backend("torch").bind(model)
    known = bound.weights()
    assert [name.removeprefix("_orig_mod.") for name in known] == ["0", "1", "2.0", "3"]
    places = {p: (p.data_ptr(), p.detach().clone(), p.requires_grad) for p in network.parameters()}
    last = list(known)[-1]
    new = [torch.zeros_like(value) for value in known[last]]

    def look(same):
        assert same is model
        assert not network[3].weight.any()
        network[3].weight.data += 1  # whatever is done to it meanwhile

    with pytest.raises(KeyError, match="interrupted"):
        interrupted(bound.with_weights({last: new}), look)
    for parameter, (place, value, flag) in places.items():
        assert parameter.data_ptr() == place
        assert torch.equal(parameter, value)
        assert parameter.requires_grad is flag


def test_tied_parameters_are_put_back():
    network = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    network[2].weight = network[0].weight
    before = network[0].weight.detach().clone()
    x = torch.rand(4, 3)
    found = metrics.randomisation(polyattr.GradientInput(network), x, 0, nb_samples=1)
    assert found.layers == ("2", "0")
    assert network[2].weight is network[0].weight
    assert torch.equal(network[0].weight, before)
