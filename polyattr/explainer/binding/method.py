"""The arguments of an explainer, as a call needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from polyattr.backend import (
    GradBackend,
)
from polyattr.engine.blocks import Recipes
from polyattr.scores.scorer import Operator


@dataclass(frozen=True)
class Method:
    """What a call needs to know of an explainer; it holds no explainer, which so can be freed."""

    name: str
    text: str
    recipes: Recipes
    model: Any
    backend: str | GradBackend | None
    output_layer: Any
    input_layer: Any
    at_layer_input: bool
    batch_size: int | str | None
    operator: Operator | str | None
    output: Any
    baseline_value: Any
    background: Any
    tolerance: float | None
    domain: Any
    tangent: Any
    layers: tuple[Any, ...] = ()
    mark: bool = False
    signed: bool = True
    budget_ms: float | None = None
    told: set[str] = field(default_factory=set, compare=False)
    """What its user was told once, however often the model is bound anew."""

    @property
    def is_plain(self) -> bool:
        """Whether calls of the same shapes and targets have all in common but their samples.

        Their paths start nowhere, or where a number says.
        """
        origin, value = self.recipes[-1].origin, self.baseline_value
        start = origin is None or (origin == "baseline" and type(value) in {int, float})
        return start and self.tells_of_inputs and not self.layers

    @property
    def tells_of_inputs(self) -> bool:
        """Whether what a run tells in one piece says that the inputs are finite.

        That is so where paths end at the inputs themselves, not in layers or in other domains, and
        no row is chosen by what others told: numbers that are not finite would lead astray.
        """
        at_inputs = self.input_layer is self.domain is self.tangent is None
        return at_inputs and all(r.one_round and not r.sequential for r in self.recipes)
