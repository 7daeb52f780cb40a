"""What a user's editor and notebook offer behind the bracket, found with jedi.

An editor reads the source alone; IPython, which asks jedi too, has the objects as well.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import jedi
import pytest
from labs import EVERY_METHOD

import polyattr

CALLS = ("explain", "attribute", "explain_batches", "attribute_batches", "warm", "function")
METHODS = [*EVERY_METHOD, polyattr.AttributionPatching]


def offered(code: str, objects: Mapping[str, Any] | None = None) -> set[str]:
    """The arguments by name that are offered at the end of a line of code."""
    script = jedi.Script(code) if objects is None else jedi.Interpreter(code, [dict(objects)])
    return {found.name[:-1] for found in script.complete() if found.name.endswith("=")}


def arguments(thing: Any) -> set[str]:
    return set(inspect.signature(thing).parameters)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_every_argument_of_a_method(method: Any) -> None:
    code = f"polyattr.{method.__name__}(some_model, "
    wanted = arguments(method) - {"model"}
    assert offered(f"import polyattr\nsome_model = 1\n{code}") - {"model"} == wanted
    assert offered(code, {"polyattr": polyattr, "some_model": abs}) - {"model"} == wanted


@pytest.mark.parametrize("name", ["__call__", *CALLS])
def test_every_argument_of_a_call(name: str) -> None:
    call = "method(x, " if name == "__call__" else f"method.{name}(x, "
    wanted = arguments(getattr(polyattr.Explainer, name)) - {"self", "inputs", "dataset", "example"}
    assert {"baselines", "progress"} < wanted
    made = "import polyattr\nx = 1.0\nmethod = polyattr.SmoothGrad(abs)\n"
    assert offered(made + call) == wanted
    assert offered(call, {"method": polyattr.SmoothGrad(abs), "x": 1.0}) == wanted


def test_the_calls_themselves() -> None:
    script = jedi.Script("import polyattr\npolyattr.IDGI(abs).")
    assert {*CALLS, "citation"} <= {found.name for found in script.complete()}
    (found,) = jedi.Script("import polyattr\npolyattr.SmoothGrad(abs).attribute(1.0)").infer(2, 30)
    assert found.name == "attribute"
