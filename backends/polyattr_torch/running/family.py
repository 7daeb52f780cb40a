"""All modules below some, and their parameters: found once, and looked at before each use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import is_
from typing import Any

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy

from polyattr.backend import InputError


class Family:
    """The modules at and below some roots.

    Args:
        roots: Modules.

    Attributes:
        roots: The same.
        modules: They, and all modules below them.
        parameters: Those of all of them.
        recurrent: The recurrent layers among the modules.
        own_mode: Whether one has a `train` or `eval` of its own.
    """

    def __init__(self, roots: Sequence[nn.Module]) -> None:
        self.roots = list(roots)
        self.modules = list({id(m): m for root in roots for m in root.modules()}.values())
        self.parameters = [p for m in self.modules for p in m.parameters(recurse=False)]
        self.recurrent = [m for m in self.modules if isinstance(m, nn.RNNBase)]
        self.own_mode = any(map(_has_own_mode, self.modules))
        _check_run_once(self.modules, self.parameters)
        self._tables: list[Any] = [
            table for m in self.modules for table in (m._modules, m._parameters)
        ]
        self._lengths = list(map(len, self._tables))
        self._held = list(chain.from_iterable(table.values() for table in self._tables))

    def holds(self, roots: Sequence[nn.Module]) -> bool:
        """Says whether the family of these `roots` is this one, and as it was."""
        if len(roots) != len(self.roots) or not all(map(is_, roots, self.roots)):
            return False
        now = chain.from_iterable([table.values() for table in self._tables])
        return list(map(len, self._tables)) == self._lengths and all(map(is_, now, self._held))


class Families:
    """Remembers the family that was asked for last."""

    def __init__(self) -> None:
        self._last: Family | None = None

    def of(self, roots: Sequence[nn.Module]) -> Family:
        """Returns the family of some modules.

        Raises:
            InputError: A layer was not run yet.
        """
        if self._last is None or not self._last.holds(roots):
            self._last = Family(roots)
        return self._last


def _has_own_mode(module: nn.Module) -> bool:
    kind = type(module)
    own = kind.train is not nn.Module.train or kind.eval is not nn.Module.eval
    return own and not isinstance(module, torch.jit.ScriptModule)


def _check_run_once(modules: Sequence[nn.Module], held: Sequence[nn.Parameter]) -> None:
    """Checks that no module waits for its first call to know its shapes.

    Raises:
        InputError: One does: the trial of two rows would be that call, and change the model.
    """
    lazy = [m for m in modules if isinstance(m, LazyModuleMixin)]
    if any(m.has_uninitialized_params() for m in lazy) or any(map(is_lazy, held)):
        named = ", ".join(sorted({type(m).__name__ for m in lazy})) or "parameters"
        raise InputError(
            f"the model has layers that were not run yet and do not know their shapes ({named}); "
            f"expected a model that was run once: model(inputs)"
        )
