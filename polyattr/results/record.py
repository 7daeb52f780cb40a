"""What an attribution holds, and how it comes to the host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from polyattr.errors import InputError
from polyattr.question.foreign.names import missing_member
from polyattr.question.structure import flatten, map_leaves
from polyattr.results.names import Names
from polyattr.results.parts import naming

if TYPE_CHECKING:
    from polyattr.backend import GradBackend

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, repr=False)
class Record:
    """The fields of an `Attribution`, which says what they mean."""

    values: Any
    scores: Array
    baseline_scores: Array | None
    completeness_gap: Array | None
    error: Array
    converged: Array
    evaluations: Array
    targets: Array | str | None
    method: str
    seed: int | None
    backend: str
    standard_error: Any = None
    bound: Array | None = None
    names: Names | None = None
    inputs: Any = None
    signed: bool | None = None
    methods: tuple[str, ...] = ()
    settings: Array = None  # type: ignore[assignment]  # None is all by `method`
    _native: GradBackend | None = None

    def __post_init__(self) -> None:
        if self.settings is None:
            object.__setattr__(self, "methods", (self.method,))
            object.__setattr__(self, "settings", np.zeros(self.scores.shape, np.int64))
        if self.names is not None:
            shapes = [tuple(leaf.shape)[self.scores.ndim :] for leaf in self._leaves()]
            naming.check(self.names, shapes, self.scores.shape[-1])

    if not TYPE_CHECKING:  # a type checker would take any name for known

        def __getattr__(self, name: str) -> Any:
            """Says what another library's name is called here."""
            raise AttributeError(missing_member(self, name), name=name, obj=self)

    def _leaves(self) -> list[Any]:
        """The tensors of `values`, without what was not attributed to."""
        return [leaf for leaf in flatten(self.values, "values")[1] if leaf is not None]

    def _dtypes(self) -> set[str]:
        """Names the dtypes of the `values`."""
        native = self._native
        leaves = self._leaves()
        return {leaf.dtype.name if native is None else native.dtype(leaf) for leaf in leaves}

    @property
    def base_values(self) -> Array | None:
        """What the attributions are measured from, (N,), as SHAP calls it: `baseline_scores`."""
        return self.baseline_scores

    def to_numpy(self) -> Self:
        """Returns the same attribution with NumPy arrays for tensors, their shapes unchanged.

        NumPy functions take an attribution of a single input as it is.

        Example:
            >>> import numpy as np, polyattr, torch
            >>> result = polyattr.Saliency(lambda x: x).attribute(torch.ones(1, 2))
            >>> type(result.to_numpy().values), np.sum(result).item()
            (<class 'numpy.ndarray'>, 1.0)
        """
        if self._native is None:
            return self
        native = self._native

        def host(tensors: Any) -> Any:
            return map_leaves(lambda t: native.to_numpy(t) if native.is_tensor(t) else t, tensors)

        return replace(
            self,
            values=host(self.values),
            standard_error=host(self.standard_error),
            inputs=host(self.inputs),
            _native=None,
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The values of a single input as one array."""
        values = self.to_numpy().values
        if not isinstance(values, np.ndarray):
            raise InputError(
                f"this attribution holds {flatten(values, 'values')[0].outline()}; use "
                f"attribution.to_numpy().values and choose one input"
            )
        if copy is None:  # a value that NumPy 1 does not know
            return np.asarray(values, dtype=dtype)
        return np.array(values, dtype=dtype, copy=copy)
