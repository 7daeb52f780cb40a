"""Networks trained on the data sets of scikit-learn, in PyTorch: the same at every run.

MLPs on digits, on breast cancer and on diabetes; CNNs and transformers on digits. Training takes
seconds each; what comes back is in float64, so that the error of an integral is that of its rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import nn

Array = np.ndarray[Any, np.dtype[np.float64]]

BATCH = 64
HELD_OUT = 0.3
"""The part of the samples that networks are not trained on: these are explained."""


@dataclass(frozen=True)
class Data:
    """Samples of one data set, by features of order one, and what is asked of a network.

    Attributes:
        name: As scikit-learn calls it.
        x: (N, F) features; digits in 0 to 1, others with mean 0 and variance 1.
        y: (N,) classes, or a number.
        outputs: Classes, or 1.
    """

    name: str
    x: Array
    y: Array
    outputs: int

    def parts(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Returns the numbers of the samples to train on, and of those held out."""
        order = np.random.default_rng(0).permutation(len(self.x))
        first = int(len(order) * HELD_OUT)
        return order[first:], order[:first]


def digits() -> Data:
    """8 x 8 pixels, ten classes; a baseline of zeros is an empty picture."""
    x, y = datasets.load_digits(return_X_y=True)
    return Data("digits", x / 16.0, y, 10)


def breast_cancer() -> Data:
    """30 features, two classes; a baseline of zeros is the mean."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    return Data("breast cancer", (x - x.mean(0)) / x.std(0), y, 2)


def diabetes() -> Data:
    """10 features and a number, which has mean 0 and variance 1; zeros are the mean."""
    x, y = datasets.load_diabetes(return_X_y=True)
    return Data("diabetes", (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std(), 1)


def mlp(data: Data, hidden: int, width: int) -> nn.Module:
    """A dense ReLU network."""
    sizes = [data.x.shape[1], *[width] * hidden]
    layers: list[nn.Module] = []
    for inside, outside in itertools.pairwise(sizes):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, data.outputs))


def cnn(activation: type[nn.Module]) -> nn.Module:
    """Four convolutions on 8 x 8 pixels, of which the second and the last halve them."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, 8, 8))]
    for inside, outside, pooled in [(1, 16, 0), (16, 16, 1), (16, 32, 0), (32, 32, 1)]:
        layers += [nn.Conv2d(inside, outside, 3, padding=1), activation()]
        layers += [nn.AvgPool2d(2)] * pooled
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 10))


class Transformer(nn.Module):
    """Three layers of two heads over the eight rows of a picture.

    Args:
        activation: "relu" or "gelu".
    """

    def __init__(self, activation: str) -> None:
        super().__init__()
        self.rows = nn.Linear(8, 32)
        self.place = nn.Parameter(0.1 * torch.randn(8, 32))
        one = nn.TransformerEncoderLayer(
            32, 2, 64, dropout=0.0, activation=activation, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(one, 3, enable_nested_tensor=False)
        self.head = nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (N, 10) of pictures (N, 64)."""
        found: torch.Tensor = self.layers(self.rows(x.reshape(-1, 8, 8)) + self.place)
        scores: torch.Tensor = self.head(found.mean(dim=1))
        return scores


@dataclass(frozen=True)
class Recipe:
    """How a network is made.

    Attributes:
        name: What tables call it.
        data: Loads its data set.
        build: Makes the network for it.
        epochs: How often it sees all training samples.
        smooth: Whether it has no kinks: rules of high order are then hard to beat.
    """

    name: str
    data: Callable[[], Data]
    build: Callable[[Data], nn.Module]
    epochs: int = 20
    smooth: bool = False


MLP_2, MLP_6 = "MLP 2 x 256 ReLU", "MLP 6 x 128 ReLU"

RECIPES = (
    Recipe(MLP_2, digits, lambda data: mlp(data, 2, 256)),
    Recipe(MLP_6, digits, lambda data: mlp(data, 6, 128)),
    Recipe(MLP_2, breast_cancer, lambda data: mlp(data, 2, 256)),
    Recipe(MLP_6, breast_cancer, lambda data: mlp(data, 6, 128)),
    Recipe(MLP_2, diabetes, lambda data: mlp(data, 2, 256)),
    Recipe(MLP_6, diabetes, lambda data: mlp(data, 6, 128)),
    Recipe("CNN 4 conv ReLU", digits, lambda _: cnn(nn.ReLU), 12),
    Recipe("CNN 4 conv GELU", digits, lambda _: cnn(nn.GELU), 12, smooth=True),
    Recipe("transformer 3 layers ReLU", digits, lambda _: Transformer("relu"), 25),
    Recipe("transformer 3 layers GELU", digits, lambda _: Transformer("gelu"), 25, smooth=True),
)
"""The networks of the table."""


@dataclass(frozen=True)
class Case:
    """A trained network and what is explained of it.

    Attributes:
        network: Its name.
        data: That of its data set.
        model: In float64 and evaluation mode.
        x: (N, F) samples that were held out.
        targets: (N,) the classes it reads, or None for a number.
        quality: Its accuracy on all that was held out, or the variance it explains there.
        smooth: Whether it has no kinks.
    """

    network: str
    data: str
    model: nn.Module
    x: torch.Tensor
    targets: torch.Tensor | None
    quality: float
    smooth: bool


def trained(recipe: Recipe, samples: int) -> Case:
    """Trains a network, and takes the first `samples` of those held out."""
    data = recipe.data()
    first, held_out = data.parts()
    torch.manual_seed(0)
    model = recipe.build(data)
    _train(model, data, first, recipe.epochs)
    model = model.eval().double()
    x, y = torch.tensor(data.x[held_out]), torch.tensor(data.y[held_out])
    with torch.no_grad():
        outputs = model(x)
    if data.outputs > 1:
        targets, hits = outputs.argmax(dim=1), outputs.argmax(dim=1) == y
        quality = float(hits.double().mean())
        chosen: torch.Tensor | None = targets[:samples]
    else:
        quality, chosen = 1 - float(((outputs[:, 0] - y) ** 2).mean() / y.var()), None
    return Case(recipe.name, data.name, model, x[:samples], chosen, quality, recipe.smooth)


def _train(model: nn.Module, data: Data, chosen: np.ndarray[Any, Any], epochs: int) -> None:
    x = torch.tensor(data.x[chosen], dtype=torch.float32)
    y = torch.tensor(data.y[chosen], dtype=torch.int64 if data.outputs > 1 else torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    order = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        mixed = torch.randperm(len(x), generator=order)
        for start in range(0, len(x), BATCH):
            part = mixed[start : start + BATCH]
            outputs = model(x[part])
            if data.outputs > 1:
                loss = nn.functional.cross_entropy(outputs, y[part])
            else:
                loss = nn.functional.mse_loss(outputs[:, 0], y[part])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
