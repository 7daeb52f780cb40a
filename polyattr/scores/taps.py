"""The layers a call goes through: one to score, and those to attribute to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from polyattr.backend import BoundModel, GradBackend, Layer, Tap, Tensor
from polyattr.dtypes import FLOATS
from polyattr.errors import InputError, LayerNotFoundError, UnrecognisedModelError
from polyattr.question.layout import Layout
from polyattr.question.models import mistaken
from polyattr.question.structure import Structure, flatten

_Part = tuple[tuple[bool, ...], list[Tensor]]
"""Which leaves of an activation are meant, and a tensor (R, ...) for each of those."""
_Put = Callable[[tuple[bool, ...], Any, list[Tensor]], Any]


@dataclass(frozen=True)
class InputLayer:
    """A layer that is attributed to.

    Attributes:
        name: The key of its attributions.
        layer: Where it is.
        at_input: Attribute to what the layer takes instead of what it returns.
        call: At which of its calls, counted from 0; None where it is called once.
        argument: Which argument of the user's names it, for messages.
    """

    name: str
    layer: Layer
    at_input: bool
    call: int | None = None
    argument: str = "input_layer"

    def check(self, calls: list[Any]) -> None:
        """Checks that there is one activation (R, ...) among those of all calls.

        Raises:
            LayerNotFoundError: The layer was not called.
            InputError: It was called several times, or not as often as was said.
        """
        if not calls:
            raise LayerNotFoundError(
                f"{self.argument} {self.name!r} belongs to the model but was not called in "
                f"inference mode"
            )
        if self.call is None and len(calls) > 1:
            raise InputError(
                f"{self.argument} {self.name!r} is called {len(calls)} times in one evaluation of "
                f"the model, so it has no one activation to attribute to; expected a layer "
                f"that is called once, or which call: {self.argument}=({self.name!r}, 0) is the "
                f"first"
            )
        _check_call(self.argument, self.layer, self.call, calls)


@dataclass(frozen=True)
class Taps:
    """Runs a bound model with the taps one explainer needs.

    Attributes:
        bound: The model.
        is_floating: Tells tensors with a gradient from everything else.
        score_layer: The layer to score; None for the model's output.
        score_call: Which of its calls counts; None for the last.
        inputs: The layers to attribute to; empty for the model's inputs.
        several: Whether activations are a dict of layers rather than those of one.
        added: The layers that are read, and differentiated where they are, without being replaced.
    """

    bound: BoundModel
    is_floating: Callable[[Any], bool]
    score_layer: Layer | None = None
    score_call: int | None = None
    inputs: tuple[InputLayer, ...] = ()
    several: bool = False
    added: tuple[InputLayer, ...] = ()

    def run(
        self,
        state: Any,
        args: Any,
        kwargs: Any,
        layout: Layout,
        x: list[Tensor],
        read: list[Tensor] | None = None,
    ) -> Any:
        """Returns what is scored; `x` enters at the layers that are attributed to.

        Where tensors are added at layers, the activations go to `read`.
        """
        if self.score_layer is None and not self.inputs and layout.added is None:
            return self.bound.run(state, args, kwargs)
        own, moves, _ = (x, [], []) if layout.added is None else layout.added.split(x)
        taps = self._taps(self.inputs, self._split(layout, own), _put)
        if layout.added is not None:
            parts = _parts(layout.added.values, layout.added.attributed, moves)
            taps += self._taps(self.added, parts, _add)
        if self.score_layer is not None:
            taps.append(Tap(self.score_layer))
        outputs, seen = self.bound.run_tapped(state, args, kwargs, taps)
        self._check(seen)
        if layout.added is not None and read is not None:
            read += self._read(seen[len(self.inputs) :], layout.added.attributed)
        if self.score_layer is None:
            return outputs
        if not seen[-1]:
            raise LayerNotFoundError(
                "output_layer belongs to the model but was not called in inference mode"
            )
        _check_call("output_layer", self.score_layer, self.score_call, seen[-1])
        return seen[-1][-1 if self.score_call is None else self.score_call]

    def activations(self, state: Any, args: Any, kwargs: Any) -> Any:
        """Returns the activations of the layers that are attributed to."""
        taps = [Tap(entry.layer, entry.at_input) for entry in self.inputs]
        _, seen = self.bound.run_tapped(state, args, kwargs, taps)
        self._check(seen)
        pairs = zip(self.inputs, seen, strict=True)
        found = {entry.name: calls[entry.call or 0] for entry, calls in pairs}
        return found if self.several else next(iter(found.values()))

    def _taps(self, entries: Sequence[InputLayer], parts: Sequence[_Part], put: _Put) -> list[Tap]:
        return [
            Tap(entry.layer, entry.at_input, partial(put, attributed), values, entry.call)
            for entry, (attributed, values) in zip(entries, parts, strict=True)
        ]

    def _read(self, seen: list[list[Any]], attributed: tuple[bool, ...]) -> list[Tensor]:
        """Returns the activations (R, ...) of the layers at which tensors are added."""
        leaves: list[Any] = []
        for entry, calls in zip(self.added, seen, strict=False):
            entry.check(calls)
            leaves += flatten(calls[entry.call or 0], "activation")[1]
        return [leaf for leaf, has in zip(leaves, attributed, strict=True) if has]

    def _check(self, seen: list[list[Any]]) -> None:
        for entry, calls in zip(self.inputs, seen, strict=False):
            entry.check(calls)

    def _split(self, layout: Layout, x: list[Tensor]) -> list[_Part]:
        """Splits the differentiated tensors between the layers, with what they replace there."""
        if not self.inputs:
            return []
        if not self.several:
            return [(layout.attributed, x)]
        return _parts(layout.values, layout.attributed, x)


def _parts(values: Structure, attributed: tuple[bool, ...], x: list[Tensor]) -> list[_Part]:
    """Splits tensors between the children of containers, with which leaves these are."""
    parts, leaf, start = [], 0, 0
    for child in values.children:
        here = attributed[leaf : leaf + len(child.names)]
        parts.append((here, x[start : start + sum(here)]))
        leaf, start = leaf + len(child.names), start + sum(here)
    return parts


def _add(attributed: tuple[bool, ...], activation: Any, values: list[Tensor]) -> Any:
    """Adds values to the attributed tensors of an activation."""
    leaves = flatten(activation, "activation")[1]
    there = [leaf for leaf, has in zip(leaves, attributed, strict=True) if has]
    return _put(attributed, activation, [a + b for a, b in zip(there, values, strict=True)])


def _put(attributed: tuple[bool, ...], activation: Any, values: list[Tensor]) -> Any:
    """Puts values in place of the attributed tensors of an activation."""
    structure, leaves = flatten(activation, "activation")
    queue = iter(values)
    built = structure.build(
        [next(queue) if has else leaf for leaf, has in zip(leaves, attributed, strict=True)]
    )
    if isinstance(activation, Mapping) and type(activation) is not dict:
        kind: Any = type(activation)
        return kind(**built)
    return built


def bind_taps(backend: GradBackend, model: Any, scored: Any, selector: Any, at_input: bool) -> Taps:
    """Binds a model and finds the layers its explainer names.

    Args:
        backend: The framework.
        model: The user's model.
        scored: `output_layer` of the explainer.
        selector: `input_layer` of the explainer.
        at_input: Its `attribute_to_layer_input`.

    Raises:
        UnrecognisedModelError: The framework cannot call the model.
        LayerNotFoundError: No such layer, or the model has none to name.
        InputError: No layer, or the same one twice.
    """
    try:
        bound = backend.bind(model)
    except UnrecognisedModelError as error:
        raise UnrecognisedModelError(f"{error}. {mistaken(model)}".removesuffix(". ")) from None

    def is_floating(leaf: Any) -> bool:
        return backend.is_tensor(leaf) and backend.dtype(leaf) in FLOATS

    several = isinstance(selector, list | tuple) and not _is_call(selector)
    entries = list(selector) if several else [selector]
    if several and not entries:
        raise InputError("input_layer is an empty list; expected at least one layer, or None")
    inputs = tuple(
        _input_layer(bound, entry, at_input) for entry in entries if selector is not None
    )
    if len({entry.name for entry in inputs}) < len(inputs):
        raise InputError(f"input_layer is {selector!r}; expected each layer once")
    if at_input and not inputs:
        raise InputError("attribute_to_layer_input is True, but no input_layer is named")
    scored, call = _split_call(scored, "output_layer")
    score_layer = None if scored is None else bound.layer(scored, "output_layer")
    return Taps(bound, is_floating, score_layer, call, inputs, several)


def find_layers(
    bound: BoundModel, selectors: Sequence[Any], argument: str
) -> tuple[InputLayer, ...]:
    """Finds the layers an `argument` names, for what they return.

    Raises:
        LayerNotFoundError: No such layer, or the model has none to name.
        InputError: The same one twice.
    """
    found = tuple(_input_layer(bound, entry, False, argument) for entry in selectors)
    if len({entry.name for entry in found}) < len(found):
        raise InputError(f"{argument} is {list(selectors)!r}; expected each layer once")
    return found


def _input_layer(
    bound: BoundModel, selector: Any, at_input: bool, argument: str = "input_layer"
) -> InputLayer:
    selector, call = _split_call(selector, argument)
    layer = bound.layer(selector, argument)
    name = selector if isinstance(selector, str) else layer.name
    return InputLayer(name if call is None else f"{name}[{call}]", layer, at_input, call, argument)


def _is_call(selector: Any) -> bool:
    """Says whether a selector is a layer and the number of one of its calls, not two layers."""
    if not isinstance(selector, tuple) or len(selector) != 2 or isinstance(selector[0], int):
        return False
    return isinstance(selector[1], int) and not isinstance(selector[1], bool)


def _split_call(selector: Any, argument: str) -> tuple[Any, int | None]:
    if not _is_call(selector):
        return selector, None
    layer, call = selector
    if call < 0:
        raise InputError(
            f"{argument} is {selector!r}; expected the number of a call of at least 0, counted "
            f"from the first"
        )
    return layer, call


def _check_call(argument: str, layer: Layer, call: int | None, calls: list[Any]) -> None:
    if call is not None and call >= len(calls):
        times = "once" if len(calls) == 1 else f"{len(calls)} times"
        raise InputError(
            f"{argument} is call {call} of {layer.name!r}, which is called {times} in one "
            f"evaluation of the model; expected at most {len(calls) - 1}, counted from 0"
        )
