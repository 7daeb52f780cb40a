"""Stories: each has its question, short programs, the picture they draw, and what to distrust.

That the programs run, and print what the page says, is held by tests/docsite.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "stories"
STORIES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_has_its_parts(name: str) -> None:
    text = STORIES[name]
    assert text.splitlines()[0].endswith("?")
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads[-2:] == ["What to distrust", "How exact"]


@pytest.mark.parametrize("name", STORIES)
def test_its_programs_are_short(name: str) -> None:
    for code in re.findall(r"```python\n(.*?)```", STORIES[name], flags=re.DOTALL):
        assert len([line for line in code.splitlines() if line.strip()]) <= 30


@pytest.mark.parametrize("name", STORIES)
def test_its_picture_is_the_one_its_program_saves(name: str) -> None:
    text = STORIES[name]
    assert len(re.findall(rf"!\[[^]]{{10,}}\]\({name}\.png\)", text)) == 1
    assert text.count(f'savefig("{name}.png"') == 1
    content = (FOLDER / f"{name}.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert 5_000 < len(content) <= 150_000


def test_every_picture_is_shown() -> None:
    assert {path.stem for path in FOLDER.glob("*.png")} == set(STORIES)
    assert len(STORIES) >= 5
