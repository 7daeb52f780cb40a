"""What the model would have taken instead: tried when it fails, so that the error can say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.dtypes import FLOATS
from polyattr.engine.forward import Forward
from polyattr.errors import InputError, InputTypeError, PolyattrError
from polyattr.probing.failures.attempts import rows, runs
from polyattr.question.inputs import Inputs
from polyattr.question.structure import Structure

Array = np.ndarray[Any, Any]
Cure = tuple[Inputs, type[PolyattrError], str]
"""Other inputs, and what to say, and as which error, if the model runs on all their rows; one
example without an axis of samples has none."""

_MOST_LEAVES, _MOST_SHOWN, _MOST_TEXT = 8, 3, 240
MAPPED = "as jax.vmap(model), torch.vmap(model) or tf.vectorized_map make one"
_TABLE = 2
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def one_sample(inputs: Inputs) -> str:
    """Asks whether rows that depend on each other are parts of a single sample."""
    shapes = " and ".join(str((1, *leaf.shape)) for leaf in inputs.leaves)
    return (
        f"Or is the batch axis missing? Rows that belong together, as the nodes of one graph or "
        f"the steps of one sequence, are one sample: pass inputs[None], {shapes}, to a model that "
        f"takes a batch of them, {MAPPED}; what all share, such as an edge index, goes in "
        f"forward_args with batched=()"
    )


def cure(forward: Forward, inputs: Inputs, error: Exception) -> PolyattrError | None:
    """Finds inputs the model does take, after it failed on two rows of those given.

    Args:
        forward: Evaluates the model.
        inputs: What the user passed, read.
        error: What the model raised.

    Returns:
        The error to raise in its place; None where nothing else runs either, or where it is not
        the model that failed.
    """
    backend, tapped = forward.backend, forward.scorer.taps.inputs
    if tapped or not inputs.leaves or not all(map(backend.readable, inputs.leaves)):
        return None
    # Evaluated, not outlined: an index out of range shows in values only.
    if rows(forward, inputs, np.arange(min(2, inputs.n), dtype=np.int32)) is not None:
        return None
    met = f"{type(error).__name__}: {_ANSI.sub('', ' '.join(str(error).split()))[:_MOST_TEXT]}"
    given = ", ".join(
        f"{name} of shape {tuple(leaf.shape)}, {backend.dtype(leaf)}"
        for name, leaf in list(zip(inputs.layout.names, inputs.leaves, strict=True))[:_MOST_SHOWN]
    )
    given += ", ..." * (len(inputs.leaves) > _MOST_SHOWN)
    finders = [_other_dtypes, _whole_numbers, _single_samples, _parts, _other_layouts, _nodes]
    if not isinstance(error, PolyattrError):  # it ran on two rows, but to other rows than two
        finders.insert(4, _one_example)
    for find in finders:
        for other, kind, said in find(forward, inputs):
            if _runs(forward, other):
                return kind(f"{given}: {said} (the model raised {met})")
    x, context = inputs.first_rows([])
    if isinstance(error, TypeError) and (why := forward.scorer.misfit(inputs.layout, x, context)):
        return InputTypeError(
            f"{given}: {why}; expected inputs for each of them, as a tuple or a dict by name, and "
            f"what is not attributed to in forward_args or forward_kwargs (the model raised {met})"
        )
    return None


def _runs(forward: Forward, inputs: Inputs) -> bool:
    if not inputs.n:
        return runs(forward, _harmless(forward, inputs))
    return _outputs(forward, inputs) is not None


def _outputs(forward: Forward, inputs: Inputs) -> list[Array] | None:
    """Evaluates all rows of the inputs; None where the model does not run."""
    return rows(forward, _harmless(forward, inputs), np.arange(inputs.n, dtype=np.int32))


def _harmless(forward: Forward, inputs: Inputs) -> Inputs:
    """Returns zeros in the place of inputs on an accelerator.

    There an index out of range ends all work of the process, and numbers of the user's that are
    read as another dtype, or along another axis, may be one; 0 is in every table.
    """
    backend = forward.backend
    if not any(map(backend.accelerated, inputs.leaves)):
        return inputs
    every = [backend.zeros(tuple(x.shape), x, backend.dtype(x)) for x in inputs.leaves]
    return replace(inputs, leaves=every)


def _few(inputs: Inputs) -> Inputs:
    """At most two rows of the inputs."""
    x, context = inputs.first_rows([])
    return replace(inputs, leaves=x, n=min(2, inputs.n), companions=context.companions)


def _other_dtypes(forward: Forward, inputs: Inputs) -> Iterator[Cure]:
    """Inputs in another floating dtype, the model's first."""
    backend, few = forward.backend, _few(inputs)
    given = {backend.dtype(leaf) for leaf in inputs.leaves}
    known = [forward.scorer.bound.dtype, "float32", "float64", "float16", "bfloat16"]
    for dtype in dict.fromkeys(kind for kind in known if kind in FLOATS and {kind} != given):
        # JAX has no float64 unless it is told to.
        if backend.dtype(backend.to_native(np.zeros(1), few.leaves[0], dtype)) != dtype:
            continue
        yield (
            replace(few, leaves=[backend.cast(leaf, str(dtype)) for leaf in few.leaves]),
            InputTypeError,
            f"the model takes {dtype}. Cast the inputs to {dtype}, or pass NumPy arrays, which "
            f"are, or give the model weights of the inputs' dtype",
        )


def _whole_numbers(forward: Forward, inputs: Inputs) -> Iterator[Cure]:
    """Token ids that came as floats."""
    backend, few = forward.backend, _few(inputs)
    if not all(_is_whole(backend.to_numpy(leaf)) for leaf in few.leaves):
        return
    for dtype in ("int64", "int32"):
        if backend.dtype(backend.to_native(np.zeros(1, dtype), few.leaves[0])) == dtype:
            yield (
                replace(few, leaves=[backend.cast(leaf, dtype) for leaf in few.leaves]),
                InputTypeError,
                "the model takes whole numbers, such as token ids, which have no gradient. Pass "
                "them as integers, and name their embedding with input_layer",
            )


def _is_whole(array: Array) -> bool:
    return bool((array == np.round(array)).all())


def _as_one_sample(inputs: Inputs) -> Cure:
    names = ", ".join(f"{name}[None]" for name in inputs.layout.names)
    whole = replace(
        inputs,
        leaves=[leaf[None] for leaf in inputs.leaves],
        companions=[leaf[None] for leaf in inputs.companions],
        n=1,
    )
    shapes = " and ".join(str(tuple(leaf.shape)) for leaf in whole.leaves)
    return (
        whole,
        InputError,
        f"is the batch axis missing? The first axis counts samples, and the model takes the whole "
        f"as one sample, {shapes}: pass {names}; of a dataset, batches, as from dataset.batch(32) "
        f"or DataLoader(dataset, batch_size=32)",
    )


def _single_samples(forward: Forward, inputs: Inputs) -> Iterator[Cure]:
    whole, kind, said = _as_one_sample(inputs)
    if any(len(leaf.shape) == _TABLE for leaf in inputs.leaves):
        # A table with another axis before it passes through most layers; one sample has one score
        # per class, not one per row.
        found = _outputs(forward, whole) or []
        if not found or any(output.ndim > _TABLE for output in found):
            return
    yield whole, kind, said


def _parts(_forward: Forward, inputs: Inputs) -> Iterator[Cure]:
    """One part of the inputs alone: a list of batches or samples, or labels beside the inputs."""
    structure = inputs.layout.inputs
    if structure.kind is None:
        return
    listed = issubclass(structure.kind, list | tuple) and len(structure.children) > 1
    if listed and len({child.outline() for child in structure.children}) == 1:
        yield from _listed(inputs, structure)
    for slot, name in enumerate(structure.names[:_MOST_LEAVES]):
        if inputs.layout.slots[slot][0] == "x":
            alone = _only(inputs, (slot,), Structure(("inputs",)))
            yield (
                _few(alone),
                InputError,
                f"the model takes {name} alone: pass that as inputs, and labels as targets, "
                f"explain(x, y); of a dataset, (inputs, targets) pairs, as from "
                f"dataset.map(lambda row: (row['x'], row['y']))",
            )
            yield (
                _as_one_sample(alone)[0],
                InputError,
                f"the model takes {name} alone, as one sample of a batch (is the batch axis "
                f"missing?): stack samples, np.stack(rows), and pass labels as targets, "
                f"explain(x, y)",
            )


def _listed(inputs: Inputs, structure: Structure) -> Iterator[Cure]:
    first, count = structure.children[0], len(structure.children)
    size, flags = len(first.names), inputs.layout.attributed
    alike = {flags[start : start + size] for start in range(0, size * count, size)}
    if len(alike) > 1 or not any(flags):
        return
    only = _only(inputs, tuple(range(len(first.names))), first)
    kind = "list" if issubclass(structure.kind or list, list) else "tuple"
    yield (
        _few(only),
        InputError,
        f"a {kind} of {count} is {count} inputs of one model, and this one takes one of them as a "
        f"batch. For a list of batches pass iter(batches), or (inputs, targets) pairs",
    )
    stacked = "pass them as one array, np.stack(inputs)"
    if len({tuple(leaf.shape) for leaf in inputs.leaves}) > len(first.names):
        stacked = (
            "bring them to one size and stack them, or explain one by one: "
            "[method.explain(x[None]) for x in inputs]"
        )
    yield (
        _as_one_sample(only)[0],
        InputError,
        f"a {kind} of {count} is {count} inputs of one model, and this one takes one of them as a "
        f"sample. For a list of samples: {stacked}",
    )


def _only(inputs: Inputs, kept: tuple[int, ...], structure: Structure) -> Inputs:
    """Returns inputs that are some of the leaves of the others, with what comes beside them."""
    layout = inputs.layout
    slots: list[tuple[str, int]] = []
    leaves: list[Tensor] = []
    for slot in kept:
        kind, number = layout.slots[slot]
        slots.append((kind, len(leaves)) if kind == "x" else (kind, number))
        leaves += [inputs.leaves[number]] if kind == "x" else []
    alone = replace(
        layout,
        inputs=structure,
        slots=(*slots, *layout.slots[len(layout.inputs.names) :]),
        values=structure,
        attributed=tuple(layout.attributed[slot] for slot in kept),
    )
    return replace(inputs, leaves=leaves, layout=alone, n=int(leaves[0].shape[0]), guessed=())


def _one_example(_forward: Forward, inputs: Inputs) -> Iterator[Cure]:
    """The first sample without an axis of samples: N is 0."""
    if any(len(leaf.shape) < 2 for leaf in inputs.leaves):
        return
    leaves = [leaf[0] for leaf in inputs.leaves]
    shapes = " and ".join(str(tuple(leaf.shape)) for leaf in leaves)
    yield (
        replace(inputs, leaves=leaves, companions=[leaf[0] for leaf in inputs.companions], n=0),
        InputError,
        f"the model takes one example, {shapes}: pass a model of a batch, {MAPPED}",
    )


def _other_layouts(forward: Forward, inputs: Inputs) -> Iterator[Cure]:
    """Images with their channels on the other end."""
    few = _few(inputs)
    if any(len(leaf.shape) < 3 for leaf in few.leaves):
        return
    for name, source, end in (("last", 1, -1), ("first", -1, 1)):
        moved = _moved(forward, few, lambda array, s=source, e=end: np.moveaxis(array, s, e))
        shape = (inputs.n, *moved.leaves[0].shape[1:])
        yield (
            moved,
            InputError,
            f"the model takes channels {name}, {shape}: pass np.moveaxis(inputs, {source}, {end})",
        )


def _moved(forward: Forward, inputs: Inputs, move: Callable[..., Any]) -> Inputs:
    backend = forward.backend
    leaves = [
        backend.to_native(move(backend.to_numpy(leaf)), leaf, backend.dtype(leaf))
        for leaf in inputs.leaves
    ]
    return replace(inputs, leaves=leaves)


def _nodes(_forward: Forward, inputs: Inputs) -> Iterator[Cure]:
    """All rows at once: they belong together, as the nodes of a graph."""
    if inputs.n > 2:
        yield (
            inputs,
            InputError,
            f"the model runs on all {inputs.n} rows together, not on some of them. Are they the "
            f"nodes of one graph, or the points of one cloud? Then the graph is the sample: pass "
            f"inputs[None], (1, nodes, features), to a model that takes a batch of them, "
            f"{MAPPED}; what all share, such as an edge index, goes in forward_args with "
            f"batched=()",
        )
