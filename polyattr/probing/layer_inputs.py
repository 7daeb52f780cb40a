"""Attributing to a layer: its activations take the place of the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.forward import Forward
from polyattr.errors import InputError, ModelOutputError
from polyattr.question.arguments import Beside
from polyattr.question.arrays import dtype_of, read_array
from polyattr.question.baselines import called, is_scalar, read_baselines
from polyattr.question.checks import check_unmasked
from polyattr.question.inputs import Inputs, read_inputs
from polyattr.question.layout import Context
from polyattr.question.references import References
from polyattr.question.structure import Structure, flatten


@dataclass(frozen=True)
class Activations:
    """What the layers that are attributed to return.

    Attributes:
        structure: Its containers.
        attributed: Which leaves are floating tensors with a row per sample.
    """

    structure: Structure
    attributed: tuple[bool, ...]


def outline_activations(forward: Forward, inputs: Inputs) -> Activations:
    """Finds the containers of the activations from at most two samples.

    A tensor without a row per sample, such as the last states of a recurrent layer, stays as the
    layer returns it.

    Raises:
        ModelOutputError: No floating tensor among them, or none with one row per sample.
    """
    x, context = inputs.first_rows([])
    rows = min(2, inputs.n)
    structure, floating, shapes = _outline(forward, inputs, x, context)
    if not shapes:
        raise ModelOutputError(
            f"{_names(forward)} holds no floating tensor: there is no gradient to attribute"
        )
    # By one call alone, a state of two recurrent layers would pass for rows of two samples.
    most = forward.scorer.bound.most_rows
    other = rows + 1 if most is None or rows < most else 1

    def others(leaves: list[Tensor]) -> list[Tensor]:
        return [forward.backend.concat([leaf, leaf[:1]])[:other] for leaf in leaves]

    again = _outline(forward, inputs, others(x), context.rows(others))[2]
    has_rows = [(a[:1], b[:1]) == ((rows,), (other,)) for a, b in zip(shapes, again, strict=True)]
    if not any(has_rows):
        raise ModelOutputError(
            f"{_names(forward)} has shape {shapes[0]} when tried on {rows} samples; "
            f"expected one row per sample on the first axis, ({rows}, ...)"
        )
    kept = iter(has_rows)
    return Activations(structure, tuple(is_float and next(kept) for is_float in floating))


def _outline(
    forward: Forward, inputs: Inputs, x: list[Tensor], context: Context
) -> tuple[Structure, tuple[bool, ...], list[tuple[int, ...]]]:
    """Finds the containers, which leaves are floating, and the shapes of those."""
    scorer = forward.scorer
    outlines: list[tuple[Structure, tuple[bool, ...]]] = []

    def floating(state: Any, leaves: list[Tensor], beside: Context) -> list[Tensor]:
        activations = forward.backend.value(
            lambda rows: scorer.activations(inputs.layout, state, rows, beside), leaves
        )
        structure, parts = flatten(activations, scorer.taps.inputs[0].argument)
        is_float = tuple(scorer.taps.is_floating(part) for part in parts)
        outlines.append((structure, is_float))
        return [part for part, has in zip(parts, is_float, strict=True) if has]

    leaves = forward.backend.outline(floating, scorer.bound.state(), x, context)
    return *outlines[-1], [tuple(leaf.shape) for leaf in leaves]


def _names(forward: Forward) -> str:
    names = [entry.name for entry in forward.scorer.taps.inputs]
    return f"the activation of input_layer {', '.join(map(repr, names))}"


def at_layers(
    forward: Forward, given: Inputs, activations: Activations, batch_size: int | None
) -> Inputs:
    """Evaluates the layers: their activations are attributed to, the inputs come along."""
    layout = given.layout.through(activations.structure, activations.attributed)
    return Inputs(
        forward.activations(given, activations.attributed, batch_size),
        layout,
        given.n,
        [*given.companions, *given.leaves],
        given.shared,
    )


def layer_baselines(
    value: Any, given: Inputs, at: Inputs, forward: Forward, name: str, batch_size: int | None
) -> References:
    """Reads a baseline in the space of the layers, or of the inputs, which then go through them.

    A number is an activation. An array is one where its shape fits the layers, unless both it and
    the inputs hold integers: token ids are inputs.

    Args:
        value: As the user passed it.
        given: The model's inputs.
        at: The activations at the inputs.
        forward: Evaluates the layers.
        name: The argument, for messages.
        batch_size: Most rows per evaluation.

    Raises:
        InputError: It fits neither.
    """
    backend = forward.backend
    value = called(value, given, backend)
    if is_scalar(value) or value is None:
        return read_baselines(value, at, backend, name)
    fitted = _fit(value, given, forward)
    if fitted is None or (_fits_layers(value, at) and not _whole(value, given, backend)):
        try:
            return read_baselines(value, at, backend, name)
        except InputError as error:
            raise InputError(
                f"{error}; or a baseline in the containers and shapes of the inputs, which is put "
                f"through the layer"
            ) from None
    return References(forward.activations(fitted, at.layout.attributed, batch_size), shared=False)


def layer_background(background: Any, at: Inputs, forward: Forward, batch_size: int | None) -> Any:
    """Puts background data through the layers, unless it already has the shapes of activations.

    Args:
        background: As the user passed it: inputs (B, ...) of the model, or activations.
        at: The activations at the inputs.
        forward: Evaluates the layers.
        batch_size: Most rows per evaluation.

    Returns:
        Activations (B, ...) in their containers.

    Raises:
        InputError: The model takes arguments beside its inputs, which the background has none of.
    """
    structure, leaves = flatten(background, "background")
    shapes = [tuple(np.shape(leaf))[1:] for leaf in leaves]
    whole = all(dtype_of(leaf, forward.backend).startswith(("int", "uint")) for leaf in leaves)
    alike = structure.outline() == at.layout.values.outline()
    if alike and shapes == [tuple(leaf.shape[1:]) for leaf in at.leaves] and not whole:
        return background
    if at.layout.args.names or at.layout.kwargs.names:
        raise InputError(
            "background holds inputs, but the model takes further arguments, of which it has none; "
            "expected background in the shapes of the activations of input_layer"
        )
    bound = forward.scorer.bound
    inputs = read_inputs(background, Beside(), forward.backend, bound, whole=True)
    inputs.check_finite(forward.backend)
    found = iter(forward.activations(inputs, at.layout.attributed, batch_size))
    return at.layout.values.build([next(found) if has else None for has in at.layout.attributed])


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
    names = (dtype_of(leaf, backend) for leaf in leaves)
    return not given.leaves and all(name.startswith(("int", "uint")) for name in names)


def _fit(value: Any, given: Inputs, forward: Forward) -> Inputs | None:
    """Puts a baseline in the place of the inputs, or returns None where it does not fit them."""
    backend, layout = forward.backend, given.layout
    inputs = layout.arguments(given.leaves, given.context([]))[0]
    if isinstance(value, Mapping) and isinstance(inputs, Mapping) and set(value) <= set(inputs):
        value = {key: value.get(key, leaf) for key, leaf in inputs.items()}
    structure, leaves = flatten(value, "baselines")
    if structure.outline() != layout.inputs.outline():
        return None
    pools = {"x": list(given.leaves), "companion": list(given.companions)}
    # Slots of further arguments follow those of the inputs.
    for name, leaf, (kind, number) in zip(structure.names, leaves, layout.slots, strict=False):
        if kind in pools:
            present = pools[kind][number]
            if not _fits(leaf, present):
                return None
            check_unmasked(name, leaf)
            native = read_array(
                np.asarray(leaf) if not backend.is_tensor(leaf) else leaf,
                name,
                backend,
                forward.scorer.bound,
                present,
            )
            dtype = backend.dtype(present)
            spread = backend.zeros(tuple(present.shape), present, dtype)
            pools[kind][number] = spread + backend.cast(native, dtype)
    return replace(given, leaves=pools["x"], companions=pools["companion"])
