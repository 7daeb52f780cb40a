"""The keyword arguments of a call."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from polyattr.errors import InputError
from polyattr.question.arguments import Beside, read_beside
from polyattr.question.checks import check_flag
from polyattr.results.names import Names, read_names

CALL_ARGUMENTS = (
    *("inputs", "targets", "baselines", "forward_args", "forward_kwargs", "batched"),
    *("progress", "sample_ids", "names", "keep_inputs"),
)


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
    until: float | None = None  # when it has to be done, by `time.perf_counter`

    @property
    def plain(self) -> bool:
        """Whether nothing is asked for beside inputs and targets."""
        beside = self.beside
        return self.baselines is None and not (self.progress or beside.args or beside.kwargs)

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

    def for_dataset(self) -> Options:
        """Takes arguments as shared by all batches, whose sizes may differ, unless told."""
        if self.beside.batched is not None:
            return self
        return replace(self, beside=replace(self.beside, batched=frozenset()))


NO_OPTIONS = Options(None, Beside(), False)
"""Those of a call that gives none."""

_DEFAULTS: dict[str, Any] = {
    "baselines": None,
    "forward_args": (),
    "forward_kwargs": None,
    "batched": None,
    "progress": False,
    "sample_ids": None,
    "names": None,
    "keep_inputs": False,
}


def read_options(
    name: str,
    uses_baselines: Callable[[], bool],
    own_draws: Callable[[], bool],
    **given: Any,
) -> Options:
    """Checks the keyword arguments of a call.

    Args:
        name: The method's, for messages.
        uses_baselines: Tells whether the method has a baseline.
        own_draws: Tells whether samples have draws of their own.
        **given: As the user passed them.

    Raises:
        InputTypeError: An argument of the wrong type.
        InputError: A baseline for a method without one, or ids of samples without draws.
    """
    if all(given[argument] is value for argument, value in _DEFAULTS.items()):
        return NO_OPTIONS
    baselines, sample_ids = given["baselines"], given["sample_ids"]
    if baselines is not None and not uses_baselines():
        raise InputError(
            f"baselines is given, but {name} has no baseline; leave it out or "
            f"use IntegratedGradients"
        )
    if sample_ids is not None and not own_draws():
        raise InputError(
            f"sample_ids is given, but no draw of {name} belongs to a sample; leave it out or give "
            f"the constructor of a noisy method shared_draws=False"
        )
    beside = read_beside(given["forward_args"], given["forward_kwargs"], given["batched"])
    return Options(
        baselines,
        beside,
        check_flag("progress", given["progress"]),
        sample_ids,
        read_names(given["names"]),
        check_flag("keep_inputs", given["keep_inputs"]),
    )
