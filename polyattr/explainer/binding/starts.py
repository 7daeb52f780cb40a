"""Where the paths of a call start."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from polyattr.engine.blocks import Engine
from polyattr.engine.forward import Forward
from polyattr.explainer.binding.method import Method
from polyattr.probing.layer_inputs import layer_background, layer_baselines
from polyattr.question.baselines import read_background, read_baselines, start_kind
from polyattr.question.inputs import Inputs
from polyattr.question.references import References


def read_starts(
    method: Method,
    engine: Engine,
    forward: Forward,
    baselines: Any,
    given: Inputs,
    at: Inputs,
    rows: Callable[[], int | None],
    traced: bool,
) -> References | None:
    """Reads where paths start; None for methods without a path.

    Args:
        method: The explainer's arguments.
        engine: Remembers starts that all calls of a kind share.
        forward: Evaluates the layers that are attributed to.
        baselines: As the call gave them; None where it did not.
        given: The inputs.
        at: What is attributed to.
        rows: Tells the most rows per evaluation; of a trace nobody knows them.
        traced: Whether inputs belong to a trace.
    """
    backend, origin = engine.backend, method.recipes[-1].origin
    if origin is None:
        return None
    if origin == "input":
        begin = method.recipes[-1].begin
        return References([begin(backend, leaf) for leaf in at.leaves], shared=False)
    if origin == "background":
        background = method.background
        if at is not given:
            background = layer_background(background, at, forward, rows())
        return read_background(background, at, backend, engine.scorer.bound, traced)
    own = (method.baseline_value, "baseline_value")
    start, name = own if baselines is None else (baselines, "baselines")
    if at is not given:
        return layer_baselines(start, given, at, forward, name, rows())
    read = partial(read_baselines, start, given, backend, name, traced)
    kind = None if traced or baselines is not None else start_kind(start, given, backend)
    return read() if kind is None else engine.remember(kind, read)
