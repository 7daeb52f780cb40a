"""The navigation has every page once, and llms.txt says what each is about."""

from __future__ import annotations

from docsite import llms, navigation
from docsite.markdown import summary, title
from docsite.navigation import BESIDE, DOCS, pages, sections

PAGES = list(pages())


def test_every_page_is_in_the_navigation_once() -> None:
    named = [page.path for page in PAGES]
    assert len(set(named)) == len(named)
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert there | set(BESIDE) == set(named)


def test_a_folder_stands_for_its_pages(tmp_path, monkeypatch) -> None:
    (tmp_path / "guide").mkdir()
    for name, heading in (("b", "Alpha"), ("a", "Beta"), ("c", "Gamma")):
        (tmp_path / "guide" / f"{name}.md").write_text(f"# {heading}\n\nSays {name}. More.\n")
    (tmp_path / "navigation.toml").write_text(
        '[titles]\n"guide/a.md" = "B"\n[says]\n"guide/b.md" = "Told."\n'
        '[[section]]\ntitle = "One"\npages = ["guide/c.md", "guide/"]\n'
        '[[section]]\ntitle = "None"\npages = ["nothing/"]\n'
        '[[section]]\ntitle = "R"\npages = ["reference/"]\n'
    )
    monkeypatch.setattr(navigation, "DOCS", tmp_path)
    one, reference = sections()
    assert [page.path for page in one.pages] == ["guide/c.md", "guide/b.md", "guide/a.md"]
    assert [page.title for page in one.pages] == ["Gamma", "Alpha", "B"]
    assert [page.says for page in one.pages] == ["Says c.", "Told.", "Says a."]
    assert reference.reference
    assert not one.reference


def test_a_page_says_what_it_is_about_in_one_line() -> None:
    for page in PAGES:
        assert 15 <= len(page.says) <= 250, f"{page.path}: {page.says}"
        assert "\n" not in page.says
    assert len({page.says for page in PAGES}) == len(PAGES)
    assert len({page.title for page in PAGES}) == len(PAGES)


def test_llms_txt_is_current() -> None:
    now = llms.FILE.read_text(encoding="utf-8")
    assert now == llms.in_repository(), "run python tools/write_pages.py"
    assert all(f"]({BESIDE.get(page.path, f'docs/{page.path}')}): " in now for page in PAGES)


def test_title_and_first_sentence() -> None:
    text = "# The `title`\n\n![a picture](x.png)\n\n**Says** [what](y.md)\nit `is`. More.\n"
    assert title(text) == "The title"
    assert summary(text) == "Says what it `is`."
