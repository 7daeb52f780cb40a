"""The real shap draws a result: `nox -s shap` has it; elsewhere a stand-in is handed the same."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from results import library, made

import polyattr

# What shap uses of matplotlib is about to be deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


class Explanation:
    """What shap.Explanation keeps of what it is given."""

    def __init__(self, values, **known):
        self.values = values
        vars(self).update({"feature_names": None, "output_names": None} | known)


@pytest.fixture
def shap(monkeypatch):
    if find_spec("shap"):
        return library("shap")
    stand_in = SimpleNamespace(Explanation=Explanation)
    monkeypatch.setitem(sys.modules, "shap", stand_in)
    return stand_in


def test_a_table(shap):
    result = made()
    found = result.to_shap()
    assert isinstance(found, shap.Explanation)
    assert np.array_equal(found.values, result.values)
    assert np.array_equal(found.base_values, result.baseline_scores)
    assert np.array_equal(found.data, result.inputs)
    assert found.feature_names == ["a", "b", "c"]


def test_several_targets_are_outputs(shap):
    asked = np.array([[2] * 5, [0] * 5])
    result = replace(made(targets=2), targets=asked)
    found = result.to_shap()
    assert found.values.shape == (5, 3, 2)
    assert np.array_equal(found.values[..., 1], result.values[1])
    assert np.array_equal(found.base_values, result.baseline_scores.T)
    assert list(found.output_names) == ["z", "x"]


def test_words(shap):
    values = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    names = polyattr.Names(tokens=[["a", "b", "c"], ["d", "e", "f"]])
    found = made(2, values=values, standard_error=None, names=names).to_shap()
    assert np.array_equal(found.values, values.sum(-1))
    assert np.asarray(found.data).tolist() == [["a", "b", "c"], ["d", "e", "f"]]


def test_several_inputs_are_not_one(shap):
    values = {"a": np.ones((2, 3)), "b": np.ones((2, 3))}
    with pytest.raises(polyattr.InputError, match=r"holds dict\(.*choose one input"):
        made(2, values=values, standard_error=None, names=None).to_shap()


# -- drawn by shap itself -----------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch):
    """shap, and the figures it draws."""
    shap, matplotlib = library("shap"), library("matplotlib")
    matplotlib.use("agg")
    pyplot = library("matplotlib.pyplot")
    yield shap, pyplot
    pyplot.close("all")


def complete():
    """A result whose values sum to f(x) - f(b), as a path method's do."""
    result = made(40)
    sums = result.values.sum(axis=1, dtype=np.float64)
    return replace(result, scores=result.baseline_scores + sums)


def texts(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


@pytest.mark.filterwarnings("ignore")
def test_bar(drawn):
    shap, _ = drawn
    result = complete()
    axes = shap.plots.bar(result.to_shap(), show=False)
    sizes = np.abs(result.values).mean(axis=0)
    widths = sorted(bar.get_width() for bar in axes.patches if bar.get_width() > 0)
    assert np.allclose(widths[-3:], np.sort(sizes), rtol=1e-5)
    assert {"a", "b", "c"} <= set(texts(axes))


@pytest.mark.filterwarnings("ignore")
def test_beeswarm(drawn):
    shap, _ = drawn
    result = complete()
    axes = shap.plots.beeswarm(result.to_shap(), show=False)
    places = np.concatenate([points.get_offsets()[:, 0] for points in axes.collections])
    assert np.allclose(np.sort(places), np.sort(result.values.ravel()), rtol=1e-5)
    order = np.argsort(np.abs(result.values).mean(axis=0))
    assert [name for name in texts(axes) if name] == [result.names.features[i] for i in order]


@pytest.mark.filterwarnings("ignore")
def test_waterfall(drawn):
    shap, pyplot = drawn
    result = complete()
    shap.plots.waterfall(result.to_shap()[7], show=False)
    said = " ".join(
        text.get_text() for axes in pyplot.gcf().axes for text in axes.findobj(match=_is_text)
    ).replace("\u2212", "-")
    assert f"{result.scores[7]:.3g}"[:5] in said
    assert all(name in said for name in result.names.features)


def _is_text(artist):
    return hasattr(artist, "get_text")
