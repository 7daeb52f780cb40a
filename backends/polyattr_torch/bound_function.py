"""A function of tensors, which may refer to modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

from polyattr.backend import BoundModel, held_objects
from polyattr_torch.running.evaluation import evaluated, modules_of
from polyattr_torch.running.family import Families, Family
from polyattr_torch.running.needs import needs_of
from polyattr_torch.running.trouble import called
from polyattr_torch.running.weights import replaced, weights_of


class BoundFunction(BoundModel):
    """A function; modules it refers to are evaluated in inference mode."""

    def __init__(self, function: Any) -> None:
        super().__init__(function, entry=function)
        self._needs, self._families = needs_of(modules_of(function)), Families()
        tensors = [t for t in held_objects(function) if isinstance(t, torch.Tensor)]
        floats = [t for t in tensors if t.is_floating_point()]
        if floats:
            self.like, self.dtype = floats[0], str(floats[0].dtype).removeprefix("torch.")

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function."""
        return called(self._function, args, kwargs, self.like)

    def weights(self) -> Mapping[str, Sequence[torch.Tensor]]:
        """The parameters of each module it refers to."""
        return weights_of(modules_of(self._function))

    @contextmanager
    def with_weights(self, given: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
        """Has parameters point elsewhere while the block runs."""
        with replaced(weights_of(modules_of(self._function)), given):
            yield self._function

    def inference(self) -> AbstractContextManager[None]:
        """Does for the modules the function refers to what is done for a module."""
        return evaluated(self._family(), self._needs)

    def evaluation(self) -> AbstractContextManager[None]:
        """The same in the user's own training step."""
        return evaluated(self._family(), self._needs, training_step=True)

    def _family(self) -> Family:
        return self._families.of(modules_of(self._function, *self.beside))
