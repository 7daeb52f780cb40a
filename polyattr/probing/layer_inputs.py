"""Attributing to a layer: its activations take the place of the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.loop import Engine
from polyattr.errors import InputError, ModelOutputError
from polyattr.question.baselines import called, is_scalar, read_baselines
from polyattr.question.inputs import Inputs, read_array
from polyattr.question.layout import Context
from polyattr.question.structure import Structure, flatten
from polyattr.scores.scorer import first_rows


@dataclass(frozen=True)
class Activations:
    """What the layers that are attributed to return.

    Attributes:
        structure: Its containers.
        attributed: Which leaves are floating tensors with a row per sample.
    """

    structure: Structure
    attributed: tuple[bool, ...]


def outline_activations(engine: Engine, inputs: Inputs) -> Activations:
    """Finds the containers of the activations from at most two samples.

    A tensor without a row per sample, such as the last states of a recurrent layer, stays as the
    layer returns it.

    Raises:
        ModelOutputError: No floating tensor among them, or none with one row per sample.
    """
    x, context = first_rows(inputs, [])
    rows = min(2, inputs.n)
    structure, floating, shapes = _outline(engine, inputs, x, context)
    if not shapes:
        raise ModelOutputError(
            f"{_names(engine)} holds no floating tensor: there is no gradient to attribute"
        )
    # By one call alone, a state of two recurrent layers would pass for rows of two samples.
    most = engine.scorer.bound.most_rows
    other = rows + 1 if most is None or rows < most else 1

    def others(leaves: list[Tensor]) -> list[Tensor]:
        return [engine.backend.concat([leaf, leaf[:1]])[:other] for leaf in leaves]

    again = _outline(engine, inputs, others(x), context.rows(others))[2]
    has_rows = [(a[:1], b[:1]) == ((rows,), (other,)) for a, b in zip(shapes, again, strict=True)]
    if not any(has_rows):
        raise ModelOutputError(
            f"{_names(engine)} has shape {shapes[0]} when tried on {rows} samples; "
            f"expected one row per sample on the first axis, ({rows}, ...)"
        )
    kept = iter(has_rows)
    return Activations(structure, tuple(is_float and next(kept) for is_float in floating))


def _outline(
    engine: Engine, inputs: Inputs, x: list[Tensor], context: Context
) -> tuple[Structure, tuple[bool, ...], list[tuple[int, ...]]]:
    """Finds the containers, which leaves are floating, and the shapes of those."""
    scorer = engine.scorer
    found: list[tuple[Structure, tuple[bool, ...]]] = []

    def floating(state: Any, leaves: list[Tensor], beside: Context) -> list[Tensor]:
        activations = scorer.activations(inputs.layout, state, leaves, beside)
        structure, parts = flatten(activations, "input_layer")
        is_float = tuple(scorer.taps.is_floating(part) for part in parts)
        found.append((structure, is_float))
        return [part for part, has in zip(parts, is_float, strict=True) if has]

    leaves = engine.backend.outline(floating, scorer.bound.state(), x, context)
    return *found[-1], [tuple(leaf.shape) for leaf in leaves]


def _names(engine: Engine) -> str:
    names = [entry.name for entry in engine.scorer.taps.inputs]
    return f"the activation of input_layer {', '.join(map(repr, names))}"


def at_layers(
    engine: Engine, given: Inputs, activations: Activations, batch_size: int | None
) -> Inputs:
    """Evaluates the layers: their activations are attributed to, the inputs come along."""
    layout = given.layout.through(activations.structure, activations.attributed)
    return Inputs(
        engine.forward.activations(given, activations.attributed, batch_size),
        layout,
        given.n,
        [*given.companions, *given.leaves],
        given.shared,
    )


def layer_baselines(
    value: Any, given: Inputs, at: Inputs, engine: Engine, name: str, batch_size: int | None
) -> list[Tensor]:
    """Reads a baseline in the space of the layers, or of the inputs, which then go through them.

    A number is an activation. An array is one where its shape fits the layers, unless both it and
    the inputs hold integers: token ids are inputs.

    Args:
        value: As the user passed it.
        given: The model's inputs.
        at: The activations at the inputs.
        engine: Evaluates the layers.
        name: The argument, for messages.
        batch_size: Most rows per evaluation.

    Raises:
        InputError: It fits neither.
    """
    backend = engine.backend
    value = called(value, given, backend)
    if is_scalar(value) or value is None:
        return read_baselines(value, at, backend, name)
    fitted = _fit(value, given, engine)
    if fitted is None or (_fits_layers(value, at) and not _whole(value, given, backend)):
        try:
            return read_baselines(value, at, backend, name)
        except InputError as error:
            raise InputError(
                f"{error}; or a baseline in the containers and shapes of the inputs, which is put "
                f"through the layer"
            ) from None
    return engine.forward.activations(fitted, at.layout.attributed, batch_size)


def _fits_layers(value: Any, at: Inputs) -> bool:
    structure, leaves = flatten(value, "")
    if structure.outline() != at.layout.values.outline():
        return False
    wanted = iter(at.leaves)
    pairs = [
        (leaf, next(wanted)) for leaf, has in zip(leaves, at.layout.attributed, strict=True) if has
    ]
    return all(_fits(given, leaf) for given, leaf in pairs)


def _fits(given: Any, leaf: Tensor) -> bool:
    shape = tuple(np.shape(given))
    sample = tuple(leaf.shape[1:])
    return shape in {sample, (1, *sample), tuple(leaf.shape)}


def _whole(value: Any, given: Inputs, backend: GradBackend) -> bool:
    """Says whether a baseline and the inputs hold integers only."""
    leaves = [leaf for leaf in flatten(value, "")[1] if hasattr(leaf, "dtype")]
    names = (_dtype(leaf, backend) for leaf in leaves)
    return not given.leaves and all(name.startswith(("int", "uint")) for name in names)


def _dtype(leaf: Any, backend: GradBackend) -> str:
    return str(leaf.dtype.name if isinstance(leaf, np.ndarray) else backend.dtype(leaf))


def _fit(value: Any, given: Inputs, engine: Engine) -> Inputs | None:
    """Puts a baseline in the place of the inputs, or returns None where it does not fit them."""
    backend, layout = engine.backend, given.layout
    inputs = layout.arguments(given.leaves, given.context([]))[0]
    if isinstance(value, Mapping) and isinstance(inputs, Mapping) and set(value) <= set(inputs):
        value = {key: value.get(key, leaf) for key, leaf in inputs.items()}
    structure, leaves = flatten(value, "baselines")
    if structure.outline() != layout.inputs.outline():
        return None
    pools = {"x": list(given.leaves), "companion": list(given.companions)}
    own = zip(structure.names, leaves, layout.slots, strict=False)
    for name, leaf, (kind, number) in own:
        if kind in pools:
            present = pools[kind][number]
            if not _fits(leaf, present):
                return None
            native = read_array(
                np.asarray(leaf) if not backend.is_tensor(leaf) else leaf,
                name,
                backend,
                engine.scorer.bound,
                present,
            )
            dtype = backend.dtype(present)
            spread = backend.zeros(tuple(present.shape), present, dtype)
            pools[kind][number] = spread + backend.cast(native, dtype)
    return replace(given, leaves=pools["x"], companions=pools["companion"])
