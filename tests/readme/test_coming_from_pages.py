"""Pages for those who come from elsewhere: what they name is there, and is what errors say too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import polyattr
from polyattr.question.foreign.arguments import ARGUMENTS
from polyattr.question.foreign.names import ABSENT, CLASSES

DOCS = Path(__file__).parents[2] / "docs"
FOLDERS = ("guide", "coming-from", "stories")
PAGES = {
    str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
    for folder in FOLDERS
    for path in sorted((DOCS / folder).glob("*.md"))
}
EQUIVALENTS = [name for name in PAGES if name.startswith("coming-from/")]


def rows(name: str) -> list[tuple[list[str], str]]:
    """The names in the first cell of each row, and the second cell."""
    found = []
    for line in PAGES[name].splitlines():
        if line.startswith("| ") and not line.startswith("|---"):
            first, second = line.strip("| ").split(" | ")[:2]
            spans = re.findall(r"`([^`]+)`", first)
            found.append(([word for span in spans for word in re.findall(r"\w+", span)], second))
    return found


@pytest.mark.parametrize("name", EQUIVALENTS)
def test_a_class_has_the_equal_that_errors_name(name: str) -> None:
    seen = 0
    for words, second in rows(name):
        if words and words[0] in CLASSES:
            said = re.findall(r"[A-Z]\w+|\w+_\w+|explain|plot|xrai", CLASSES[words[0]])
            seen += any(part in second for part in said)
            assert any(part in second for part in said), (words, second, said)
        if words and words[0] in ABSENT:
            # What is near has to be called near.
            assert second.startswith("none"), (words, second)
    assert seen or name.startswith(("coming-from/vertex", "coming-from/alibi"))


@pytest.mark.parametrize("name", EQUIVALENTS)
def test_an_argument_has_the_word_that_errors_name(name: str) -> None:
    for words, second in rows(name):
        if len(words) <= 2 and words and words[0] in ARGUMENTS:
            word = ARGUMENTS[words[0]]
            ours = re.findall(r"'(\w+)'|`(\w+)`", word.say)[:1]
            if word.place != "nowhere" and ours:
                (one,) = ours
                known = one[0] or one[1]
                assert re.search(rf"\b{known}\b|\bsame\b|^none", second), (words, second, known)


@pytest.mark.parametrize("name", PAGES)
def test_what_is_named_is_there(name: str) -> None:
    prose = re.sub(r"```.*?```", "", PAGES[name], flags=re.DOTALL)
    for span in re.findall(r"`([^`]+)`", prose):
        for path in re.findall(r"\bpolyattr\.((?:\w+\.)*\w+)", span):
            whole = polyattr
            for part in path.split("."):
                assert hasattr(whole, part), f"polyattr.{path}"
                whole = getattr(whole, part)
        for place, member in re.findall(r"\b(plots|baselines|regions|domains)\.(\w+)", span):
            home = getattr(polyattr, place) if hasattr(polyattr, place) else None
            assert home is None or hasattr(home, member) or span.startswith(("shap", "xplique")), (
                span
            )
    for line in PAGES[name].splitlines():
        if line.startswith("| "):
            for span in re.findall(r"`([^`]+)`", line.strip("| ").split(" | ")[1]):
                called = re.match(r"([A-Z][A-Za-z]+)\(", span)
                assert not called or hasattr(polyattr, called[1]), span


def test_there_is_a_page_for_each() -> None:
    peers = {"captum", "xplique", "pair-saliency", "shap", "alibi", "vertex-explainable-ai"}
    assert {Path(name).stem for name in EQUIVALENTS} == peers
