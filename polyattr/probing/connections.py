"""The check that the score depends on what is attributed to."""

from __future__ import annotations

from dataclasses import replace

from polyattr.engine.forward import Forward
from polyattr.errors import ModelOutputError, UnusedInputWarning, warn
from polyattr.question.inputs import Inputs
from polyattr.scores.targets import Targets


def find_connections(forward: Forward, inputs: Inputs, targets: Targets) -> list[bool]:
    """Says for each input whether the score depends on it, from at most two samples."""
    scorer, rule = forward.scorer, targets.rule
    x, context = inputs.first_rows(targets.columns)
    state, layout, added = scorer.bound.state(), inputs.layout, inputs.layout.added
    if added is not None:
        layout = replace(layout, added=replace(added, multiplied=False))
    found = forward.backend.connected(
        lambda rows: scorer.score(layout, rule, state, rows, context), x
    )
    return found if added is None else found[: len(x) - added.count]


def check_connections(connected: list[bool], inputs: Inputs, several_layers: bool) -> None:
    """Checks that the score depends on the inputs.

    Args:
        connected: For each input whether it does.
        inputs: Their names.
        several_layers: Whether they are the activations of several layers.

    Raises:
        ModelOutputError: It depends on none of them.

    Warns:
        UnusedInputWarning: It depends on some only.
    """
    names = inputs.layout.names[: len(connected)]
    unused = [name for name, used in zip(names, connected, strict=True) if not used]
    if not any(connected):
        raise ModelOutputError(
            f"the score does not depend on {' or '.join(unused)}: there is no gradient to "
            f"attribute. Is the path cut by detach, stop_gradient, a NumPy call, a cast to "
            f"integers, quantised layers or no_grad? In PyTorch, by a gradient the model takes "
            f"itself without create_graph=True?"
        )
    if unused:
        behind = "; a layer behind another one cuts it off: explain them one at a time"
        warn(
            f"the score does not depend on {', '.join(unused)}: zero attribution"
            f"{behind if several_layers else ''}",
            UnusedInputWarning,
        )
