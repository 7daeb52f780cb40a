"""A report is written whole or not at all, and what is wrong is told before anything is drawn."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from report_page import attribution

from polyattr import InputError, InputTypeError, MissingExtraError
from polyattr.reports import write_report, writing

RESULT = attribution(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("name", "found"),
    [("a", "a.html"), ("a.html", "a.html"), ("a.HTM", "a.HTM"), ("a.npz", "a.npz.html")],
)
def test_the_ending_is_completed(name, found, tmp_path):
    for path in (tmp_path / name, str(tmp_path / name), os.fsencode(tmp_path / name)):
        assert RESULT.report(path) == tmp_path / found
    assert write_report(RESULT, tmp_path / name).read_bytes().startswith(b"<!DOCTYPE html>")
    assert [path.name for path in tmp_path.iterdir()] == [found]


def test_a_file_of_that_name_is_replaced_as_by_save(tmp_path):
    place = tmp_path / "a.html"
    place.write_text("old")
    place.chmod(0o640)
    RESULT.report(place)
    assert "old" not in place.read_text(encoding="utf-8")[:10]
    assert place.stat().st_mode & 0o777 == 0o640
    link = tmp_path / "link.html"
    link.symlink_to(place)
    RESULT.report(link, title="through a link")
    assert link.is_symlink()
    assert "through a link" in place.read_text(encoding="utf-8")


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    assert RESULT.report(tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("failing", ["write_text", "replace"])
def test_a_file_that_was_there_stays_where_writing_fails(failing, tmp_path, monkeypatch):
    place = tmp_path / "a.html"
    place.write_text("old")

    def half(self, text, **options):
        with self.open("w", encoding="utf-8") as file:
            file.write(text[: len(text) // 2])
        raise OSError(28, "no space left on device")

    def refused(*paths):
        raise PermissionError("no")

    if failing == "write_text":
        monkeypatch.setattr(Path, "write_text", half)
    else:
        monkeypatch.setattr(writing.os, "replace", refused)
    with pytest.raises(OSError, match="no"):
        RESULT.report(place)
    assert place.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def drawn(monkeypatch):
    """Fails where anything is read or drawn."""
    monkeypatch.setattr(writing, "content_of", lambda *_: pytest.fail("it was drawn"))


def test_places_that_cannot_be_written_to(tmp_path, monkeypatch):
    drawn(monkeypatch)
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        RESULT.report(tmp_path / "folder")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        RESULT.report(tmp_path / "none" / "a.html")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"path": 3}, InputTypeError, "path is 3"),
        ({"title": 3}, InputTypeError, "title is 3"),
        ({"result": "a"}, InputTypeError, "result is 'a'"),
        ({"result": RESULT[[]]}, InputError, "the result is empty"),
        ({"samples": [5]}, InputError, "there is no sample 5"),
        ({"samples": "all"}, InputTypeError, "indexed with 'all'"),
    ],
)
def test_what_is_no_report(options, error, said, tmp_path, monkeypatch):
    drawn(monkeypatch)
    given = {"result": RESULT, "path": tmp_path / "a"} | options
    with pytest.raises(error, match=said):
        write_report(given.pop("result"), given.pop("path"), **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_the_extra_is_named_where_a_library_is_missing(library, tmp_path, monkeypatch):
    drawn(monkeypatch)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r'pip install "polyattr\[report\]"'):
        RESULT.report(tmp_path / "a")


def test_the_extra_is_there():
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert '\nreport = ["jinja2>=3.1", "matplotlib>=3.8"]\n' in project
