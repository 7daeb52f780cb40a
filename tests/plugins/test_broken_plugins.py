"""One plugin that is broken breaks no call that does not name it, and says whose it is."""

import importlib.metadata

import numpy as np
import pytest

import polyattr

MODEL = """
import sys
import warnings

import numpy as np
import polyattr

# Of each plugin: what is told about it, and the error of a call that names it.
CAUSES = {
    "toyold": ("'polyattr_toy:old_backend' speaks version 0", polyattr.InputTypeError),
    "toybad": ("'polyattr_toy:ToyBackend' is ABCMeta", polyattr.InputTypeError),
    "toytext": ("interface is '1', a str; expected the int 1", polyattr.InputTypeError),
    "toynameless": ("the `name` of NamelessBackend is ''", polyattr.InputTypeError),
    "toyabsent": ("'polyattr_absent:backend'", polyattr.MissingFrameworkError),
    "toystops": ("RuntimeError: the abacus is broken", polyattr.MissingFrameworkError),
    "toynothing": ("has no attribute 'no_backend'", polyattr.MissingFrameworkError),
    "toyagain": ("that is known as backend 'toy'", polyattr.InputTypeError),
}


def owner(problem):
    return "polyattr-toy's entry point 'polyattr_" in problem


def told(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    assert all(warning.category is polyattr.PolyattrWarning for warning in caught)
    assert all(warning.filename == "<string>" for warning in caught)
    return result, [str(warning.message) for warning in caught]
"""

FRAMEWORKS = """
import toy, toyold, toybad, toytext, toynameless, toyabsent, toystops, toynothing, toyagain
"""


def test_calls_that_name_no_backend_go_on(run_beside):
    run_beside(
        MODEL
        + FRAMEWORKS
        + """
import toyraises

model = toy.Model([[1.0], [2.0]], [[0.0], [3.0]])
x = np.array([[1.0, 2.0]])


def explain():
    return polyattr.GradientInput(model).explain(x)


values, messages = told(explain)
np.testing.assert_allclose(values, [[2.0, 22.0]])
causes = {**CAUSES, "toyraises": ("`claims` raised ZeroDivisionError: division by zero", None)}
assert len(messages) == len(causes), messages
for name, (cause, _) in causes.items():
    (message,) = [text for text in messages if f"backend {name!r} is broken" in text]
    assert cause in message, message
    assert owner(message), message
assert told(explain)[1] == [], "once is enough"
try:
    polyattr.GradientInput(lambda z: z).explain(x)
except polyattr.UnrecognisedModelError:
    pass
else:
    raise AssertionError("nobody claims a function")
"""
    )


def test_a_call_that_names_it_says_what_is_wrong(run_beside):
    run_beside(
        MODEL
        + """
for name, (cause, kind) in CAUSES.items():
    if name == "toyagain":
        polyattr.Saliency(lambda z: z, backend="toy")
    for _ in range(2):
        try:
            polyattr.Saliency(lambda z: z, backend=name)
        except kind as error:
            assert cause in str(error), error
            assert owner(str(error)), error
        else:
            raise AssertionError(name)
polyattr.Saliency(lambda z: z, backend="toyraises")  # it is not asked
"""
    )


def test_it_is_listed_as_broken(run_beside):
    run_beside(
        MODEL
        + """
before = set(sys.modules)
known = polyattr.backends()
problems = {name: info.problem for name, info in known.items() if info.problem}
assert list(problems) == ["toyabsent"], problems  # what is seen without importing anything
assert owner(problems["toyabsent"])
assert "names no module that is installed" in problems["toyabsent"]
assert f"from polyattr-toy, broken: {problems['toyabsent']}" in repr(known), repr(known)
assert not {name for name in set(sys.modules) - before if name.startswith(("toy", "polyattr_"))}
"""
        + FRAMEWORKS
        + """
known, messages = told(polyattr.backends)
assert messages == [], "who asks for the list reads it there"
problems = {name: info.problem for name, info in known.items() if info.problem}
assert set(problems) == set(CAUSES), problems
for name, (cause, _) in CAUSES.items():
    assert cause in problems[name], problems[name]
    assert owner(problems[name]), problems[name]
assert repr(known).count("broken: ") == len(CAUSES)
assert len(told(lambda: polyattr.Saliency(toy.Model([[1.0]], [[1.0]])))[1]) == len(CAUSES)
"""
    )


class Meddling:
    """Mixed in: raises when asked about a model."""

    name = "meddling"

    def claims(self, candidate):
        raise KeyError("which")


def test_a_backend_registered_by_hand_is_left_out_too(toy, toy_backend):
    class Raising(Meddling, type(toy_backend)):
        pass

    polyattr.register(toy_backend)
    polyattr.register(Raising())  # the last that is registered is asked first
    try:
        model = toy.Model([[1.0]], [[1.0]])
        with pytest.warns(
            polyattr.PolyattrWarning, match="<Raising 'meddling'>.*KeyError: 'which'"
        ):
            method = polyattr.Saliency(model)
        assert method.attribute(np.ones((1, 1))).backend == "toy"
        assert "KeyError" in polyattr.backends()["meddling"].problem
        polyattr.register(Raising())
        assert polyattr.backends()["meddling"].problem is None
    finally:
        polyattr.unregister("meddling")
        polyattr.unregister("toy")


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("name", "", "the `name` of ToyBackend is ''; expected the import name of its framework"),
        ("name", " ", "is ' '; expected"),
        ("interface", "1", "interface is '1', a str; expected the int 1"),
        ("interface", True, "interface is True, a bool; expected the int 1"),
        ("interface", 1.0, "interface is 1.0, a float; expected the int 1"),
    ],
)
def test_what_states_itself_wrongly_is_refused(toy_backend, attribute, value, message):
    setattr(toy_backend, attribute, value)
    with pytest.raises(polyattr.InputTypeError, match=message):
        polyattr.register(toy_backend)


def test_the_installed_distributions_are_scanned_once_for_a_list(monkeypatch):
    scans = []
    real = importlib.metadata.entry_points

    def counted(**which):
        scans.append(which)
        return real(**which)

    monkeypatch.setattr(importlib.metadata, "entry_points", counted)
    assert len(polyattr.backends()) >= 3
    assert len(scans) == 1
