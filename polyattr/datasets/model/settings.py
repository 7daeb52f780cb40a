"""The settings of a worker: whose each of them is, checked before there is a model."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from polyattr import methods
from polyattr.backend import get_backend
from polyattr.backend.registry import backends
from polyattr.datasets.batches.reading import Columns
from polyattr.datasets.model.factories import said
from polyattr.datasets.model.fingerprint import fingerprint
from polyattr.errors import InputError, InputTypeError, brief, nearest
from polyattr.explainer import Explainer

OF_BATCHES = ("inputs", "ids", "dtype", "prepare")
_FIXED = ("inputs", "progress", "sample_ids", "names", "keep_inputs")
"""Arguments of `attribute` that a worker gives itself."""


@dataclass(frozen=True)
class Settings:
    """What a worker is asked to do.

    Attributes:
        factory: What makes the model; None where a finished method is given.
        kind: The method's class; None where the factory makes a method.
        own: Arguments of its constructor.
        call: Arguments of `attribute`.
        columns: Which columns of a batch are what.
        prepare: A function on the inputs, or None.
    """

    factory: Any
    kind: Any = None
    own: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    prepare: Any = None

    def without_model(self) -> Settings:
        """The same for another process, which gets the model beside it."""
        return replace(self, factory=None, own={})

    def known_by(self) -> dict[str, Any]:
        """What answers depend on beside the method."""
        asked = {name: brief(value) for name, value in sorted(self.call.items())}
        return {
            "call": asked,
            "call_arguments": fingerprint(dict(self.call)),
            "columns": {name: value for name, value in vars(self.columns).items() if value},
            "prepare": None
            if self.prepare is None
            else f"{said(self.prepare)} {fingerprint(self.prepare)}",
        }

    def text(self, method: Any) -> str:
        """Says it in a line."""
        if self.kind is None:
            return said(self.factory) if method is None else repr(method)
        return f"{said(self.factory)}, {_without_model(self.kind, self.own)!r}"


def read_settings(factory: Any, method: Any, settings: dict[str, Any]) -> Settings:
    """Checks settings, without making a model.

    Raises:
        InputTypeError: A name that neither method, call nor batches have, or a wrong type.
        InputError: A value out of range.
    """
    kind = None if method is None else _kind(method)
    columns, prepare, rest = _of_batches(settings)
    signature = inspect.signature(Explainer.attribute).parameters
    asked = {n: v for n, v in rest.items() if n in signature and n not in _FIXED}
    if kind is None:
        own = {n: v for n, v in rest.items() if n not in asked}
        if own:
            name = min(own)
            raise InputTypeError(
                f"worker has no argument {name!r} where the factory makes the method."
                f"{nearest(name, signature)} Name the method, or set it in the factory"
            )
        return Settings(factory, None, {}, asked, columns, prepare)
    own = {n: v for n, v in rest.items() if n not in asked}
    own.setdefault("on_nonfinite", "mark")
    check_call(_without_model(kind, own), asked)
    return Settings(factory, kind, own, asked, columns, prepare)


def _without_model(kind: Any, own: Mapping[str, Any]) -> Any:
    """The method, to check its settings: a backend would bind its model at once."""
    name = own.get("backend")
    if isinstance(name, str) and name not in backends():
        get_backend(name)  # says what there is
    return kind(None, **{n: v for n, v in own.items() if n != "backend"})


def read_settings_of_rows(given: dict[str, Any]) -> tuple[Columns, Any, dict[str, Any]]:
    """Splits what is given for a finished method into columns, `prepare` and the call's arguments.

    Raises:
        InputTypeError: A name that no call has.
    """
    columns, prepare, call = _of_batches(given)
    known = inspect.signature(Explainer.attribute).parameters
    for name in call:
        if name not in known or name in _FIXED:
            raise InputTypeError(
                f"explain_dataset has no argument {name!r}.{nearest(name, known)} What the method "
                f"is made with is said in its constructor"
            )
    return columns, prepare, call


def check_call(method: Any, call: Mapping[str, Any]) -> None:
    """Checks the arguments of calls, with no batch to answer.

    Raises:
        PolyattrError: As `Explainer.attribute_batches` at once.
    """
    method.attribute_batches(iter(()), **call)


def _kind(method: Any) -> Any:
    kind = method
    if isinstance(method, str):
        known = methods.__all__
        if method not in known:
            raise InputError(
                f"method is {method!r}.{nearest(method, known)} Expected a class, or one of "
                f"{', '.join(known)}"
            )
        kind = getattr(methods, method)
    if not _is_method(kind):
        raise InputTypeError(
            f"method is {brief(method)}; expected a class such as polyattr.IntegratedGradients, or "
            f"its name"
        )
    return kind


def _is_method(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Explainer) and not inspect.isabstract(kind)


def _of_batches(settings: dict[str, Any]) -> tuple[Columns, Any, dict[str, Any]]:
    rest = {name: value for name, value in settings.items() if name not in OF_BATCHES}
    inputs, ids = settings.get("inputs"), settings.get("ids")
    targets = rest.pop("targets") if isinstance(rest.get("targets"), str) else None
    if isinstance(inputs, list | tuple) and inputs and all(isinstance(n, str) for n in inputs):
        inputs = tuple(inputs)
    elif inputs is not None and not isinstance(inputs, str):
        raise InputTypeError(
            f"inputs is {brief(inputs)}; expected the name of a column, or names of several"
        )
    if ids is not None and not isinstance(ids, str):
        raise InputTypeError(f"ids is {brief(ids)}; expected the name of a column")
    prepare = settings.get("prepare")
    if prepare is not None and not callable(prepare):
        raise InputTypeError(f"prepare is {brief(prepare)}; expected a function on the inputs")
    columns = Columns(inputs, targets, ids, _dtype(settings.get("dtype")))
    if rest.get("targets", 0) is None:
        del rest["targets"]
    return columns, prepare, rest


def _dtype(dtype: Any) -> str | None:
    if dtype is None:
        return None
    name = getattr(dtype, "__name__", str(dtype))
    if name not in ("float16", "float32", "float64"):
        raise InputError(f"dtype is {brief(dtype)}; expected 'float16', 'float32' or 'float64'")
    return str(name)
