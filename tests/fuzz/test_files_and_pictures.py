"""Whatever is saved, loaded, drawn or registered."""

from pathlib import Path

import numpy as np
from drawn_arguments import ANYTHING, OBJECTS, arrays, broken
from expectation import allowed, examples
from hypothesis import given
from hypothesis import strategies as st

import polyattr

# A number is a file descriptor to `open`: small ones belong to the test's own process.
NO_PATH = st.just(10**6) | OBJECTS.filter(
    lambda value: not isinstance(value, bool | str | bytes | Path)
)


def attribution(values, n=2, **changes):
    given = {
        "values": values,
        "scores": np.ones(n),
        "baseline_scores": None,
        "completeness_gap": None,
        "error": np.zeros(n),
        "converged": np.ones(n, bool),
        "evaluations": np.ones(n, int),
        "targets": None,
        "method": "Saliency()",
        "seed": None,
        "backend": "none",
    }
    return polyattr.Attribution(**given | changes)


@examples(60)
@given(path=NO_PATH)
def test_paths_that_are_none(path):
    assert allowed(lambda: polyattr.load(path), "path") is None
    assert allowed(lambda: attribution(np.ones((2, 3))).save(path), "path") is None


@examples(60)
@given(content=st.binary(max_size=200), cut=st.integers(0, 300), at=st.integers(0, 2000))
def test_files_that_are_broken(tmp_path_factory, content, cut, at):
    path = tmp_path_factory.getbasetemp() / "broken.npz"
    attribution(np.ones((2, 3))).save(path)
    whole = path.read_bytes()
    at %= len(whole)
    path.write_bytes(whole[:at] + content + whole[at + cut :])
    loaded = allowed(lambda: polyattr.load(path), path.name)
    assert loaded is None or loaded.values.shape == (2, 3)


@examples(40)
@given(most=ANYTHING)
def test_the_most_bytes_to_load(tmp_path_factory, most):
    path = tmp_path_factory.getbasetemp() / "bounded.npz"
    attribution(np.ones((2, 3))).save(path)
    loaded = allowed(lambda: polyattr.load(path, most), "max_bytes")
    assert loaded is None or loaded.values.shape == (2, 3)


VALUES = st.recursive(
    arrays((2, 3), (2,), (2, 2, 2)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2),
        st.lists(inner, min_size=1, max_size=2).map(tuple),
        st.dictionaries(st.text(max_size=3) | st.integers(-2, 2), inner, min_size=1, max_size=2),
    ),
    max_leaves=3,
)


@examples(60)
@given(values=VALUES, seed=st.none() | st.integers(0, 2**70), targets=st.none() | st.text())
def test_what_is_saved_comes_back(tmp_path_factory, values, seed, targets):
    path = tmp_path_factory.getbasetemp() / "whole.npz"
    attribution(values, seed=seed, targets=targets).save(path)
    loaded = polyattr.load(path)
    assert (loaded.seed, loaded.targets) == (seed, targets)
    _assert_equal(loaded.values, values)


def _assert_equal(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        assert (found == expected).all()
        return
    keys = expected if isinstance(expected, dict) else range(len(expected))
    assert list(found) == list(expected) if isinstance(expected, dict) else True
    assert len(found) == len(expected)
    for key in keys:
        _assert_equal(found[key], expected[key])


TITLES = st.one_of(
    st.none(),
    st.lists(st.text(st.characters(codec="ascii"), max_size=5), max_size=3),
    st.just(np.array(["a", "b"])),
    ANYTHING,
)
SHAPES = ((2, 3), (2,), (2, 2, 2), (2, 2, 2, 3), (2, 1, 2, 2), (0, 2), (), (2, 2, 2, 2, 2))


@examples(25)
@given(
    values=arrays(*SHAPES) | broken((2, 3)),
    inputs=st.none() | arrays(*SHAPES) | broken((2, 3)) | ANYTHING,
    titles=TITLES,
)
def test_pictures(values, inputs, titles):
    shape = values.shape
    call = lambda: attribution(values, n=2).plot(inputs, titles)  # noqa: E731
    figure = allowed(call, "values", "inputs", "titles")
    assert figure is None or len(figure.axes) >= shape[0]


@examples(60)
@given(what=ANYTHING)
def test_registering_what_is_no_backend(what):
    before = dict(polyattr.backends())
    assert allowed(lambda: polyattr.register(what), "polyattr.register") is None
    assert allowed(lambda: polyattr.unregister(what), "backend", "name") is None
    assert dict(polyattr.backends()) == before
