"""Saved results: shown, cut, drawn and handed on, without a framework."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from users import saved_result

import polyattr


@pytest.fixture
def saved(folder):
    return saved_result(folder / "result.npz")


def test_a_saved_result_as_json(run, saved):
    told = run("show", "result.npz", "--json", "--top", 2).json
    assert told["command"] == "show"
    assert [entry["score"] for entry in told["samples"]] == [-1.0, 3.0, 5.0]
    assert [entry["class"] for entry in told["samples"]] == ["<b>yes</b>", "no", "<b>yes</b>"]
    assert [entry["error"] for entry in told["samples"]] == [0.0, 0.5, None]
    first = told["samples"][0]["top"]
    assert first == [{"feature": "dose", "value": -2.0}, {"feature": "age", "value": 0.5}]
    doubts = told["distrust"]
    assert "not converged (1 of 3, the worst: error 50%)" in doubts
    assert "error not known (1 of 3)" in doubts
    assert "one feature dominates (1 of 3, the worst: rate, 100%)" in doubts


def test_a_saved_result_as_a_table(run, saved):
    done = run("show", "result.npz", "--rows", 2)
    assert done.code == 0
    for text in ("Ann", "<b>yes</b>", "dose -2", "exact", "50%", "and 1 more", "not converged"):
        assert text in done.out, text
    assert "Cy" not in done.out
    assert done.err == ""


def test_some_samples_as_a_file_and_a_picture(run, folder, saved):
    asked = ("show", "result.npz", "--where", "not converged or error == 0", "--out", "some.npz")
    assert run(*asked, "--out", "some.png").code == 0
    loaded = polyattr.load(folder / "some.npz")
    assert loaded.names.rows == ("Ann", "Bob")
    np.testing.assert_array_equal(loaded.values, saved.values[:2])
    assert (folder / "some.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_a_picture_names_the_extra(run, folder, saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run("show", "result.npz", "--out", "a.png")
    done.refused(1, 'pip install "polyattr[cli]"')
    assert not (folder / "a.png").exists()


def test_names_do_not_command_the_terminal(run, folder):
    names = polyattr.Names(
        features=["a\x1b[31m", "b\nc", "[bold]d"], rows=["\x1b]0;x\x07", "y", "z"]
    )
    saved_result(folder / "odd.npz", names=names)
    done = run("show", "odd.npz")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "\x07" not in done.out
    assert "b c" in done.out
    assert "[bold]d" in done.out
    assert run("show", "odd.npz", "--json").json["samples"][0]["name"] == "\x1b]0;x\x07"


def test_maps_of_pictures_name_pixels(run, folder):
    values = np.zeros((1, 3, 4, 5))
    values[0, :, 1, 3] = [0.5, 1.0, -7.0]
    values[0, 0, 2, 2] = 5.0
    saved_result(folder / "map.npz", 1, values=values, names=None)
    (entry,) = run("show", "map.npz", "--json", "--top", 2).json["samples"]
    # The channels of a pixel together.
    assert entry["top"] == [
        {"feature": "row 1, column 3", "value": -5.5},
        {"feature": "row 2, column 2", "value": 5.0},
    ]


def test_several_inputs_name_theirs(run, folder):
    values = {"left": np.array([[1.0, 0.0]]), "right": np.array([[0.0, -3.0]])}
    saved_result(folder / "two.npz", 1, values=values, names=None)
    (entry,) = run("show", "two.npz", "--json", "--top", 2).json["samples"]
    assert [e["feature"] for e in entry["top"]] == ["input 'right': 1", "input 'left': 0"]


def test_values_that_are_no_numbers_are_told(run, folder):
    values = np.array([[np.nan, 1.0, 2.0], [np.inf, 0.0, 0.0], [1.0, 1.0, 1.0]])
    saved_result(folder / "odd.npz", values=values)
    done = run("show", "odd.npz", "--json")
    assert any(
        line.startswith("values that are not finite (2 of 3") for line in done.json["distrust"]
    )
    assert "NaN" not in done.out


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 3, "cannot be read: No such file"),
        (b"nothing of ours", 3, "is not an attribution saved by polyattr"),
        (b"PK\x03\x04 broken", 3, "is not an attribution saved by polyattr"),
    ],
)
@pytest.mark.parametrize("command", ["show", "report"])
def test_what_is_no_result(run, folder, monkeypatch, command, content, code, said):
    monkeypatch.setitem(sys.modules, "polyattr.reports", reports([]))
    if content is not None:
        (folder / "odd.npz").write_bytes(content)
    extra = ("-o", "a.html") if command == "report" else ()
    run(command, "odd.npz", *extra).refused(code, said)
    assert not (folder / "a.html").exists()


def reports(calls):
    """Stands for the module that writes reports."""
    module = ModuleType("polyattr.reports")

    def write_report(result, path, *, inputs=None, title=None):
        calls.append((len(result), title))
        path.write_text("<html></html>", encoding="utf-8")

    module.write_report = write_report
    return module


def test_a_report_gets_the_samples_that_are_meant(run, folder, saved, monkeypatch):
    calls = []
    monkeypatch.setitem(sys.modules, "polyattr.reports", reports(calls))
    done = run("report", "result.npz", "-o", "a.html", "--where", "score > 0", "--title", "Ours")
    assert (done.code, done.out) == (0, "written: a.html\n")
    assert calls == [(2, "Ours")]
    assert (folder / "a.html").read_text() == "<html></html>"
    run("report", "result.npz", "-o", "a.html").refused(5, "is there already")
    run("report", "result.npz", "-o", "a.pdf").refused(2, ".html")
    run("report", "result.npz", "-o", "b.html", "--where", "score > 99").refused(2, "no sample")
    assert calls == [(2, "Ours")]


def test_a_report_that_fails_leaves_no_half(run, folder, saved, monkeypatch):
    def broken(result, path, **options):
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    module = reports([])
    module.write_report = broken
    monkeypatch.setitem(sys.modules, "polyattr.reports", module)
    before = set(folder.iterdir())
    run("report", "result.npz", "-o", "a.html").refused(5, "cannot be written", "No space left")
    assert set(folder.iterdir()) == before


def test_json_is_strict(run, saved):
    text = run("show", "result.npz", "--json").out
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_report_is_a_page(run, folder, saved):
    assert run("report", "result.npz", "-o", "a.html").code == 0
    page = (folder / "a.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "Ann" in page
    assert "&lt;b&gt;yes" in page
    assert "<b>yes" not in page


def test_without_jinja_a_report_names_the_extra(run, folder, saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = run("report", "result.npz", "-o", "a.html")
    done.refused(1, 'pip install "polyattr[report]"')
    assert not (folder / "a.html").exists()
