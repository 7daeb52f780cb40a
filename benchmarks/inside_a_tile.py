"""What Integrated Gradients with errors asks for beside the gradient, in a framework's own words.

`python benchmarks/inside_a_tile.py torch A B T` writes down by hand, without polyattr, what has to
be done with one tile of as many rows as polyattr takes, one of each sample:

- gradient: the bare gradient.
- sum: the point on the path, the gradient there, its product with the path, added to a sum.
- errors: that, and what tells the error: the sum by a coarser rule, how far the gradient is from
  the one before, summed, and in squares for each number.

In JAX and TensorFlow each of these is one compiled program. Times are medians over turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from limits.frameworks import FRAMEWORKS, bare, models
from limits.workloads import MODELS, inputs, targets
from polyattr.backend import get_backend
from polyattr.engine.plan.sheet import auto_batch_size

Call = Callable[..., Any]
STAGES = ("gradient", "sum", "errors")


@dataclass(frozen=True)
class Words:
    """The few operations that frameworks have other names for.

    Attributes:
        row_sums: (R, ...) to (R,).
        compiled: Makes one program.
        column: (R,) numbers as (R, 1, ...), to go with rows.
        zeros: Of the shape of rows, or (R,).
        plus_product: Total, a, b: the total plus a times b.
    """

    row_sums: Call
    compiled: Call
    column: Call
    zeros: Call
    plus_product: Call


def words(framework: str, way: str) -> Words:
    """Returns those of a framework."""
    if framework == "torch":
        import torch

        def column(values: Any, like: Any) -> Any:
            return torch.as_tensor(values).view(-1, *[1] * (like.ndim - 1))

        return Words(
            lambda rows: rows.flatten(1).sum(1),
            lambda function: function,
            column,
            lambda like, flat: torch.zeros_like(like[(slice(None), *[0] * (like.ndim - 1))]
                                                if flat else like),
            lambda total, a, b: total.addcmul_(a, b),
        )  # fmt: skip
    if framework == "jax":
        import jax
        import jax.numpy as jnp

        def native(values: Any, like: Any) -> Any:
            return jnp.asarray(values).reshape(-1, *[1] * (like.ndim - 1))

        return Words(
            lambda rows: rows.reshape(len(rows), -1).sum(1),
            jax.jit,
            native,
            lambda like, flat: jnp.zeros(like.shape[:1] if flat else like.shape, like.dtype),
            lambda total, a, b: total + a * b,
        )
    import tensorflow as tf

    def shaped(values: Any, like: Any) -> Any:
        return tf.reshape(tf.constant(values), [-1, *[1] * (len(like.shape) - 1)])

    return Words(
        lambda rows: tf.reduce_sum(tf.reshape(rows, [rows.shape[0], -1]), 1),
        lambda f: tf.function(f, autograph=False, jit_compile=way == "xla"),
        shaped,
        lambda like, flat: tf.zeros(like.shape[:1] if flat else like.shape, like.dtype),
        lambda total, a, b: total + a * b,
    )


def stages(framework: str, way: str, letter: str, rows: int) -> dict[str, Callable[[], Any]]:
    """Returns the three as calls without arguments."""
    own, module = words(framework, way), bare(framework)
    gradient = module.gradients(letter)[way]
    x = module.rows(way, inputs(letter, rows))
    classes = module.classes(targets(letter, rows))
    start = module.rows(way, inputs(letter, 1) * 0)
    alpha, weight, coarser, width = (
        own.column(np.full(rows, value, np.float32), x) for value in (0.3, 0.02, 0.04, 0.02)
    )
    flat = own.row_sums(width * (x * 0 + 1)) * 0 + 0.02

    def summed(total: Any, x: Any) -> Any:
        path = x - start
        flow = gradient(start + alpha * path, classes) * path
        return own.plus_product(total, flow, weight), flow

    def told(state: Any, x: Any) -> Any:
        total, other, squares, bound, last = state
        total, flow = summed(total, x)
        other = own.plus_product(other, flow, coarser)
        jumps = flow - last
        moved = bound + own.row_sums(abs(jumps)) * flat
        jumps = jumps * as_column(flat / moved)
        squares = own.plus_product(squares * as_column((bound / moved) ** 2), jumps, jumps)
        return total, other, squares, moved, flow * 1

    def as_column(values: Any) -> Any:
        return values[(slice(None), *[None] * (len(x.shape) - 1))]

    one, whole = own.compiled(summed), own.compiled(told)
    total = own.zeros(x, False)
    state = *(own.zeros(x, False) for _ in range(3)), own.zeros(x, True), own.zeros(x, False)
    return {
        "gradient": lambda: module.wait(gradient(x, classes)),
        "sum": lambda: module.wait(one(total, x)[0]),
        "errors": lambda: module.wait(whole(state, x)[2]),
    }


def measured(calls: dict[str, Callable[[], Any]], turns: int, seconds: float) -> dict[str, float]:
    """Returns the median seconds of each call, taken in turn."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(turns):
        for name, call in calls.items():
            began, count = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                call()
                count += 1
            took[name].append((time.perf_counter() - began) / count)
    return {name: statistics.median(times) for name, times in took.items()}


def rows_of(framework: str, letter: str) -> int:
    """Returns how many rows a gradient call of polyattr has."""
    x = models(framework).native(inputs(letter, 1))
    return auto_batch_size(MODELS[letter].elements, get_backend(framework), x)


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("models", nargs="+", choices=list(MODELS))
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.2)
    given = parser.parse_args()
    print("| model | way | rows | gradient, ms | sum | errors |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for letter in given.models:
        rows = rows_of(given.framework, letter)
        for way in bare(given.framework).gradients(letter):
            found = measured(stages(given.framework, way, letter, rows), given.turns, given.seconds)
            least = found["gradient"]
            ratios = " | ".join(f"{found[name] / least:.2f}" for name in STAGES[1:])
            print(f"| {letter} | {way} | {rows:,} | {1000 * least:.2f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
