"""Metrics of maps of layers, of other domains and of tokens: asked in the space of the map."""

import numpy as np
import pytest
import torch
from labs.closeness import assert_close
from torch import nn

import polyattr
from polyattr import domains, metrics


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(-1)).eval()


X = torch.rand(5, 6, generator=torch.Generator().manual_seed(1))


def test_units_of_a_layer_are_removed_from_its_activation():
    model = network()
    method = polyattr.IntegratedGradients(model, output_layer=2, input_layer=1)
    found = metrics.deletion(method, X, 0)
    with torch.no_grad():
        units = model[1](model[0](X))
        parts = (units * model[2].weight[0]).numpy()  # the rest of the model is linear
        whole = (parts.sum(1) + model[2].bias[0].item())[:, None]
    removed = np.sort(parts, axis=1)[:, ::-1].cumsum(axis=1)
    assert_close(found.scores, np.concatenate([whole, whole - removed], axis=1), 1e-5)
    exact = metrics.infidelity(method, X, 0)
    assert exact.values.max() < 1e-9
    assert np.abs(metrics.completeness(method, X, 0).values).max() < 1e-5


def test_coefficients_of_a_domain_are_removed_there():
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
    weight = torch.tensor([1.0, -2.0, 3.0, 0.5, 1.5, -1.0])
    method = polyattr.GradientInput(
        lambda x: x @ weight, backend="torch", domain=domains.Linear(turn)
    )
    found = metrics.deletion(method, X)
    parts = np.asarray(method.explain(X))
    assert np.abs(parts - (X * weight).numpy()).max() > 0.1  # another map than that of the inputs
    removed = np.sort(parts, axis=1)[:, ::-1].cumsum(axis=1)
    assert_close(found.scores[:, 1:], (X @ weight).numpy()[:, None] - removed, 1e-4)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(10, 4), nn.Linear(4, 3)

    def forward(self, tokens):
        return self.head(self.embed(tokens).sum(1))


def test_words_go_with_all_the_numbers_of_their_embedding():
    torch.manual_seed(0)
    model, tokens = Tokens(), torch.arange(14).reshape(2, 7) % 10
    method = polyattr.GradientInput(model, input_layer="embed")
    found = metrics.deletion(method, tokens, 1, channel_axis=2)
    with torch.no_grad():
        words = (model.embed(tokens) @ model.head.weight[1]).numpy()
        whole = model(tokens)[:, 1].numpy()[:, None]
    removed = np.sort(words, axis=1)[:, ::-1].cumsum(axis=1)
    assert_close(found.scores, np.concatenate([whole, whole - removed], axis=1), 1e-5)
    with pytest.raises(polyattr.InputError, match="no input is floating"):
        metrics.max_sensitivity(method, tokens, 1)
