"""Datasets as inputs: any iterable of batches, seen as (inputs, targets) pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from polyattr.errors import InputError


@dataclass(frozen=True)
class Labels:
    """What a dataset brought beside its inputs, as opposed to targets the user named.

    Attributes:
        value: The second part of the batch; None without one.
    """

    value: Any


def named_by(targets: Any) -> Any:
    """Returns what names an output: targets as the user passed them, or a dataset's labels."""
    return targets.value if isinstance(targets, Labels) else targets


def is_dataset(value: Any) -> bool:
    """Tells an iterable of batches from inputs: arrays, and containers of arrays, are inputs.

    A list is a dataset if its elements are (inputs, targets) tuples.
    """
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, tuple) and len(item) == 2 for item in value)
    # Asked of the class first: a nested tensor of PyTorch raises when asked itself.
    shaped = hasattr(type(value), "shape") or hasattr(value, "shape")
    if shaped or hasattr(value, "to_numpy") or isinstance(value, tuple | Mapping | str | bytes):
        return False
    return isinstance(value, Iterable)


def length(dataset: Iterable[Any]) -> int | None:
    """Counts the batches of a dataset that says how many there are; None for others."""
    try:
        return len(dataset)  # type: ignore[arg-type]  # where there is one
    except Exception:  # whatever a dataset of unknown or no end raises
        return None


def check_targets(targets: Any) -> None:
    """Checks targets given for a whole dataset.

    Raises:
        InputError: Arrays, which cannot be matched to batches.
    """
    if len(getattr(targets, "shape", ())) > 0 or isinstance(targets, list):
        raise InputError(
            "targets is an array, but the inputs are a dataset; expected targets from the dataset "
            "as (inputs, targets) batches, or an int or callable that holds for all of it"
        )


def batches(dataset: Iterable[Any], targets: Any) -> Iterator[tuple[Any, Any]]:
    """Yields (inputs, targets) of every batch.

    A batch is (inputs, targets), a single-element sequence (inputs,), or inputs alone. `targets`
    given by the user hold for every batch and replace those of the dataset.
    """
    for batch in dataset:
        inputs, its_own = split_batch(batch)
        yield inputs, Labels(its_own) if targets is None else targets


def split_batch(batch: Any) -> tuple[Any, Any]:
    """Splits one batch into inputs and targets (None without)."""
    if isinstance(batch, tuple | list) and len(batch) == 2:
        return batch[0], batch[1]
    if isinstance(batch, tuple | list) and len(batch) == 1:
        return batch[0], None
    if isinstance(batch, tuple | list):
        raise InputError(
            f"a batch of the dataset has {len(batch)} parts; expected inputs or (inputs, targets), "
            f"where several inputs are a tuple, list or dict of their own"
        )
    return batch, None
