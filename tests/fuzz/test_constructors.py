"""Whatever is passed to a constructor: an explainer that works, or an error naming the argument.

Most examples only construct. Those that explain are few: each is a model of its own, and compiles.
"""

import numpy as np
import pytest
from drawn_arguments import ANYTHING, COMMON, OWN, keywords, needed
from expectation import allowed, assert_like, examples
from hypothesis import given
from hypothesis import strategies as st

import polyattr

X = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)


@pytest.mark.parametrize("method", OWN)
@examples(120)
@given(data=st.data())
def test_without_any_framework(method, data):
    given = data.draw(keywords(OWN[method] | COMMON, most=4))
    make = lambda: getattr(polyattr, method)(None, **given)  # noqa: E731
    made = allowed(make, *given)
    assert made is None or repr(made).startswith(method)


@pytest.mark.parametrize("method", OWN)
@examples(15)
@given(data=st.data())
def test_own_arguments(lab, method, data):
    model = lab.function(lambda ops, x: ops.tanh(x) * x)
    given = data.draw(keywords(OWN[method] or {"batch_size": COMMON["batch_size"]}))
    made = allowed(lambda: getattr(polyattr, method)(model, backend=lab.name, **given), *given)
    if made is None:
        return
    assert repr(made).startswith(method)
    values = allowed(lambda: made.explain(lab.tensor(X), 1), *given)
    if values is not None:
        assert_like(lab.numpy(values), X)


@pytest.mark.parametrize("method", OWN)
@examples(10)
@given(data=st.data())
def test_common_arguments(lab, method, data):
    model = lab.function(lambda ops, x: ops.tanh(x) * x)
    given = data.draw(keywords(COMMON | needed(method), most=2))
    names = [*given, "targets"] if "operator" in given else [*given]
    made = allowed(lambda: getattr(polyattr, method)(model, backend=lab.name, **given), *given)
    if made is not None and not _calls_back(given):
        values = allowed(lambda: made.explain(lab.tensor(X)), *names)
        if values is not None:
            assert_like(lab.numpy(values), X)


def _calls_back(given):
    """Whether something callable was passed: then what it raises is the caller's own."""
    return any(callable(value) for value in given.values())


@examples(60)
@given(backend=ANYTHING)
def test_backend(backend):
    made = allowed(lambda: polyattr.Saliency(lambda x: x, backend=backend), "backend")
    # Strings are drawn from the code under test as well, names of backends among them.
    assert made is None or backend is None or backend in polyattr.backends()


@examples(30)
@given(name=st.text(min_size=1, max_size=8).filter(str.isidentifier), value=ANYTHING)
def test_keywords_nobody_knows(name, value):
    known = {"model", *COMMON, *(key for own in OWN.values() for key in own), "backend"}
    for method in OWN:
        if name not in known:
            with pytest.raises(polyattr.InputTypeError, match="has no argument") as caught:
                getattr(polyattr, method)(lambda x: x, **{name: value})
            assert repr(name) in str(caught.value)


@examples(40)
@given(model=ANYTHING)
def test_models(lab, model):
    if isinstance(model, type):
        return  # callable: what it raises when called with a tensor is its own
    made = allowed(lambda: polyattr.Saliency(model, backend=lab.name), "backend", "model")
    assert made is None


@examples(40)
@given(model=ANYTHING)
def test_models_without_a_backend(lab, model):
    if not isinstance(model, type):
        explain = lambda: polyattr.Saliency(model).explain(lab.tensor(X))  # noqa: E731
        assert allowed(explain, "backend", "model") is None
