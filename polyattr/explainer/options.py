"""The keyword arguments of a call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from polyattr.errors import InputError, InputTypeError, nearest
from polyattr.question.arguments import Beside, read_beside
from polyattr.question.checks import check_flag
from polyattr.question.foreign_names import our_argument, our_place


class CallOptions(TypedDict, total=False):
    """The keyword arguments of a call; see `Explainer.explain`."""

    baselines: Any
    forward_args: tuple[Any, ...] | list[Any]
    forward_kwargs: dict[str, Any] | None
    batched: Any
    progress: bool


CALL_ARGUMENTS = ("inputs", "targets", *CallOptions.__annotations__)


@dataclass(frozen=True)
class Options:
    """The checked keyword arguments of a call."""

    baselines: Any
    beside: Beside
    progress: bool

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What may hold arrays."""
        return self.baselines, self.beside.args, self.beside.kwargs

    def for_dataset(self) -> Options:
        """Takes arguments as shared by all batches, whose sizes may differ, unless told."""
        if self.beside.batched is not None:
            return self
        return replace(self, beside=replace(self.beside, batched=frozenset()))


def read_options(
    name: str, uses_baselines: bool, options: CallOptions, made_with: Iterable[str] = ()
) -> Options:
    """Checks the keyword arguments of a call.

    Args:
        name: The method's, for messages.
        uses_baselines: Whether the method has a baseline.
        options: As the user passed them.
        made_with: Names of the constructor's arguments, which a call may be given by mistake.

    Raises:
        InputTypeError: An argument that calls do not have, or of the wrong type.
        InputError: A baseline for a method without one.
    """
    known = list(CallOptions.__annotations__)
    for given in options:
        if given not in known:
            hint = our_argument(given, name)
            if given in made_with:
                hint = our_place(given, name, "constructor")
            raise InputTypeError(
                f"a call has no argument {given!r}.{hint or nearest(given, known)} Its arguments: "
                f"inputs, targets, {', '.join(known)}"
            )
    if options.get("baselines") is not None and not uses_baselines:
        raise InputError(
            f"baselines is given, but {name} has no baseline; leave it out or "
            f"use IntegratedGradients"
        )
    beside = read_beside(
        options.get("forward_args", ()), options.get("forward_kwargs"), options.get("batched")
    )
    progress = check_flag("progress", options.get("progress", False))
    return Options(options.get("baselines"), beside, progress)
