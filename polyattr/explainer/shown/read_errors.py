"""Around a call: what the user's own code raises comes with our reading of it in front."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from types import TracebackType
from typing import Any

from polyattr.backend import GradBackend, detect
from polyattr.errors import PolyattrError
from polyattr.explainer.binding.method import Method
from polyattr.explainer.options import Options
from polyattr.probing.failures.preceded import preceded
from polyattr.probing.failures.reading import Given, reading
from polyattr.question.structure import flatten
from polyattr.sampling.drawing.draws import Draws
from polyattr.scores.each import listed


class ReadErrors:
    """Surrounds a call.

    Args:
        method: The method's arguments.
        inputs: What the call was given.
        targets: Likewise.
        options: Likewise.
        known: Returns the framework in use, as far as it is known.
    """

    def __init__(
        self,
        method: Method,
        inputs: Any,
        targets: Any,
        options: Options,
        known: Callable[[], GradBackend | None],
    ) -> None:
        self._given = method, inputs, targets, options
        self._known = known

    def __enter__(self) -> None:
        """Does nothing: a call that succeeds pays nothing."""

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        """Reads an error of the user's own code.

        Raises:
            Exception: The same, of the same type, with our reading in front of its words.
        """
        if not isinstance(error, Exception) or isinstance(error, PolyattrError | Warning):
            return
        backend = self._known()
        if backend is None or backend.is_out_of_memory(error):
            return
        method, inputs, targets, options = self._given
        owner, named = detect(method.model), dict(_named(method, targets, options))
        line = reading(error, method.model, named, _arrays(inputs, options))
        if owner is not None and owner.name != backend.name:
            line = (
                f"the model is one of {owner.name}, and backend={backend.name!r} called it: leave "
                f"backend out, or pass a model of {backend.name}; what it said:"
            )
        read = preceded(error, line) if line else error
        if read is error:
            return
        try:
            raise read from read.__cause__
        finally:
            del read, error  # or a circle through the traceback kept the tensors of the call


def _named(method: Method, targets: Any, options: Options) -> Iterator[tuple[str, object]]:
    """What is called of the user's, beside the model, by the argument it was given as."""
    for recipe in method.recipes:
        own = {id(getattr(recipe, entry.name)): entry.name for entry in fields(recipe)}
        for part in recipe.called:
            yield own.get(id(part), "path"), part
        if recipe.noise is not None:
            yield "distribution", Draws(*recipe.noise).distribution
    yield "baseline_value", method.baseline_value
    yield "baselines", options.baselines
    yield "output", method.output
    for target in listed(targets):
        yield "targets", target
    yield "operator", method.operator


def _arrays(inputs: Any, options: Options) -> Iterator[Given]:
    beside = {"inputs": inputs, "forward_args": options.beside.args}
    beside["forward_kwargs"] = dict(options.beside.kwargs)
    for name, value in beside.items():
        structure, leaves = flatten(value, name)
        for where, leaf in zip(structure.names, leaves, strict=True):
            shape = getattr(leaf, "shape", None)
            if shape is not None:
                dtype = str(getattr(leaf, "dtype", "")).removeprefix("torch.")
                yield Given(where, tuple(shape), dtype.removeprefix("<dtype: '").rstrip("'>"))
