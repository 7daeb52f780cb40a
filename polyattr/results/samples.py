"""An attribution as a container of samples: length, order, and some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from polyattr.errors import InputError, InputTypeError, nearest
from polyattr.question.checks import check_count, check_flag
from polyattr.results.fields import PER_SAMPLE
from polyattr.results.names import Names
from polyattr.results.parts import naming
from polyattr.results.parts.cutting import cut, picked, positions
from polyattr.results.record import Array, Record

LARGEST_FIRST = ("error", "bound", "evaluations")
"""The fields whose large values are looked at first."""


@dataclass(frozen=True, repr=False)
class Samples(Record):
    """What an `Attribution` does as a container of its samples."""

    def __len__(self) -> int:
        """The number of samples, N, whatever the number of targets."""
        return int(self.scores.shape[-1])

    def __iter__(self) -> Iterator[Self]:
        """Each sample as an attribution of N = 1."""
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Self:
        """Some of the samples as an attribution of their own, whatever the number of targets.

        Args:
            index: A whole number, which gives an attribution of N = 1; a slice; whole numbers (M,);
                or a mask (N,) of truth values, as in ``result[~result.converged]``.

        Raises:
            InputTypeError: It is something else.
            InputError: There is no such sample, or a mask has another length.
        """
        if self._native is not None and self._native.is_tensor(index):
            index = self._native.to_numpy(index)
        return self._at(positions(index, len(self)))

    def _at(self, where: Array) -> Self:
        axis = self.scores.ndim - 1
        changed: dict[str, Any] = {
            name: array.take(where, axis)
            for name in PER_SAMPLE
            if isinstance(array := getattr(self, name), np.ndarray)
        }
        changed |= {
            "values": cut(self.values, where, axis, self._native),
            "standard_error": cut(self.standard_error, where, axis, self._native),
            "inputs": cut(self.inputs, where, 0, self._native),
            "names": None if self.names is None else naming.take(self.names, where.tolist()),
        }
        return replace(self, **changed)._with_used_methods()

    def _with_used_methods(self) -> Self:
        """Leaves out settings that no sample has any more."""
        used = np.unique(self.settings)
        if not used.size or len(used) == len(self.methods):
            return self
        kept = tuple(self.methods[i] for i in used)
        settings = np.searchsorted(used, self.settings)
        return replace(self, methods=kept, method=kept[0], settings=settings)

    def worst(self, count: int = 8) -> Self:
        """Returns the samples with the largest `error`, the worst first.

        Samples whose error is NaN, since nothing is known of it, come before all others. Of several
        targets the one with the largest error counts.

        Args:
            count: How many; all where there are fewer.

        Raises:
            InputTypeError: `count` is no whole number.
            InputError: It is below 1.

        Example:
            >>> import polyattr, torch
            >>> method = polyattr.IntegratedGradients(lambda x: x.exp().sum(1), steps=10)
            >>> result = method.attribute(torch.tensor([[0.0], [1.0], [2.0]]))
            >>> result.worst(2).scores.round(1)
            array([7.4, 2.7])
        """
        count = check_count("count", count, 1)
        return self._at(self._order(self.error, largest_first=True)[:count])

    def sort(self, by: str = "error", *, reverse: bool | None = None) -> Self:
        """Returns all samples in another order; equal ones stay in theirs.

        Args:
            by: Name of a field with one number per sample: "error", "scores", "completeness_gap",
                "evaluations", "targets" and the like. Of several targets the largest number counts.
            reverse: True puts the largest first, False the smallest. None puts the largest first
                for "error", "bound" and "evaluations", the smallest for all others. NaN counts as
                larger than any number.

        Raises:
            InputError: There is no such field here, or it is not one number per sample.
            InputTypeError: `reverse` is neither True, False nor None.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> result = polyattr.Saliency(lambda x: x.sum(1)).attribute(jnp.ones((3, 2)))
            >>> len(result.sort("scores"))
            3
        """
        array = getattr(self, by) if by in PER_SAMPLE else None
        if not isinstance(array, np.ndarray) or array.shape != self.scores.shape:
            here = [n for n in PER_SAMPLE if np.shape(getattr(self, n)) == self.scores.shape]
            raise InputError(
                f"a result cannot be sorted by {by!r}; expected a field with one number per "
                f"sample: {', '.join(here)}.{nearest(by, here)}"
            )
        if reverse is None:
            reverse = by in LARGEST_FIRST
        return self._at(self._order(array, largest_first=check_flag("reverse", reverse)))

    def _order(self, array: Array, *, largest_first: bool) -> Array:
        """The positions of all samples, by a field; NaN counts as largest."""
        known = np.atleast_2d(array.astype(np.float64))
        unknown = np.isnan(known).any(axis=0)
        key = np.where(np.isnan(known), np.inf, known).max(axis=0)
        order = np.lexsort((-key, ~unknown)) if largest_first else np.lexsort((key, unknown))
        return np.asarray(order)

    def target(self, target: int | str) -> Self:
        """Returns what is known of one of several targets: (N,) where it was (T, N).

        Args:
            target: Its position among those that ``polyattr.each`` named, or the name of its class.

        Raises:
            InputError: There is one target only, or there is no such target.
            InputTypeError: `target` is neither a whole number nor a name.

        Example:
            >>> import polyattr, tensorflow as tf
            >>> method = polyattr.GradientInput(lambda x: x * [[1.0, 2.0, 3.0]])
            >>> result = method.attribute(tf.ones((2, 3)), polyattr.each([0, 2]))
            >>> result.named(classes=["a", "b", "c"]).target("c").scores
            array([3., 3.])
        """
        if self.scores.ndim == 1:
            raise InputError(
                f"this result has one target for each sample, so there is no target {target!r} to "
                f"choose; polyattr.each([...]) asks for several"
            )
        t = self._place(target)
        changed: dict[str, Any] = {
            name: array[t]
            for name in PER_SAMPLE
            if isinstance(array := getattr(self, name), np.ndarray)
        }
        changed |= {n: picked(getattr(self, n), t) for n in ("values", "standard_error")}
        return replace(self, **changed)._with_used_methods()

    def _place(self, target: Any) -> int:
        if isinstance(target, str):
            return self._place_of_class(target)
        count = int(self.scores.shape[0])
        place = check_count("target", target, -count)
        if place >= count:
            raise InputError(f"target is {place}, but there are {count}; expected 0 to {count - 1}")
        return place % count

    def _place_of_class(self, name: str) -> int:
        classes = {} if self.names is None else self.names.classes or {}
        known = [index for index, word in classes.items() if word == name]
        if not known:
            raise InputError(
                f"no class is named {name!r}.{nearest(name, classes.values())} Names of classes "
                f"are given as in result.named(classes=[...])"
            )
        asked = self.targets
        if isinstance(asked, np.ndarray) and asked.shape == self.scores.shape:
            for t, indices in enumerate(asked):
                if np.isin(indices, known).all():
                    return t
        raise InputError(f"class {name!r} is none of the targets: {asked!r}")

    def named(
        self,
        names: Names | None = None,
        *,
        features: Iterable[object] | None = None,
        channels: Iterable[object] | None = None,
        classes: Mapping[int, object] | Iterable[object] | None = None,
        tokens: Iterable[Iterable[object]] | None = None,
        rows: Iterable[object] | None = None,
    ) -> Self:
        """Returns the same attribution with names, which those it has already give way to.

        Args:
            names: All of them; optional.
            features: These and the following are those of `Names`: of the features of a table;
            channels: of the channels of images or series;
            classes: of classes by their index;
            tokens: the words of each sample;
            rows: labels of the samples.

        Raises:
            InputError: More or fewer names than there are.
            InputTypeError: `names` are no `Names`, or one text stands for a sequence of them.

        Example:
            >>> import polyattr, torch
            >>> result = polyattr.Saliency(lambda x: x.sum(1)).attribute(torch.ones(1, 2))
            >>> result.named(features=["age", "income"]).names.features
            ('age', 'income')
        """
        if not isinstance(names, Names | None):
            raise InputTypeError(f"names is {names!r}; expected polyattr.Names(...)")
        given = Names(
            features=features, channels=channels, classes=classes, tokens=tokens, rows=rows
        )
        return replace(self, names=naming.over(naming.over(given, names), self.names))
