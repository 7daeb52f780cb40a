"""One to forty samples in turn, as the last batches of data sets have them: time and compilations.

What is counted is the Python code of the model: under JAX and TensorFlow it runs when something is
traced. JAX also says how often it compiled.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from limits.frameworks import bare, models
from limits.ways import explainer
from limits.workloads import Cell, inputs, targets

LETTER, MOST = "A", 40
COMPILED = "/jax/core/compile/backend_compile_duration"


@dataclass
class Counts:
    """How often the model's code ran, under a trace or not."""

    traces: int = 0
    calls: int = 0


@dataclass
class Compiled:
    """What JAX compiled; apart from the model, which else would change with every compilation."""

    count: int = 0
    on: bool = True


def measure(framework: str, method: str, most: int = MOST) -> dict[str, Any]:
    """Explains 1, 2, ... samples, and takes as many bare gradients, as users would write them."""
    cell, counts = Cell(LETTER, 1, method), Counts()
    model = counted(framework, models(framework).build(LETTER), counts)
    explained = explainer(framework, cell, model)
    module, native = bare(framework), models(framework).native

    def explain(n: int) -> None:
        module.wait(explained.explain(native(inputs(LETTER, n)), targets(LETTER, n)))

    found = {"polyattr": _in_turn(framework, explain, counts, most)}
    points, counts = next(iter(cell.settings.values()), 1), Counts()
    (way, gradient), *_ = module.gradients(LETTER).items()

    def taken(n: int) -> None:
        classes = module.classes(targets(LETTER, n * points))
        module.wait(gradient(module.rows(way, inputs(LETTER, n * points)), classes))

    found["bare"] = _in_turn(framework, taken, counts, most)
    # Its code is not counted: each number of samples is traced anew where there are traces.
    found["bare"]["traces"] = 0 if framework == "torch" else most
    return {"most": most, **found}


def _in_turn(
    framework: str, call: Callable[[int], None], counts: Counts, most: int
) -> dict[str, Any]:
    compiled = _listening() if framework == "jax" else None
    before = time.perf_counter()
    for n in range(1, most + 1):
        call(n)
    found = {"seconds": time.perf_counter() - before, **asdict(counts)}
    if compiled is not None:
        compiled.on = False  # the listener stays, and counts no longer
    return {**found, "compiled": None if compiled is None else compiled.count}


def _listening() -> Compiled:
    import jax

    found = Compiled()

    def compiled(event: str, duration_secs: float, **_: str | int) -> None:  # noqa: ARG001
        found.count += found.on and event == COMPILED

    jax.monitoring.register_event_duration_secs_listener(compiled)
    return found


def counted(framework: str, model: Any, counts: Counts) -> Any:
    """Wraps a model so that it counts when its code runs."""

    def note(traced: bool) -> None:
        if traced:
            counts.traces += 1
        else:
            counts.calls += 1

    if framework == "torch":
        model.register_forward_pre_hook(lambda *_: note(False))
        return model
    if framework == "tensorflow":
        import tensorflow as tf

        def in_tensorflow(x: Any) -> Any:
            note(not tf.executing_eagerly())
            return model(x, training=False)

        return in_tensorflow
    import jax

    def in_jax(x: Any) -> Any:
        note(isinstance(x, jax.core.Tracer))
        return model(x)

    return in_jax
