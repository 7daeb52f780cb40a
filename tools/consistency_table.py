"""Measures how far the frameworks' answers are apart, and writes the table in the docs.

``python tools/consistency_table.py`` starts a fresh process per framework and dtype, each of which
saves its attributions, and compares the files. ``--child`` is how it calls itself.
"""

from __future__ import annotations

import importlib
import itertools
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import polyattr
from polyattr import methods

Array = np.ndarray[Any, Any]
Key = tuple[str, str, str, str, str]
"""dtype, network, method, one framework, another one"""

Apart = tuple[float, float]
"""The largest difference of ten samples' maps, and of all twelve."""

Answers = Mapping[tuple[str, str], polyattr.Attribution]
"""Attributions by (network, method)."""

FRAMEWORKS = ("torch", "tensorflow", "jax")
PAIRS = tuple(itertools.combinations(FRAMEWORKS, 2))
DTYPES = ("float32", "float64")
TOLERANCES = {"float32": 1e-5, "float64": 1e-13}
# Where rounding in float32 moves a unit across its kink, a point of a path has another gradient: in
# one sample of fifty to a hundred of these, which then differs by a stride of the path.
KINK, FEW = 2e-2, 2
# Gradients are weighed by differences of scores at neighbouring points, in which digits cancel.
CANCELLED = ("IDGI", "IntegratedDecisionGradients")
# Without those that draw points from a background: in float32 some of these points met a kink, with
# each background tried, and the figure would be that of the kink.
METHODS = tuple(
    name for name in methods.__all__ if not hasattr(getattr(polyattr, name), "background")
)
TRAINED, REDRAWN = ("demo",), ("random 0", "random 1", "random 2")
DENSE = tuple(f"dense {seed}" for seed in range(4))
NETWORKS = (*TRAINED, *REDRAWN, *DENSE)
ACTIVATIONS = ("relu", "tanh", "sigmoid", "softplus", "silu", "elu")
SAMPLES = 12
PAGE = Path(__file__).parents[1] / "docs" / "consistency.md"
INTRODUCTION = """# Consistency

The same network with the same weights, explained in each framework in a process of its own, twelve
samples each, all methods that need nothing but a model at their defaults. Each figure is the
largest difference between two frameworks' maps of one sample, relative to the largest absolute
value in that map: of all but the two samples that are furthest apart, and in parentheses of all
twelve. The networks:

- trained: the network of `polyattr demo`, on held-out digits;
- redrawn: three networks of its shape with random weights, on the same digits;
- dense: four networks of random depth (1 to 4 hidden layers), width (2 to 32) and activation (of
  relu, tanh, sigmoid, softplus, silu and elu, one per layer), every other one without biases, on
  normally distributed features.

**The tolerance is 1e-5 in float32 and 1e-13 in float64**, because what is left is rounding: sums
are taken in another order, and activations by other approximations to the last bit. IDGI and
Integrated Decision Gradients have ten times as much: they weigh gradients by differences of scores
at neighbouring points, in which digits cancel.

Rounding does more than that at one place only, the kink of a ReLU: where it moves a unit's input
across zero, the gradient of one point jumps, and the map follows in proportion, here by up to 2e-2
of its largest value. A map of yours that differs by more than the tolerance has met a kink. In
float32 up to two of twelve samples may: most often under Guided Integrated Gradients, where
rounding also decides which of two nearly equal gradients moves first, and under Blur Integrated
Gradients, whose path starts from a picture that is nearly flat, where many units come near to their
kinks at once. In float64 none does.

Two conventions are no rounding. Which of several equal maxima receives the gradient of max-pooling
is each framework's own, so networks that pool constant regions may differ there by any amount. And
`tf.nn.gelu` keeps a constant in float32: its float64 results are 4e-8 off, so gelu is left out.

Noise is drawn by NumPy from the seed (`noise_source="portable"`), so sampled methods agree like the
others. The figures come from `tools/consistency_table.py`.
"""


def weights_of(network: str, dtype: str) -> dict[str, Array]:
    """Returns the weights of one of the networks."""
    from polyattr.demo.model import load_weights

    trained = load_weights()
    if network == "demo":
        return {name: array.astype(dtype) for name, array in trained.items()}
    generator = np.random.default_rng(int(network.split()[1]))
    return {
        name: (generator.standard_normal(array.shape) * array.std()).astype(dtype)
        for name, array in trained.items()
    }


def dense_layers(network: str, dtype: str) -> list[tuple[Array, Array, str]]:
    """Draws (weight (in, out), bias (out,), activation) of a dense network; the last is linear."""
    number = int(network.split()[1])
    generator = np.random.default_rng([17, number])
    sizes = [*generator.integers(2, 33, size=generator.integers(2, 6)), 3]
    layers = []
    for inside, outside in itertools.pairwise(sizes):
        weight = generator.standard_normal((inside, outside)) * np.sqrt(2 / inside)
        bias = generator.standard_normal(outside) * (number % 2)
        activation = ACTIVATIONS[generator.integers(len(ACTIVATIONS))]
        layers.append((weight.astype(dtype), bias.astype(dtype), activation))
    return [*layers[:-1], (*layers[-1][:2], "linear")]


def dense_model(framework: str, layers: list[tuple[Array, Array, str]]) -> Any:
    """Writes a dense network as a function of the framework."""
    from polyattr.backend import get_backend

    home = {"torch": "torch.nn.functional", "tensorflow": "tensorflow.nn", "jax": "jax.nn"}
    functions = importlib.import_module(home[framework])
    native = get_backend(framework).to_native
    held = [(native(weight), native(bias), name) for weight, bias, name in layers]

    def model(x: Any) -> Any:
        for weight, bias, name in held:
            x = x @ weight + bias
            if name != "linear":
                x = getattr(functions, name)(x)
        return x

    return model


def question(network: str, dtype: str) -> tuple[Array, Array]:
    """Returns the inputs and targets a network is asked about."""
    from polyattr.demo.digits import held_out_digits

    if network not in DENSE:
        images, labels = (part[:SAMPLES] for part in held_out_digits())
        return images.astype(dtype), labels
    generator = np.random.default_rng([2, int(network.split()[1])])
    features = len(dense_layers(network, dtype)[0][0])
    inputs = generator.standard_normal((SAMPLES, features)).astype(dtype)
    return inputs, generator.integers(3, size=SAMPLES)


def explain(framework: str, dtype: str, networks: Sequence[str] = NETWORKS) -> Answers:
    """Explains every network by every method in one framework."""
    from polyattr.demo.model import logits_layer
    from polyattr.demo.model import network as demo_network

    found = {}
    for network in networks:
        if network in DENSE:
            model = dense_model(framework, dense_layers(network, dtype))
        else:
            model = demo_network(framework, weights_of(network, dtype))
        inputs, targets = question(network, dtype)
        for method in METHODS:
            kind = getattr(polyattr, method)
            explainer = kind(model, backend=framework, output_layer=logits_layer(model))
            with warnings.catch_warnings():  # asked is how far maps are apart, not how exact
                warnings.simplefilter("ignore", polyattr.ConvergenceWarning)
                warnings.simplefilter("ignore", polyattr.BaselineWarning)
                found[network, method] = explainer.attribute(inputs, targets).to_numpy()
    return found


def difference(a: Array, b: Array, dtype: str) -> Apart:
    """Returns the largest difference of one sample's maps, relative to the larger one's largest.

    Of all but the two samples that are furthest apart, and of all.
    """
    if a.dtype != dtype or b.dtype != dtype:
        raise TypeError(f"asked for {dtype}, got {a.dtype} and {b.dtype}")
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    apart = np.sort(np.abs(a - b).max(axis=1) / np.abs(a).max(axis=1))
    return float(apart[-1 - FEW]), float(apart[-1])


def tolerances(dtype: str, method: str) -> tuple[float, float]:
    """Returns how far two frameworks' maps may be apart: of ten samples, and of all twelve."""
    most = TOLERANCES[dtype] * (10 if method in CANCELLED else 1)
    return most, KINK if dtype == "float32" else most


def within(key: Key, found: Apart) -> bool:
    """Says whether maps are as close as they should be."""
    return all(far <= most for far, most in zip(found, tolerances(key[0], key[2]), strict=True))


def measure(folder: Path, networks: Sequence[str] = NETWORKS) -> dict[Key, Apart]:
    """Runs all children and returns the largest relative difference of every combination."""
    runs = [(framework, dtype) for dtype in DTYPES for framework in FRAMEWORKS]
    # Two at a time: each keeps one core busy for most of its time.
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda run: _child(folder, run[0], run[1], networks), runs)
        answers = dict(zip(runs, found, strict=True))
    return compare(answers)


def _child(folder: Path, framework: str, dtype: str, networks: Sequence[str]) -> Answers:
    out = folder / f"{framework}-{dtype}"
    out.mkdir()
    environment = {
        **os.environ,
        "JAX_ENABLE_X64": "1" if dtype == "float64" else "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, __file__, "--child", framework, dtype, str(out), *networks]
    subprocess.run(command, check=True, env=environment)
    names = itertools.product(networks, METHODS)
    return {name: polyattr.load(saved(out, *name)) for name in names}


def saved(folder: Path, network: str, method: str) -> Path:
    """Names the file of one attribution."""
    return folder / f"{network}, {method}.npz"


def compare(answers: Mapping[tuple[str, str], Answers]) -> dict[Key, Apart]:
    """Compares what `explain` found, by (framework, dtype), for every pair of frameworks."""
    found = {}
    for dtype in dict.fromkeys(dtype for _, dtype in answers):
        for one, other in PAIRS:
            for network, method in answers[one, dtype]:
                a, b = (answers[name, dtype][network, method].values for name in (one, other))
                found[dtype, network, method, one, other] = difference(a, b, dtype)
    return found


def page(found: Mapping[Key, Apart]) -> str:
    """Lays the figures out."""
    parts = [INTRODUCTION]
    for dtype in DTYPES:
        for kind, networks in (("trained", TRAINED), ("redrawn", REDRAWN), ("dense", DENSE)):
            heads = " | ".join(f"{one} - {other}" for one, other in PAIRS)
            lines = [f"\n## {dtype}, {kind}\n", f"| method | {heads} |", "|---|" + "---|" * 3]
            for method in METHODS:
                cells = []
                for pair in PAIRS:
                    each = [found[dtype, network, method, *pair] for network in networks]
                    cells.append("{:.1e} ({:.1e})".format(*np.max(each, axis=0)))
                lines.append(f"| `{method}` | {' | '.join(cells)} |")
            parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def main() -> None:
    """Measures and writes the page, or explains as a child."""
    if sys.argv[1:2] == ["--child"]:
        framework, dtype, out, *networks = sys.argv[2:]
        for name, result in explain(framework, dtype, networks).items():
            result.save(saved(Path(out), *name))
        return
    with tempfile.TemporaryDirectory() as folder:
        text = page(measure(Path(folder)))
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
