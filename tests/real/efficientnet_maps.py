"""EfficientNet-Lite0 in one framework explains photos, in a process of its own.

``python efficientnet_maps.py FRAMEWORK DTYPE FOLDER`` reads weights.npz and photos.npz of FOLDER
and writes there what polyattr says, and the logits: FRAMEWORK-DTYPE-*.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import polyattr

STEPS = 8
# A black photo, (0 - 127) / 128: no activation of it or on the way from it is at a kink.
BLACK = -127 / 128
# The two that `by_hand` computes from their equations.
SETTINGS: dict[str, dict[str, Any]] = {
    "GradientInput": {},
    "IntegratedGradients": {"steps": STEPS, "rule": "gauss-legendre", "baseline_value": BLACK},
}
Weights = dict[str, np.ndarray]
# A model, and what it answers to NumPy images as a NumPy array.
Network = tuple[Any, Callable[[np.ndarray], np.ndarray]]


def torch_network(weights: Weights) -> Network:
    """Loads the weights into the network they were published with."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite0").eval()
    model = model.to(getattr(torch, str(weights["_fc.bias"].dtype)))
    # Not strict: the counters of BatchNorm are no weights.
    found = model.load_state_dict({k: torch.tensor(v) for k, v in weights.items()}, strict=False)
    wrong = [k for k in found.missing_keys + found.unexpected_keys if "num_batches" not in k]
    if wrong:
        raise ValueError(f"these weights do not fit the network: {wrong}")
    return model, lambda images: model(torch.tensor(images)).detach().numpy()


def jax_network(weights: Weights) -> Network:
    import efficientnet_jax
    import jax

    model = efficientnet_jax.build(weights)
    return model, lambda images: np.asarray(jax.jit(model)(images))


def keras_network(weights: Weights) -> Network:
    import efficientnet_keras
    import keras

    model = efficientnet_keras.build(weights)
    return model, lambda images: keras.ops.convert_to_numpy(model(images, training=False))


def by_hand(model: Any, images: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    """Computes both methods from their equations with nothing but torch and NumPy."""
    import torch

    def gradient(x: torch.Tensor) -> torch.Tensor:
        x = x.clone().requires_grad_()
        scores = model(x)[torch.arange(len(targets)), torch.tensor(targets)]
        return torch.autograd.grad(scores.sum(), x)[0]

    x = torch.tensor(images)
    nodes, weights = np.polynomial.legendre.leggauss(STEPS)
    mean = sum(
        float(weight) / 2 * gradient(BLACK + (float(node) + 1) / 2 * (x - BLACK))
        for node, weight in zip(nodes, weights, strict=True)
    )
    return {
        "GradientInput": (x * gradient(x)).numpy(),
        "IntegratedGradients": ((x - BLACK) * mean).numpy(),
    }


def main(framework: str, dtype: str, folder: Path) -> None:
    """Explains the true classes of the photos and saves the answers."""
    with np.load(folder / "weights.npz") as file:
        weights = {name: file[name].astype(dtype) for name in file.files}
    with np.load(folder / "photos.npz") as file:
        images, targets = file["images"].astype(dtype), file["targets"]
    builders = {"torch": torch_network, "jax": jax_network}
    model, answer = builders.get(framework, keras_network)(weights)
    if framework.startswith("keras"):
        images = images.transpose(0, 2, 3, 1)
    np.save(folder / f"{framework}-{dtype}-logits.npy", answer(images))
    for method, settings in SETTINGS.items():
        result = getattr(polyattr, method)(model, **settings).attribute(images, targets)
        result.save(folder / f"{framework}-{dtype}-{method}.npz")
    if framework == "torch":
        np.savez(folder / f"by-hand-{dtype}.npz", **by_hand(model, images, targets))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
