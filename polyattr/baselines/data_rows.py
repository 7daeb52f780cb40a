"""Baselines that are samples of data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.baseline import Baseline
from polyattr.errors import InputError, InputTypeError
from polyattr.question.arrays import is_floating
from polyattr.question.checks import check_count
from polyattr.question.structure import flatten


@dataclass(frozen=True)
class DataRows(Baseline):
    """Rows of data, the same for all samples, whose attributions are averaged.

    `ExpectedGradients` costs a fraction of it where there are many rows.

    Attributes:
        data: (B, ...) like the inputs, in the same containers; NumPy or native.
        nb_draws: How many rows, drawn without repetition; None for all, in order.
        seed: Seed of the choice.

    Raises:
        InputTypeError: An argument of another type.
        InputError: A number below its least; or, when it is called, other containers or shapes
            than those of the inputs, or fewer rows than asked for.

    Example:
        >>> import numpy as np, polyattr, torch
        >>> rows = polyattr.baselines.DataRows(np.eye(3, dtype="float32"), nb_draws=2)
        >>> rows(torch.ones(4, 3)).shape
        torch.Size([1, 2, 3])
    """

    data: Any = field(repr=False)
    nb_draws: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.nb_draws is not None:
            check_count("nb_draws", self.nb_draws, 1)
        check_count("seed", self.seed, 0)
        for part in flatten(self.data, "data")[1]:
            if part is not None and not getattr(part, "shape", ()):
                raise InputTypeError(
                    f"data holds a {type(part).__name__}; expected arrays (B, ...) like the inputs"
                )

    def on(self, backend: GradBackend, inputs: Any) -> Any:
        """Chooses the same rows of all inputs.

        Raises:
            InputError: The data has other containers than the inputs, or fewer rows than asked for.
        """
        structure, leaves = flatten(inputs, "inputs")
        given, rows = flatten(self.data, "data")
        if given.outline() != structure.outline():
            raise InputError(
                f"data is {given.outline()}; expected {structure.outline()}, as the inputs are"
            )
        floating = [is_floating(leaf, backend) for leaf in leaves]
        sizes = {int(part.shape[0]) for part, has in zip(rows, floating, strict=True) if has}
        if len(sizes) != 1 or sizes == {0}:
            raise InputError(f"data has {sizes} rows; expected at least one, and as many of each")
        chosen = self._chosen(sizes.pop())
        made = [
            self._taken(backend, part, leaf, chosen) if has else None
            for part, leaf, has in zip(rows, leaves, floating, strict=True)
        ]
        return structure.build(made)

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The rows (1, K, ...), where the data is that of a single input."""
        return self._taken(backend, self.data, x, self._chosen(int(self.data.shape[0])))

    def _chosen(self, rows: int) -> np.ndarray:
        if self.nb_draws is None:
            return np.arange(rows, dtype=np.int32)
        if self.nb_draws > rows:
            raise InputError(
                f"nb_draws is {self.nb_draws}, and data has {rows} rows; expected at most as many"
            )
        generator = np.random.Generator(np.random.Philox(key=self.seed & 0xFFFFFFFFFFFFFFFF))
        return generator.permutation(rows)[: self.nb_draws].astype(np.int32)

    def _taken(self, backend: GradBackend, part: Any, x: Tensor, chosen: np.ndarray) -> Tensor:
        if tuple(part.shape[1:]) != tuple(x.shape[1:]):
            wanted = ", ".join(map(str, x.shape[1:]))
            raise InputError(
                f"data has shape {tuple(part.shape)}; expected rows like those of the inputs, "
                f"(B, {wanted})"
            )
        kind = backend.dtype(x)
        if backend.is_tensor(part):
            return backend.cast(backend.batch(part, backend.to_native(chosen, part))[None], kind)
        return backend.to_native(np.asarray(part)[chosen][None], x, kind)
