"""Train the network of `polyattr demo` and write its weights into the package.

Run from a checkout with `pip install ".[torch,demo]"`:

    python tools/train_demo_network.py

The result depends on the seed alone: run twice on one machine, the file is the same bit for bit.
Another processor may round otherwise and give other weights of the same quality.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

from polyattr.demo.digits import Digits, held_out_digits, train_digits
from polyattr_torch.demo_network import build

if TYPE_CHECKING:
    from torch import Tensor, nn

# (out, in, height, width); two halvings and a 3 x 3 kernel leave 5 x 5 places before the logits.
SHAPES = {
    "conv1": (16, 1, 5, 5),
    "conv2": (32, 16, 3, 3),
    "conv3": (64, 32, 3, 3),
    "logits": (10, 64 * 5 * 5),
}
WEIGHTS = Path(__file__).parents[1] / "polyattr" / "demo" / "weights.npz"


@dataclass(frozen=True)
class Settings:
    """What decides the weights.

    Attributes:
        seed: Of the initial weights, the order of images and their distortion.
        epochs: Passes over the training images.
        batch: Images per step.
        peak_rate: Highest learning rate of Adam; it rises for a tenth of the run, then falls to 0.
        decay: Weight decay of AdamW.
        smoothing: Probability spread over all classes in the loss.
        noise: Deviation of the pixel noise of a training image, drawn anew between 0 and this.
    """

    seed: int = 0
    epochs: int = 150
    batch: int = 64
    peak_rate: float = 4e-3
    decay: float = 0.02
    smoothing: float = 0.05
    noise: float = 0.2


def initial_weights(generator: torch.Generator) -> dict[str, np.ndarray]:
    """Draws He-normal kernels and zero biases, named and laid out as in the weights file."""
    weights: dict[str, np.ndarray] = {}
    for name, shape in SHAPES.items():
        kernel = torch.randn(shape, generator=generator) * math.sqrt(2 / math.prod(shape[1:]))
        weights[f"{name}.weight"] = kernel.numpy()
        weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    return weights


def distort(images: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Turns, stretches, slants and shifts each image a little, and adds noise.

    Args:
        images: (N, 28, 28) in [0, 1].
        noise: Highest deviation of the noise.
        generator: Source of every draw.

    Returns:
        (N, 28, 28), no longer confined to [0, 1].
    """
    n = len(images)
    turn, slant, wide, high, right, down, level = torch.rand(7, n, generator=generator) * 2 - 1
    turn, slant = turn * 0.22, slant * 0.15
    wide, high = torch.exp(wide * 0.12), torch.exp(high * 0.12)
    cos, sin = torch.cos(turn), torch.sin(turn)
    # affine_grid counts in half image widths: 0.16 is a shift of 2.2 pixels.
    top = torch.stack([cos * wide, (slant - sin) * high, right * 0.16], dim=1)
    bottom = torch.stack([sin * wide, cos * high, down * 0.16], dim=1)
    size = [n, 1, *images.shape[1:]]
    grid = affine_grid(torch.stack([top, bottom], dim=1), size, align_corners=False)
    moved = grid_sample(images[:, None], grid, align_corners=False)[:, 0]
    grain = torch.randn(moved.shape, generator=generator)
    noisy: Tensor = moved + grain * (level.abs() * noise)[:, None, None]
    return noisy


def train(network: nn.Sequential, digits: Digits, settings: Settings) -> None:
    """Fits the network in place, reporting six times."""
    images, labels = torch.from_numpy(digits.images), torch.from_numpy(digits.labels)
    generator = torch.Generator().manual_seed(settings.seed + 1)
    logits = network[:-1]
    optimizer = torch.optim.AdamW(logits.parameters(), weight_decay=settings.decay)
    steps = len(images) // settings.batch  # whole batches; the odd images wait for another epoch
    for epoch in range(settings.epochs):
        order = torch.randperm(len(images), generator=generator)
        for step in range(steps):
            batch = order[step * settings.batch : (step + 1) * settings.batch]
            progress = (epoch * steps + step) / (settings.epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = settings.peak_rate * _rate(progress)
            scores = logits(distort(images[batch], settings.noise, generator))
            loss = cross_entropy(scores, labels[batch], label_smoothing=settings.smoothing)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        if (epoch + 1) % (settings.epochs // 6) == 0:
            print(f"epoch {epoch + 1} of {settings.epochs}, loss {loss.item():.3f}", flush=True)


def _rate(progress: float) -> float:
    """Share of the peak rate: up in a tenth of the run, then down along a cosine to 0."""
    if progress < 0.1:
        return progress / 0.1
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))


def accuracy(network: nn.Sequential, digits: Digits) -> float:
    """Returns the share of images whose most probable class is the right one."""
    with torch.no_grad():
        predicted = network(torch.from_numpy(digits.images)).argmax(dim=1)
    return float((predicted == torch.from_numpy(digits.labels)).double().mean())


def export(network: nn.Sequential, path: Path) -> None:
    """Writes the parameters as plain float32 arrays."""
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def main() -> None:
    """Trains, writes the weights and prints what was reached."""
    parser = argparse.ArgumentParser(description="Train the network of `polyattr demo`.")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the npz file to write")
    path = parser.parse_args().out
    settings = Settings()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)  # the number of threads decides how sums are split
    start = time.perf_counter()
    network = build(initial_weights(torch.Generator().manual_seed(settings.seed)))
    train(network, train_digits(), settings)
    seconds = time.perf_counter() - start
    export(network, path)
    print(f"{settings}: {seconds:.0f} s")
    print(f"training images  accuracy {accuracy(network, train_digits()):.2%}")
    print(f"held-out images  accuracy {accuracy(network, held_out_digits()):.2%}")
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
