"""Losses as scores: what raises them, and what lowers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from polyattr.backend import Tensor
from polyattr.errors import InputTypeError
from polyattr.scores.loss_order import targets_first


@dataclass(frozen=True)
class _Loss:
    """An operator; compares by its function, and can be pickled where that can."""

    function: Callable[[Tensor, Tensor], Tensor]
    targets_first: bool = False
    takes_one_output: ClassVar[bool] = True

    def __call__(self, model: Callable[[Any], Tensor], inputs: Any, targets: Tensor) -> Tensor:
        """Evaluates the loss of every row.

        Raises:
            InputTypeError: No targets.
        """
        if targets is None:
            raise InputTypeError("targets is None; a loss compares outputs with targets (N, ...)")
        outputs = model(inputs)
        if self.targets_first:
            return self.function(targets, outputs)
        return self.function(outputs, targets)


def loss(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """Makes an operator of a loss: attributions then say what raises it (and what lowers it).

    Args:
        function: ``function(outputs, targets)`` in the native framework, from outputs (R, ...) and
            targets (R, ...) to one loss per row (R,): a reduction over rows must be switched off,
            as in ``torch.nn.CrossEntropyLoss(reduction="none")``. Losses of Keras and `tf.nn`,
            and yours if it names its arguments so, take (y_true, y_pred), and get that.

    Returns:
        A value for the `operator` argument; calls then need targets (N, ...).

    Raises:
        InputTypeError: Not callable, or its arguments' names say that both are outputs, or both
            targets.

    Example:
        >>> import polyattr, torch
        >>> squared = polyattr.loss(lambda outputs, targets: ((outputs - targets) ** 2).sum(-1))
        >>> method = polyattr.Saliency(torch.nn.Identity(), operator=squared)
        >>> method(torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 3.0]]))
        tensor([[2., 0.]])
    """
    if not callable(function):
        raise InputTypeError(
            f"function is {function!r}; expected a callable on (outputs, targets) that returns one "
            f"loss per row"
        )
    return _Loss(function, targets_first(function))
