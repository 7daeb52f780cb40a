"""What every baseline of this room is: a value that makes tensors of tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from polyattr.backend import GradBackend, Tensor, detect
from polyattr.errors import InputTypeError
from polyattr.question.arrays import is_floating
from polyattr.question.structure import flatten


@dataclass(frozen=True)
class Baseline(ABC):
    """A callable on the inputs, for `baseline_value` of a method or `baselines` of a call.

    A subclass says what becomes of one input, with the verbs of the backend and operators; the
    result is on the device of the inputs, in their dtype.

    Example:
        >>> import polyattr, torch
        >>> class Halves(polyattr.baselines.Baseline):
        ...     def of(self, backend, x, number):
        ...         return x * 0.5
        >>> method = polyattr.IntegratedGradients(lambda x: x.sum(1), baseline_value=Halves())
        >>> method.explain(torch.tensor([[2.0, 4.0]])).round(decimals=3)
        tensor([[1., 2.]])
    """

    @abstractmethod
    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """Returns the baseline of one input.

        Args:
            backend: Supplies the verbs.
            x: The samples (N, ...).
            number: Which of the inputs it is, counted from 0.

        Returns:
            (1, ...) for all samples, (N, ...) for each; (1, K, ...) or (N, K, ...) for K of them.
        """

    def on(self, backend: GradBackend, inputs: Any) -> Any:
        """Returns the baseline in the containers of the `inputs`, None where nothing is floating.

        `backend` supplies the verbs.

        Raises:
            InputTypeError: Nothing is.
        """
        structure, leaves = flatten(inputs, "inputs")
        made = []
        for number, leaf in enumerate(leaves):
            made.append(self.of(backend, leaf, number) if is_floating(leaf, backend) else None)
        if all(leaf is None for leaf in made):
            raise InputTypeError(
                f"{self!r} is made of floating inputs, and there are none; expected another one: "
                f"a number, an array, or padding for token ids"
            )
        return structure.build(made)

    def __call__(self, inputs: Any) -> Any:
        """Returns the baseline of `inputs`, native tensors (N, ...) in any containers.

        Raises:
            InputTypeError: No tensor of a framework is among them.
            MissingFrameworkError: A backend that might know them cannot be loaded.
        """
        backend = detect(None, flatten(inputs, "inputs")[1])
        if backend is None:
            raise InputTypeError(
                f"{type(self).__name__} is given no tensor of a framework; expected native tensors "
                f"(N, ...): methods hand over theirs, also where they are given NumPy arrays"
            )
        return self.on(backend, inputs)
