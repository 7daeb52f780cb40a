"""Expected gradients of a sequence model: examples/sequence_models.py beside a loop over sequences.

Time and peak memory of both, each in processes of its own: 25 shuffled baselines per sequence, 25
steps, three classes. ``--frameworks`` and ``--lengths`` take a part; ``--out`` is a file in JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from limits.peak_memory import grown

ROOT = Path(__file__).parents[1]
FRAMEWORKS, LENGTHS, WAYS = ("torch", "tensorflow", "jax"), (500, 2000, 8000), ("example", "loop")
SEQUENCES, DRAWS, STEPS, ROWS = 2, 25, 25, 128
CLASSES = {"first": 0, "second": 3, "third": 5}
MARK = "measured: "
Array = np.ndarray[Any, Any]


def network(length: int) -> Any:
    """Two convolutions with pooling between them, and a head of eight classes."""
    import keras

    keras.utils.set_random_seed(0)
    shape = keras.layers
    return keras.Sequential(
        [
            keras.Input((length, 4)),
            shape.Conv1D(32, 11, padding="same", activation="relu"),
            shape.MaxPooling1D(4),
            shape.Conv1D(32, 7, padding="same", activation="relu"),
            shape.GlobalAveragePooling1D(),
            shape.Dense(8, activation="softplus"),
        ]
    )


def gradients(framework: str, model: Any) -> Callable[[Array], Array]:
    """Returns what differentiates three classes at points (R, L, 4): (R, 3, L, 4)."""
    indices = list(CLASSES.values())
    if framework == "torch":
        import torch

        def by_torch(points: Array) -> Array:
            leaf = torch.from_numpy(points).requires_grad_()
            out = model(leaf, training=False)
            each = [torch.autograd.grad(out[:, i].sum(), leaf, retain_graph=True) for i in indices]
            return torch.stack([found for (found,) in each], 1).numpy()

        return by_torch
    if framework == "tensorflow":
        import tensorflow as tf

        def by_tensorflow(points: Array) -> Array:
            leaf = tf.constant(points)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(leaf)
                out = model(leaf, training=False)
                scores = [out[:, i] for i in indices]
            found: Array = tf.stack([tape.gradient(s, leaf) for s in scores], axis=1).numpy()
            return found

        return by_tensorflow
    import jax

    @jax.jit
    def by_jax(points: Any) -> Any:
        each = [jax.grad(lambda x, i=i: model(x, training=False)[:, i].sum()) for i in indices]
        return jax.numpy.stack([one(points) for one in each], 1)

    return lambda points: np.asarray(by_jax(points))


def loop(framework: str, model: Any, sequences: Array) -> Callable[[], Array]:
    """Returns the straightforward way: all points of a sequence, in batches, then their means."""
    gradient, alpha = gradients(framework, model), np.linspace(0, 1, STEPS + 1)[:, None, None]

    def run() -> Array:
        maps = []
        for x in sequences:
            draw = np.random.default_rng(0)
            starts = [x[draw.permutation(len(x))] for _ in range(DRAWS)]
            points = np.concatenate([b + alpha * (x - b) for b in starts]).astype(np.float32)
            found = [gradient(points[i : i + ROWS]) for i in range(0, len(points), ROWS)]
            paths = np.concatenate(found).reshape(DRAWS, STEPS + 1, *found[0].shape[1:])
            mean = ((paths[:, 1:] + paths[:, :-1]) / 2).mean((0, 1))
            maps.append(mean - mean.mean(-1, keepdims=True))
        return np.stack(maps)

    return run


def measured(framework: str, length: int, way: str) -> dict[str, float]:
    """Returns seconds of the second call, and MiB that both add to the peak."""
    from examples.sequence_models import METHODS, contribution_scores

    letters = np.random.default_rng(1).integers(0, 4, (SEQUENCES, length))
    sequences, model = np.eye(4, dtype=np.float32)[letters], network(length)
    model(sequences[:1])  # the memory of the network itself is nobody's
    call, took = loop(framework, model, sequences), []
    method = METHODS["expected"](model)

    def explained() -> Array:
        with tempfile.TemporaryDirectory() as folder:
            return contribution_scores(method, sequences, CLASSES, Path(folder))

    def timed() -> None:
        started = time.perf_counter()
        (explained if way == "example" else call)()
        took.append(time.perf_counter() - started)

    return {"mib": grown(timed, 2), "seconds": took[-1]}


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frameworks", nargs="+", default=FRAMEWORKS, choices=FRAMEWORKS)
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(MARK + json.dumps(measured(*json.loads(asked.one))))
        return
    found = []
    print("| framework | length | way | seconds | MiB |\n|---|---|---|---|---|")
    for framework in asked.frameworks:
        for length in asked.lengths:
            for way in WAYS:
                one = json.dumps([framework, length, way])
                paths = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
                kept = {**os.environ, "KERAS_BACKEND": framework, "PYTHONPATH": paths}
                command = [sys.executable, __file__, "--one", one]
                text = subprocess.run(command, env=kept, capture_output=True, text=True, check=True)
                (line,) = [e for e in text.stdout.splitlines() if e.startswith(MARK)]
                figures = json.loads(line.removeprefix(MARK))
                found.append({"framework": framework, "length": length, "way": way, **figures})
                row = f"{figures['seconds']:.2f} | {figures['mib']:.0f}"
                print(f"| {framework} | {length:,} | {way} | {row} |", flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
