"""A result in words and in a notebook: short, true, and safe to show."""

import base64
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from results import made

import polyattr


def lines(result):
    return repr(result).splitlines()


def test_the_worst_sample_is_named_and_error_explained():
    error = np.array([0.1, 0.7, 0.2, 0.3, 0.4])
    gap = np.array([0.1, -0.2, 3.0, -4.0, np.nan])
    converged = error < 0.35
    shown = lines(made(error=error, completeness_gap=gap, converged=converged))
    assert len(shown) == 3
    assert shown[0].startswith("<Attribution of 5 samples by IntegratedGradients(steps=5) and 1 ot")
    assert shown[0].endswith("on none: values float32 (5, 3)")
    assert "relative to the magnitude of each map" in shown[1]
    assert "largest error 0.7, sample 1 (row 1); 2 of 5 not converged" in shown[1]
    assert "in units of the score" in shown[2]
    assert "largest gap 4, sample 3 (row 3)>" in shown[2]


def test_errors_that_are_not_known():
    error = np.array([np.nan, 0.2, np.nan, 0.1, 0.0])
    assert "largest error 0.2, sample 1 (row 1), not known for 2" in repr(made(error=error))
    assert "not known" in lines(made(error=np.full(5, np.nan)))[1]
    assert "not finite" in repr(made(completeness_gap=np.full(5, np.nan)))


def test_several_targets_say_at_which():
    error = np.zeros((2, 5))
    error[1, 3] = 0.5
    shown = repr(made(targets=2, error=error))
    assert "5 samples at 2 targets" in shown
    assert "largest error 0.5, sample 3 (row 3) at target 1" in shown


def test_arrays_are_elided(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x))
    baseline = np.random.default_rng(0).random(40)
    method = polyattr.IntegratedGradients(model, backend=lab.name, baseline_value=baseline)
    result = method.attribute(lab.tensor(np.ones((2, 40))))
    assert len(result.method) > 400
    assert "baseline_value=array(...), rule='trapezoid'" in repr(result)
    assert "=None" not in lines(result)[0]
    assert max(map(len, lines(result))) < 400
    native = polyattr.IntegratedGradients(
        model, backend=lab.name, baseline_value=lab.tensor(baseline)
    )
    shown = repr(native.attribute(lab.tensor(np.ones((2, 40)))))
    assert max(map(len, shown.splitlines())) < 400
    assert "0.63" not in shown  # its first number


def test_tables_are_elided():
    table = "ExpectedGradients(background=   a  b\n0  1  2\n1  3  4, nb_samples=50, seed=0)"
    shown = lines(made(method=table, methods=(table, table)))
    assert shown[0].startswith(
        "<Attribution of 5 samples by ExpectedGradients(background=..., nb_samples=50, seed=0) and"
    )


def test_long_names_are_cut():
    shown = repr(made(names=polyattr.Names(rows=["x" * 1000] * 5)))
    assert max(map(len, shown.splitlines())) < 200


# -- in a notebook ------------------------------------------------------------------------------


class Page(HTMLParser):
    """The tags of a page, and the cells of its table."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.images = [], set(), [], []
        self.feed(text)
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs)["src"])
        elif tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells.append(data)


def rows(page, columns):
    return [page.cells[i : i + columns] for i in range(0, len(page.cells), columns)]


def test_the_worst_samples_stand_in_a_table():
    error = np.linspace(0, 0.9, 10)
    result = made(10, error=error, converged=error < 0.5)
    head, *body = rows(Page(result._repr_html_()), 6)
    assert head == ["sample", "class", "score", "error", "converged", "gap"]
    assert [row[0] for row in body] == ["row 9", "row 8", "row 7", "row 6", "row 5"]
    assert body[0][1] == result.names.class_name(result.targets[9])
    assert body[0][2] == f"{result.scores[9]:.4g}"
    assert body[0][3:5] == ["0.9", "no"]
    unnamed = made(10, error=error, names=None)
    assert [row[0] for row in rows(Page(unnamed._repr_html_()), 6)[1:]] == list("98765")


def test_several_targets_have_rows_of_their_own():
    page = Page(made(2, targets=2)._repr_html_())
    assert len(rows(page, 7)) == 5
    assert page.cells[:2] == ["sample", "target"]


def test_names_are_no_tags():
    hostile = "<script>alert('x')</script>&amp;"
    names = polyattr.Names(rows=[hostile] * 5, features=[hostile] * 3, classes=[hostile] * 3)
    result = made(names=names, method=f"Saliency({hostile})", methods=(hostile,) * 2)
    text = result._repr_html_()
    assert "<script" not in text
    tags = Page(text).tags
    assert tags <= {"div", "p", "br", "table", "thead", "tbody", "tr", "th", "td", "img"}
    assert hostile[:30] in Page(text).cells[6]


def test_the_picture_is_a_png():
    pytest.importorskip("matplotlib")
    (image,) = Page(made()._repr_html_()).images
    head, data = image.split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data)[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_matplotlib_there_is_no_picture(monkeypatch):
    for name in [n for n in sys.modules if n.startswith(("matplotlib", "polyattr.plots"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = Page(made()._repr_html_())
    assert page.images == []
    assert "td" in page.tags


def test_what_cannot_be_drawn_has_a_table_all_the_same():
    values = {"a": np.ones((2, 3)), "b": np.ones((2, 3))}
    result = made(2, values=values, standard_error=None, names=None)
    page = Page(result._repr_html_())
    assert page.images == []
    assert len(rows(page, 6)) == 3
    empty = made()[[]]._repr_html_()
    assert re.search("0 samples", empty)
    assert "table" not in Page(empty).tags
