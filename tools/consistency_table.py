"""Measures how far the frameworks' answers are apart, and writes the table in the docs.

``python tools/consistency_table.py`` starts a fresh process per framework and dtype, each of which
saves its attributions, and compares the files. ``--child`` is how it calls itself.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

FRAMEWORKS = ("torch", "tensorflow", "jax")
DTYPES = ("float32", "float64")
METHODS = (
    "Saliency",
    "GradientInput",
    "IntegratedGradients",
    "SmoothGrad",
    "SquareGrad",
    "VarGrad",
)
NETWORKS = ("demo", "random 0", "random 1", "random 2")
DIGITS = 12
PAGE = Path(__file__).parents[1] / "docs" / "consistency.md"
INTRODUCTION = """# Consistency

The same network with the same weights, explained in each framework in a process of its own: the
trained network of `polyattr demo` and three of its shape with random weights, twelve held-out
digits, all methods at their defaults. Each figure is the largest difference between two frameworks'
maps of one digit, relative to the largest absolute value in that map.

In float64 the rest is rounding. In float32 rounding moves some inputs of a ReLU across its kink,
where the gradient jumps: a difference of one rounding in a layer can then change the gradient of a
single point visibly, and the mean over the points of a method in proportion. That is why float32
figures vary with the network, and why we ask for 1e-5 on the trained network only. Max-pooling has
ties where its window is constant, and which of them receives the gradient is a convention of each
framework: networks with max-pooling over constant regions may differ there by any amount.

Noise is drawn by NumPy from the seed (`noise_source="portable"`), so sampled methods agree like the
others. The figures come from `tools/consistency_table.py`.
"""


def weights_of(network: str, dtype: str) -> dict[str, np.ndarray[Any, Any]]:
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


def child(framework: str, dtype: str, out: str) -> None:
    """Explains the digits with every network and method in one framework."""
    import polyattr
    from polyattr.demo.digits import held_out_digits
    from polyattr.demo.model import logits_layer
    from polyattr.plugins import get_backend

    images, labels = (part[:DIGITS] for part in held_out_digits())
    backend = get_backend(framework)
    found = {}
    for network in NETWORKS:
        model = backend.demo_network(weights_of(network, dtype))
        for method in METHODS:
            explainer = getattr(polyattr, method)(
                model, backend=framework, output_layer=logits_layer(model)
            )
            values = explainer.attribute(images.astype(dtype), labels).to_numpy().values
            found[f"{network}/{method}"] = values
    np.savez(out, **found)


def measure(folder: Path) -> dict[tuple[str, str, str, str, str], float]:
    """Runs all children and returns the largest relative difference of every combination."""
    files = {}
    for framework, dtype in itertools.product(FRAMEWORKS, DTYPES):
        out = folder / f"{framework}-{dtype}.npz"
        environment = {
            **os.environ,
            "JAX_ENABLE_X64": "1" if dtype == "float64" else "0",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [sys.executable, __file__, "--child", framework, dtype, str(out)]
        subprocess.run(command, check=True, env=environment)
        files[framework, dtype] = np.load(out)
    found = {}
    for dtype, network, method in itertools.product(DTYPES, NETWORKS, METHODS):
        for one, other in itertools.combinations(FRAMEWORKS, 2):
            a, b = (files[name, dtype][f"{network}/{method}"] for name in (one, other))
            if a.dtype != dtype or b.dtype != dtype:
                raise TypeError(f"{method} in {dtype} gave {a.dtype} and {b.dtype}")
            largest = np.abs(a).max(axis=(1, 2))
            difference = np.abs(a - b).max(axis=(1, 2)) / largest
            found[dtype, network, method, one, other] = float(difference.max())
    return found


def page(found: dict[tuple[str, str, str, str, str], float]) -> str:
    """Lays the figures out."""
    pairs = list(itertools.combinations(FRAMEWORKS, 2))
    parts = [INTRODUCTION]
    for dtype in DTYPES:
        for kind, networks in (("trained network", NETWORKS[:1]), ("random", NETWORKS[1:])):
            heads = " | ".join(f"{one} - {other}" for one, other in pairs)
            lines = [f"\n## {dtype}, {kind}\n", f"| method | {heads} |", "|---|" + "---|" * 3]
            for method in METHODS:
                cells = [
                    f"{max(found[dtype, network, method, *pair] for network in networks):.1e}"
                    for pair in pairs
                ]
                lines.append(f"| `{method}` | {' | '.join(cells)} |")
            parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def main() -> None:
    """Measures and writes the page, or explains as a child."""
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:5])
        return
    with tempfile.TemporaryDirectory() as folder:
        text = page(measure(Path(folder)))
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
