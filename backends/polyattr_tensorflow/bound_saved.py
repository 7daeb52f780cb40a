"""SavedModels and signatures: functions that take exact dtypes, containers and sometimes rows."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from polyattr.backend import BoundModel, InputError, UnrecognisedModelError, Watched, held_objects
from polyattr_keras import input_entry
from polyattr_tensorflow.bound_keras import GRAPH_FUNCTION
from polyattr_tensorflow.traces import Trace, listed
from polyattr_tensorflow.variables import first_float

_SIGNATURE = tf.types.experimental.ConcreteFunction
_TRACKABLE = tf.__internal__.tracking.AutoTrackable


def is_saved(candidate: object) -> bool:
    """What `tf.saved_model.load` returns, a callable part of it, a signature."""
    if isinstance(candidate, _SIGNATURE) or _traced(candidate):
        return True
    loaded = isinstance(candidate, _TRACKABLE) and not isinstance(candidate, tf.Module)
    return loaded and (hasattr(candidate, "signatures") or _traced(_call(candidate)))


def bind_saved(model: Any) -> BoundModel:
    """Binds a SavedModel's call, else its `serve`, else its serving signature.

    Raises:
        UnrecognisedModelError: It has none of them.
    """
    if isinstance(model, _SIGNATURE):
        return _from_traces(model, [model], "signature (ConcreteFunction)")
    candidates: list[Any] = [model, _call(model), getattr(model, "serve", None)]
    for function in candidates:
        if _traced(function):
            return _from_traces(function, function.concrete_functions, "SavedModel")
    signatures = getattr(model, "signatures", {})
    names = sorted(signatures)
    if "serving_default" in names or len(names) == 1:
        served = signatures["serving_default" if "serving_default" in names else names[0]]
        return _from_traces(served, [served], "SavedModel")
    raise UnrecognisedModelError(f"this SavedModel has {_cure(model, names)}")


def input_signature(model: Any) -> Any:
    """Returns the function of a model whose `input_signature` fixes what it takes, or None."""
    for function in (model, _call(model)):
        if isinstance(function, GRAPH_FUNCTION) and function.input_signature is not None:
            return function
    return None


def bind_signed(model: Any, function: Any) -> BoundModel:
    """Binds a tf.function, or a tf.Module with one, by its `input_signature`."""
    signature = _signature(function)
    trace = Trace(signature.bind_partial(*function.input_signature).arguments)
    like = first_float([*getattr(model, "variables", ()), *held_objects(function)])
    return BoundTraces(function, signature, [trace], "tf.function", like)


def _from_traces(function: Any, concrete: Sequence[Any], kind: str) -> BoundModel:
    signature = _signature(function)
    traces = [Trace.of(each.structured_input_signature, signature) for each in concrete]
    if isinstance(function, _SIGNATURE):
        # A value it was traced with is no argument any more.
        kept = [p for name, p in signature.parameters.items() if traces[0].takes(name)]
        signature = signature.replace(parameters=kept)
    # Keras saves both modes; what is left is the only thing there is.
    traces = [t for t in traces if t.specs.get("training") is not True] or traces
    like = first_float(variable for each in concrete for variable in each.variables)
    return BoundTraces(function, signature, traces, kind, like)


class BoundTraces(BoundModel):
    """A function that was traced already, for certain dtypes and containers.

    Args:
        function: A loaded function, a signature, a tf.function with an `input_signature`.
        signature: Its parameters.
        traces: What it can be called with.
        kind: What messages call it.
        like: One of its variables, or None.
    """

    def __init__(
        self,
        function: Any,
        signature: inspect.Signature,
        traces: Sequence[Trace],
        kind: str,
        like: Any,
    ) -> None:
        super().__init__(function, entry=input_entry(signature))
        self._signature, self._traces, self.kind, self.like = signature, traces, kind, like
        self.dtype = next((t.dtype for t in traces if t.dtype is not None), None)
        rows = [trace.rows for trace in traces if trace.rows is not None]
        self.input_shape = traces[0].input_shape
        self.most_rows = max(rows) if len(rows) == len(traces) else None

    def watched(self) -> Watched:
        """Nothing: it was traced before, and its variables are read by reference."""
        return Watched(())

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls it in inference mode; a signature's only output is taken out of its dict."""
        trace, arguments = self._fitted(args, kwargs)
        outputs = trace.call(self._once, arguments)
        by_name = isinstance(self._function, _SIGNATURE) and isinstance(outputs, Mapping)
        return next(iter(outputs.values())) if by_name and len(outputs) == 1 else outputs

    def _once(self, arguments: dict[str, Any]) -> Any:
        if isinstance(self._function, _SIGNATURE):
            return self._function(**arguments)
        bound = self._signature.bind_partial()
        bound.arguments.update(arguments)
        return self._function(*bound.args, **bound.kwargs)

    def _fitted(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Trace, dict[str, Any]]:
        """Finds the trace that takes the arguments as they are, else one that takes them cast."""
        given = self._named(args, kwargs)
        for exact in (True, False):
            for trace in self._traces:
                fitted = trace.fit(given, exact)
                if fitted is not None:
                    return trace, fitted
        raise InputError(f"{self._takes()}; given was {listed(given)}")

    def _named(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        parameters = self._signature.parameters
        mode = {"training": False} if "training" in parameters else {}
        free = [name for name in parameters if name not in kwargs]
        if len(free) == 1 and len(args) == 1:  # a signature takes even its only input by name
            args, kwargs = [], {free[0]: args[0], **kwargs}
        try:
            return dict(self._signature.bind(*args, **kwargs, **mode).arguments)
        except TypeError as error:
            by_name = any(p.kind is p.KEYWORD_ONLY for p in parameters.values())
            cure = "; pass inputs as a dict with these names" if by_name else ""
            raise InputError(f"{self._takes()}, but {error}{cure}") from None

    def _takes(self) -> str:
        options = " or ".join(dict.fromkeys(map(str, self._traces)))
        return f"the {self.kind} takes {options}"


def _call(candidate: object) -> Any:
    return getattr(candidate, "__call__", None)  # noqa: B004  # the attribute itself is wanted


def _traced(candidate: object) -> bool:
    """Says whether this is a loaded function that was traced before it was saved."""
    return bool(getattr(candidate, "concrete_functions", None))


def _signature(function: Any) -> inspect.Signature:
    """Returns the parameters without type constraints, and without unknown defaults."""
    parameters = [
        inspect.Parameter(p.name, p.kind, default=p.empty if p.default is p.empty else None)
        for p in function.function_type.parameters.values()
    ]
    return inspect.Signature(parameters)


def _cure(model: Any, names: list[str]) -> str:
    if names:
        return (
            f"the signatures {', '.join(map(repr, names))} and no serving_default; pass one of "
            f"them, such as loaded.signatures[{names[0]!r}]"
        )
    functions = [name for name, value in vars(model).items() if _traced(value)]
    if functions:
        return (
            f"no call and no signature, but the functions {', '.join(functions)}; pass one of "
            f"them, such as loaded.{functions[0]}"
        )
    return (
        "no signature and nothing to call; save the model with a tf.function that has an "
        "input_signature, tf.saved_model.save(module, path, signatures=function)"
    )
