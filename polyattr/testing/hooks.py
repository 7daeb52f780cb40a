"""What a subclass of the suite supplies."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor

Array = np.ndarray[Any, Any]


class Hooks:
    """The hooks of the suite; only `backend` has to be given.

    Attributes:
        backend: The backend under test.
        lacks: What the framework cannot do, with the reason, such as
            ``{"bfloat16": "NumPy has no such type"}``: a floating or integer dtype by name,
            "native noise", or "connected". Checks of it are skipped and show the reason.
    """

    backend: ClassVar[GradBackend]
    lacks: ClassVar[Mapping[str, str]] = {}

    def model(self, function: Callable[..., Tensor]) -> Any:
        """Makes a model the backend binds out of a `function` of native tensors (N, ...)."""
        return function

    def like(self) -> Tensor | None:
        """Makes a tensor (...) on the device to test; None, the default, lets the framework choose.

        All inputs of the checks then go where it is. What `layered` makes has to be there too.
        """
        return None

    def compiled(self, function: Callable[..., Tensor]) -> Any:
        """Compiles a `function` of tensors (N, ...) as a user would; None where nothing can."""
        return None

    def double(self) -> AbstractContextManager[Any]:
        """Lets 64-bit numbers exist, where that is not the default."""
        return nullcontext()

    def settings(self) -> Any:
        """Reads the framework's process-wide settings and random state, to be compared."""
        return None

    def parameter(self, array: Array) -> Any:
        """Makes a weight of an `array` (...) that training would leave a `.grad` on.

        None, the default, where the framework leaves gradients on no tensor.
        """
        return None

    def layered(self) -> tuple[Any, Any, Callable[[Array, Array], None]] | None:
        """Makes a model of the framework's own kind whose layers the backend can find.

        Returns:
            The model: a linear layer (N, 4) -> (N, 6), ReLU, a linear layer -> (N, 3), without
            biases; what names its first layer; and a function that puts weights (4, 6) and
            (6, 3), NumPy in float32, into that model. None, the default, without such models.
        """
        return None

    def dropout(self) -> Callable[[Tensor], Tensor] | None:
        """Makes a model of the framework's own kind that depends on its mode.

        Returns:
            The model in training mode: it drops about half of its inputs (N, F) -> (N, F), and in
            inference mode hands them on. None, the default, without such models.
        """
        return None

    def peak(self, work: Callable[[], None]) -> int:
        """Does the `work` and returns the most memory it held, in bytes.

        What Python and NumPy allocate, by default: a framework that queues what it has to compute
        where Python does not see it has a measure of its own.
        """
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
