"""The weights of modules, layer by layer, and others in their place for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn


def weights_of(modules: Sequence[nn.Module]) -> dict[str, list[nn.Parameter]]:
    """Returns the floating parameters each module has itself, by its dotted name.

    Args:
        modules: Where to look; names of several begin with the number of the module.
    """
    found: dict[str, list[nn.Parameter]] = {}
    for number, root in enumerate(modules):
        for name, module in root.named_modules():
            own = [p for p in module.parameters(recurse=False) if p.is_floating_point()]
            path = [str(number)] * (len(modules) > 1) + [name] * bool(name)
            if own:
                found[".".join(path) or type(root).__name__] = own
    return found


@contextmanager
def replaced(
    known: Mapping[str, Sequence[nn.Parameter]], given: Mapping[str, Sequence[torch.Tensor]]
) -> Iterator[None]:
    """Gives layers other weights while the block runs.

    Parameters point elsewhere meanwhile: their own memory is not written to.

    Args:
        known: What `weights_of` returned.
        given: What takes the place of some of it.
    """
    pairs = [
        pair for name, values in given.items() for pair in zip(known[name], values, strict=True)
    ]
    before = [(parameter, parameter.data) for parameter, _ in pairs]
    try:
        for parameter, value in pairs:
            parameter.data = value
        yield
    finally:
        for parameter, data in reversed(before):
            parameter.data = data
