"""Modules from torch.export, whose graph may take one number of rows only."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.fx import GraphModule, Node
from torch.utils._pytree import tree_flatten, tree_unflatten

from polyattr.backend import BoundModel, Layer
from polyattr_torch.bound_module import BoundModule
from polyattr_torch.running.trouble import called


def is_exported(module: object) -> bool:
    """A module that `ExportedProgram.module` returned."""
    return isinstance(module, GraphModule) and hasattr(module, "range_constraints")


class _Rows(NamedTuple):
    """How many rows an argument may have: `fewest` to `most`, or any number from `fewest`."""

    fewest: int
    most: int | None

    def fit(self, rows: int) -> bool:
        return self.fewest <= rows and (self.most is None or rows <= self.most)


class BoundExported(BoundModule):
    """An exported module; what its graph was fixed to, calls are fitted to."""

    kind = "module from torch.export"

    def __init__(self, module: Any) -> None:
        super().__init__(module)
        holders = [node for node in module.graph.nodes if node.op == "placeholder"]
        self._rows = [_allowed(node, module.range_constraints) for node in holders]
        self.input_shape = _shape(holders)
        # An argument all samples share may be fixed to a size of its own: most have rows.
        limits = Counter(rows.most for rows in self._rows if rows is not None)
        self.most_rows = limits.most_common(1)[0][0] if limits else None

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the module with as many rows as it takes, more than once for more than that."""
        args, kwargs = _as_exported(self._function, args, kwargs)
        leaves, structure = tree_flatten((list(args), dict(kwargs)))
        found = {misfit for misfit in map(_misfit, leaves, self._rows) if misfit is not None}
        if len(leaves) != len(self._rows) or len(found) != 1:
            return super().run(state, args, kwargs)  # fits, or torch says what does not
        n, rows = found.pop()
        size = max(rows.fewest, min(n, rows.most or n))
        parts = []
        for start in range(0, n, size):
            taken = [
                leaf if _misfit(leaf, own_rows) is None else _take(leaf, start, size)
                for leaf, own_rows in zip(leaves, self._rows, strict=True)
            ]
            args, kwargs = tree_unflatten(taken, structure)
            parts.append(called(self._function, args, kwargs, self.like))
        return _joined(parts, size, n)

    def layer(self, selector: Any, argument: str) -> Layer:
        """Refuses: a graph of operations is left of the layers."""
        return BoundModel.layer(self, selector, argument)


def _shape(holders: Sequence[Node]) -> tuple[int | None, ...] | None:
    """The shape of the only tensor among the arguments, with None for sizes that are open."""
    examples = [holder.meta.get("val") for holder in holders]
    shapes = [example.shape for example in examples if isinstance(example, torch.Tensor)]
    if len(shapes) != 1:
        return None
    return tuple(size if isinstance(size, int) else None for size in shapes[0])


def _allowed(holder: Node, ranges: Mapping[Any, Any]) -> _Rows | None:
    """Reads off the graph how many rows an argument may have; None for no tensor with rows."""
    example = holder.meta.get("val")
    if not isinstance(example, torch.Tensor) or example.ndim == 0:
        return None
    size = example.shape[0]
    if isinstance(size, int):
        return _Rows(size, size)
    bounds = ranges.get(size.node.expr)
    if bounds is None:
        return _Rows(0, None)
    return _Rows(int(bounds.lower), int(bounds.upper) if bounds.upper.is_Integer else None)


def _misfit(leaf: Any, rows: _Rows | None) -> tuple[int, _Rows] | None:
    if rows is None or not isinstance(leaf, torch.Tensor) or leaf.ndim == 0:
        return None
    n = int(leaf.shape[0])
    return None if rows.fit(n) else (n, rows)


def _take(leaf: torch.Tensor, start: int, size: int) -> torch.Tensor:
    """Takes rows from `start`; past the end the last one is repeated."""
    index = torch.arange(start, start + size, device=leaf.device)
    return leaf.index_select(0, index.clamp(max=leaf.shape[0] - 1))


def _joined(parts: list[Any], size: int, n: int) -> Any:
    """Joins outputs along their rows and cuts off the repeated ones."""
    flat = [tree_flatten(part) for part in parts]
    columns = zip(*(leaves for leaves, _ in flat), strict=True)
    joined = [
        torch.cat(column)[:n]
        if isinstance(column[0], torch.Tensor) and tuple(column[0].shape[:1]) == (size,)
        else column[0]
        for column in columns
    ]
    return tree_unflatten(joined, flat[0][1])


def _as_exported(
    module: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Passes by name what was exported by name, and nothing else: it takes no other call."""
    names = list(inspect.signature(module.forward).parameters)
    # The specification of its arguments has no public name.
    numbered = tree_unflatten(list(range(module._in_spec.num_leaves)), module._in_spec)
    given = dict(zip(names, args, strict=False)) | dict(kwargs)
    count = len(numbered[0])
    if set(given) != set(names) or len(names) != count + len(numbered[1]):
        return args, kwargs
    return [given[name] for name in names[:count]], {name: given[name] for name in names[count:]}
