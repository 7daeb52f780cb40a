"""The keyword arguments of a call."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from polyattr.errors import InputError, InputTypeError, nearest
from polyattr.question.arguments import Beside, read_beside
from polyattr.question.checks import check_flag
from polyattr.question.foreign_names import our_argument, our_place
from polyattr.results.names import Names, read_names


class CallOptions(TypedDict, total=False):
    """The keyword arguments of a call; see `Explainer.explain`."""

    baselines: Any
    forward_args: tuple[Any, ...] | list[Any]
    forward_kwargs: dict[str, Any] | None
    batched: Any
    progress: bool
    sample_ids: Any
    names: Any
    keep_inputs: bool


CALL_ARGUMENTS = ("inputs", "targets", *CallOptions.__annotations__)


@dataclass(frozen=True)
class Options:
    """The checked keyword arguments of a call; in a running one `sample_ids` are `RowIds`."""

    baselines: Any
    beside: Beside
    progress: bool
    sample_ids: Any = None
    names: Names | None = None
    keep_inputs: bool = False
    quiet: bool = False  # whether the caller tells of errors above the tolerance

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What may hold arrays."""
        return self.baselines, self.beside.args, self.beside.kwargs

    def kind(self, n: int, targets: Any, full: bool) -> Hashable | None:
        """Says what calls with `n` samples have in common that trace the same of the user's code.

        Callable targets and baselines may be others each time: such a call is of no kind.
        """
        if callable(targets) or callable(self.baselines):
            return None
        return n, full, type(targets), type(self.baselines)

    def check_values_alone(self) -> None:
        """Checks that nothing is asked for that values alone have no place for.

        Raises:
            InputError: Something is.
        """
        for name, given in (("names", self.names is not None), ("keep_inputs", self.keep_inputs)):
            if given:
                raise InputError(
                    f"{name} is given, but explain returns values alone, which keep nothing; "
                    f"expected it in method.attribute(inputs, targets, {name}=...)"
                )

    def for_dataset(self) -> Options:
        """Takes arguments as shared by all batches, whose sizes may differ, unless told."""
        if self.beside.batched is not None:
            return self
        return replace(self, beside=replace(self.beside, batched=frozenset()))


def read_options(
    name: str,
    uses_baselines: bool,
    options: CallOptions,
    made_with: Iterable[str] = (),
    own_draws: bool = False,
) -> Options:
    """Checks the keyword arguments of a call.

    Args:
        name: The method's, for messages.
        uses_baselines: Whether the method has a baseline.
        options: As the user passed them.
        made_with: Names of the constructor's arguments, which a call may be given by mistake.
        own_draws: Whether samples have draws of their own.

    Raises:
        InputTypeError: An argument that calls do not have, or of the wrong type.
        InputError: A baseline for a method without one, or ids of samples without draws.
    """
    known = list(CallOptions.__annotations__)
    for given in options:
        if given not in known:
            hint = our_argument(given, name)
            if given in made_with:
                hint = our_place(given, name, "constructor")
            hint = hint or nearest(given, known)
            raise InputTypeError(
                f"a call has no argument {given!r}.{hint} Its arguments: inputs, targets, "
                f"{', '.join(known)}"
            )
    _check_used(name, options, uses_baselines, own_draws)
    return _checked(options)


def _checked(options: CallOptions) -> Options:
    beside = read_beside(
        options.get("forward_args", ()), options.get("forward_kwargs"), options.get("batched")
    )
    return Options(
        options.get("baselines"),
        beside,
        check_flag("progress", options.get("progress", False)),
        options.get("sample_ids"),
        read_names(options.get("names")),
        check_flag("keep_inputs", options.get("keep_inputs", False)),
    )


def _check_used(name: str, options: CallOptions, uses_baselines: bool, own_draws: bool) -> None:
    """Checks that the method makes use of what it is given.

    Raises:
        InputError: A baseline for a method without one, or ids of samples without draws.
    """
    if options.get("baselines") is not None and not uses_baselines:
        raise InputError(
            f"baselines is given, but {name} has no baseline; leave it out or "
            f"use IntegratedGradients"
        )
    if options.get("sample_ids") is not None and not own_draws:
        raise InputError(
            f"sample_ids is given, but no draw of {name} belongs to a sample; leave it out or give "
            f"the constructor of a noisy method shared_draws=False"
        )


def values_alone(options: CallOptions) -> CallOptions:
    """Leaves out what only a result keeps."""
    rest = options.copy()
    rest.pop("names", None)
    rest.pop("keep_inputs", None)
    return rest
