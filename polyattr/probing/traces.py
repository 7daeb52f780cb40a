"""Calls inside a transformation of the framework: what they are given has no values yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from polyattr.backend import GradBackend, held_objects
from polyattr.errors import InputError, PolyattrError
from polyattr.question.structure import flatten


@contextmanager
def refusing_traces(
    backend: GradBackend, given: Iterable[Any], model: object, forget: Callable[[], object]
) -> Iterator[None]:
    """Says of a call that failed that it was part of a trace, if it was.

    Args:
        backend: The framework.
        given: What the call was given.
        model: The user's model, which may hold arrays that are being traced.
        forget: Drops what the call made and kept, which belongs to the trace.

    Raises:
        InputError: It was.
    """
    try:
        yield
    except Exception as error:
        looked_at = list(_looked_at(given, model))
        if isinstance(error, PolyattrError):
            # What a model holds may belong to a graph of its own, as a SavedModel's tensors do.
            looked_at = looked_at[:1]
        traced = next((name for name, held in looked_at if _any(held, backend)), "")
        if not traced and _surrounded(backend, given, model):
            traced = "everything"
        if not traced:
            raise
        forget()
        raise InputError(
            f"explain and attribute read values, but {traced} is being traced, as inside jax.jit, "
            f"grad, vmap and shard_map, torch.func or a tf.function; expected arrays. Use "
            f"phi = method.function(example, targets), a pure function of the inputs, and call "
            f"phi(inputs) there"
        ) from error


def _looked_at(given: Iterable[Any], model: object) -> Iterator[tuple[str, list[Any]]]:
    yield "what it was given", [leaf for part in given for leaf in flatten(part, "")[1]]
    yield "an array of the model", list(held_objects(model))


def _any(held: Iterable[Any], backend: GradBackend) -> bool:
    return any(backend.is_tensor(leaf) and not backend.readable(leaf) for leaf in held)


def _surrounded(backend: GradBackend, given: Iterable[Any], model: object) -> bool:
    """Says whether even a new array would be traced."""
    every = (leaf for _, held in _looked_at(given, model) for leaf in held)
    like = next(filter(backend.is_tensor, every), None)
    return like is not None and not backend.readable(backend.zeros((1,), like, "float32"))
