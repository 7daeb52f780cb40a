"""A method as a pure function of the inputs: no session, no checks of values, nothing detached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyattr.backend import GradBackend
from polyattr.engine.blocks import Asked, Engine
from polyattr.engine.question import Question
from polyattr.errors import InputError
from polyattr.explainer.binding import Bound, Method
from polyattr.explainer.call import Calls
from polyattr.explainer.options import Options
from polyattr.question.inputs import Inputs, read_inputs
from polyattr.sampling.drawing.row_ids import RowIds
from polyattr.scores.each import Each
from polyattr.scores.targets import Targets


def differentiable(
    calls: Calls, example: Any, targets: Any, options: Options
) -> Callable[[Any], Any]:
    """Builds the function of `Explainer.function`; see there.

    Raises:
        InputError: The method has several rounds, attributes to a layer, or no class is named.
    """
    method, bound = calls.method, calls.bound(example)
    _check_method(bound, targets)
    read = _read(bound, example, options)
    model = bound.engine.scorer.bound
    model.beside = bound.called(targets)
    with calls.reading(example, targets, options):
        inputs, goals = _tried(bound, read, targets)
    references = None
    if not _made_of_inputs(method, options):
        references = bound.references(options.baselines, inputs, inputs, traced=True)
    asked = Asked(None if method.batch_size == "auto" else bound.batch_size(inputs))
    engine = Engine(bound.engine.scorer, bound.engine.kernels, graph=True)

    def function(given: Any) -> Any:
        here = _read(bound, given, options).sharing(set(read.guessed) - set(inputs.guessed))
        _check_alike(here, inputs, bound.backend)
        # What a baseline is made of are the inputs of this call.
        start = references or bound.references(options.baselines, here, here, traced=True)
        model.beside = bound.called(targets)
        with model.evaluation():
            at = bound.spaces.moved(bound.backend, here)
            origin = bound.spaces.references(bound.backend, start, at)
            question = Question(at, goals, origin, ids=RowIds(options.sample_ids).of(here.n))
            return bound.result(here, engine.values(bound.recipes(start), question, asked))

    return bound.backend.untransformed(function)


def _tried(bound: Bound, read: Inputs, targets: Any) -> tuple[Inputs, Targets]:
    """Tries the model, which must neither train it nor draw from the user's random state."""
    with (
        bound.chance.kept(read.leaves, full=True),
        bound.backend.session(read.leaves[0]),
        bound.engine.scorer.bound.evaluation(),
    ):
        inputs = bound.settled(read)
        return inputs, bound.fixed_targets(inputs, targets)


def _made_of_inputs(method: Method, options: Options) -> bool:
    """Says whether where paths start is made of the inputs of each call."""
    given = method.baseline_value if options.baselines is None else options.baselines
    return callable(given) or method.recipes[-1].origin == "input"


def _check_method(bound: Bound, targets: Any) -> None:
    """Checks that the method can be a function of the inputs.

    Raises:
        InputError: It has several rounds, attributes to a layer, or is asked several targets.
    """
    if isinstance(targets, Each):
        raise InputError(
            f"targets is {targets!r}; a pure function has one target for each sample: expected one "
            f"function for each of them"
        )
    method = bound.method
    if not all(recipe.one_round for recipe in method.recipes):
        raise InputError(
            f"{method.text} chooses its points from what earlier ones told, which no pure function "
            f"of the inputs can; expected a method whose points are fixed, as by a number of steps"
        )
    if bound.engine.scorer.taps.inputs:
        raise InputError(
            f"{method.text} attributes to a layer; expected one that attributes to the inputs: "
            f"pass the part of the model behind the layer as a model of its own"
        )


def _read(bound: Bound, inputs: Any, options: Options) -> Inputs:
    """Reads inputs without looking at their values, which a traced call does not have."""
    model = bound.engine.scorer.bound
    return read_inputs(inputs, options.beside, bound.backend, model, traced=True)


def _check_alike(given: Inputs, example: Inputs, backend: GradBackend) -> None:
    """Checks that inputs are like those the function was made for.

    Raises:
        InputError: They are not.
    """
    kinds = [
        [(tuple(leaf.shape), backend.dtype(leaf)) for leaf in inputs.leaves]
        for inputs in (given, example)
    ]
    if given.layout != example.layout or kinds[0] != kinds[1]:
        raise InputError(
            f"the function was made for {_listed(example, backend.dtype)}, and was given "
            f"{_listed(given, backend.dtype)}; "
            f"expected the same containers, shapes and dtypes"
        )


def _listed(inputs: Inputs, kind: Callable[[Any], str]) -> str:
    pairs = zip(inputs.layout.names, inputs.leaves, strict=True)
    return ", ".join(f"{name} of shape {tuple(leaf.shape)}, {kind(leaf)}" for name, leaf in pairs)
