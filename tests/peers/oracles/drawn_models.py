"""Networks for peers and polyattr to explain: drawn ones and the demo's, alike in each framework.

A case builds, from one set of weights, the model polyattr is given and the one the peer is given:
the latter ends at the logits, for peers disagree with themselves on how to select a layer.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from labs.numpy_network import random_network, single

from polyattr.demo.digits import held_out_digits
from polyattr.demo.model import load_weights, logits_layer
from polyattr.demo.model import network as demo_network

ACTIVATIONS = ("tanh", "relu", "softplus")


@dataclass(frozen=True)
class Case:
    """A network, inputs and targets.

    Attributes:
        name: "tanh-0", "cnn-1", "demo".
    """

    name: str

    @functools.cached_property
    def x(self) -> np.ndarray:
        """float32 inputs, (6, 8) or (4, 28, 28)."""
        if self.name == "demo":
            return held_out_digits()[0][100:104].astype(np.float32)
        shape = (4, 28, 28) if self._kind == "cnn" else (6, 8)
        return np.random.default_rng(300 + self._seed).standard_normal(shape).astype(np.float32)

    @functools.cached_property
    def baselines(self) -> np.ndarray:
        """float32 baselines in the shape of the inputs."""
        return (0.5 * self.x[::-1]).copy()

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """One class per sample."""
        return np.arange(len(self.x)) * 3 % self.classes

    @property
    def classes(self) -> int:
        """Number of outputs."""
        return 10 if self._kind in {"cnn", "demo"} else 4

    @functools.cache  # noqa: B019 - cases live as long as the session
    def model(self, framework: str) -> tuple[Any, Any]:
        """What polyattr is given: the model, and the output_layer that has the logits."""
        if self._kind in ACTIVATIONS:
            return _MLP[framework](self._network), None
        network = demo_network(framework, self._weights)
        return network, logits_layer(network)

    @functools.cache  # noqa: B019 - cases live as long as the session
    def logits(self, framework: str) -> Any:
        """What a peer is given: a model of its framework that ends at the logits."""
        model, layer = self.model(framework)
        if layer is None:
            return model
        return _CUT[framework](model, layer)

    @property
    def _kind(self) -> str:
        return self.name.split("-")[0]

    @property
    def _seed(self) -> int:
        return int(self.name.split("-")[1])

    @property
    def _network(self) -> Any:
        return random_network(self._seed, 8, 16, 16, self.classes, activation=self._kind)

    @property
    def _weights(self) -> dict[str, np.ndarray]:
        return load_weights() if self._kind == "demo" else _small_cnn(self._seed)


CASES = [Case(f"{name}-{seed}") for name in ACTIVATIONS for seed in (0, 1, 2)]
CASES += [Case("cnn-0"), Case("cnn-1"), Case("demo")]


def _small_cnn(seed: int) -> dict[str, np.ndarray]:
    """Weights of the demo network's kind, with 3, 4 and 5 channels."""
    rng = np.random.default_rng(400 + seed)
    shapes = {"conv1": (3, 1, 5, 5), "conv2": (4, 3, 3, 3), "conv3": (5, 4, 3, 3)}
    weights = {}
    for name, shape in (shapes | {"logits": (10, 125)}).items():
        scale = np.sqrt(2 / np.prod(shape[1:]))
        weights[f"{name}.weight"] = single(rng.standard_normal(shape) * scale).astype(np.float32)
        weights[f"{name}.bias"] = single(rng.standard_normal(shape[0]) * 0.2).astype(np.float32)
    return weights


def _torch_mlp(network: Any) -> Any:
    import torch
    from torch import nn

    kind = {"tanh": nn.Tanh, "relu": nn.ReLU, "softplus": nn.Softplus}[network.activation]
    layers: list[nn.Module] = []
    for weight, bias in network.layers:
        dense = nn.Linear(*weight.shape)
        dense.weight.data = torch.tensor(weight.T, dtype=torch.float32)
        dense.bias.data = torch.tensor(bias, dtype=torch.float32)
        layers += [dense, kind()]
    return nn.Sequential(*layers[:-1]).eval()


def _keras_mlp(network: Any) -> Any:
    import keras

    x = inputs = keras.Input((network.layers[0][0].shape[0],))
    for i, (_, bias) in enumerate(network.layers):
        last = i == len(network.layers) - 1
        x = keras.layers.Dense(len(bias), activation=None if last else network.activation)(x)
    model = keras.Model(inputs, x)
    model.set_weights([array for pair in network.layers for array in pair])
    return model


def _jax_mlp(network: Any) -> Any:
    import jax
    import jax.numpy as jnp

    layers = [(jnp.asarray(w, jnp.float32), jnp.asarray(b, jnp.float32)) for w, b in network.layers]
    activation = getattr(jax.nn, network.activation)

    def outputs(x: jax.Array) -> jax.Array:
        for weight, bias in layers[:-1]:
            x = activation(x @ weight + bias)
        return x @ layers[-1][0] + layers[-1][1]

    return outputs


def _cut_torch(model: Any, layer: str) -> Any:
    from torch import nn

    names = [name for name, _ in model.named_children()]
    return nn.Sequential(*list(model)[: names.index(layer) + 1]).eval()


def _cut_keras(model: Any, layer: str) -> Any:
    import keras

    return keras.Model(model.inputs, model.get_layer(layer).output)


_MLP = {"torch": _torch_mlp, "tensorflow": _keras_mlp, "jax": _jax_mlp}
_CUT = {"torch": _cut_torch, "tensorflow": _cut_keras}
