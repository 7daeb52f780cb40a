"""The page itself: safe, without a request, readable by all, the same each time, and small."""

import base64
import hashlib
import re
from itertools import pairwise

import numpy as np
import pytest
from report_page import Page, attribution, written

from polyattr import Names

RNG = np.random.default_rng(2)
HOSTILE = "<script>alert('x')</script><img src=http://a.b onerror=c>&amp;\"'"


def named(n=3, **changes):
    values = RNG.normal(size=(n, 5))
    inputs = RNG.normal(size=(n, 5))
    errors = np.full((n, 5), 0.01)
    return attribution(values, inputs=inputs, standard_error=errors, **changes)


def pictures():
    words = [["good", "<i>bad</i>", "ugly"]] * 3
    hot = np.eye(4)[RNG.integers(0, 4, (3, 20))]
    photos = RNG.random((3, 80, 60, 3))
    return {
        "table": named(),
        "digits": attribution(RNG.normal(size=(3, 9, 9)), inputs=RNG.random((3, 9, 9))),
        "photos": attribution(RNG.normal(size=(3, 80, 60, 3)), inputs=photos),
        "words": attribution(RNG.normal(size=(3, 3)), names=Names(tokens=words)),
        "series": attribution(RNG.normal(size=(3, 2, 40)), inputs=RNG.normal(size=(3, 2, 40))),
        "bases": attribution(RNG.normal(size=(3, 20, 4)), inputs=hot),
    }


@pytest.mark.parametrize("kind", pictures())
def test_nothing_is_asked_for_and_nothing_could_be(kind, tmp_path):
    page = written(pictures()[kind], tmp_path)
    assert not re.search(r"https?:|url\(|@import|<iframe|<object|<embed|<form", page.source)
    for element in page.all():
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            target = element.attrs.get(name)
            assert target is None or target.startswith(("data:", "#")), (element.tag, target)
        assert not any(name.startswith("on") for name in element.attrs)
    ids = [element.attrs["id"] for element in page.all() if "id" in element.attrs]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link.attrs["href"][1:] in ids
    assert page.one("link").attrs == {"rel": "icon", "href": "data:,"}


def test_the_policy_forbids_requests_and_all_scripts_but_its_own(tmp_path):
    page = written(named(), tmp_path)
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attrs["content"]
    assert policy.startswith("default-src 'none'; img-src data:;")
    (script,) = re.findall(r"<script>(.*?)</script>", page.source, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy
    head = page.source[: page.source.index("<title>")]
    assert "Content-Security-Policy" in head  # before anything it is to hold for


def test_names_and_titles_are_text(tmp_path):
    names = Names(features=[HOSTILE] * 5, classes=[HOSTILE] * 3, rows=[HOSTILE] * 3)
    method = f"Saliency(x={HOSTILE!r})"
    page = written(
        named(names=names, method=method, methods=(method,)), tmp_path,
        title=f"{HOSTILE}", date=HOSTILE,
    )  # fmt: skip
    assert len(page.all("script")) == 1
    assert not page.all("img", src="http://a.b")
    plain = " ".join(HOSTILE.split())
    assert page.one("h1").text == plain
    assert page.one("title").text == plain
    assert page.card(0).one("h3").text == f"Sample 0: {plain} {plain}"
    assert plain in page.table()["class"][0].text
    assert [row.one("th").text for row in page.card(0).one("table").all("tr")[1:]] == [plain] * 5


@pytest.mark.parametrize("text", ["\ud800", "\x00\x1b", "\u202e", "{{ 7 * 7 }}", "%s{0}"])
def test_any_letter_is_written(text, tmp_path):
    page = written(named(names=Names(rows=[text] * 3)), tmp_path, title=text)
    assert "49" not in page.one("h1").text
    assert len(page.all("article")) == 3


@pytest.mark.parametrize("kind", pictures())
def test_it_can_be_heard_and_found_through(kind, tmp_path):
    page = written(pictures()[kind], tmp_path)
    assert page.one("html").attrs["lang"] == "en"
    assert "width=device-width" in page.one("meta", name="viewport").attrs["content"]
    levels = [int(tag) for tag in re.findall(r"<h(\d)", page.source)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for image in page.all("img"):
        assert len(image.attrs["alt"]) > 20
    for table in page.all("table"):
        assert all(cell.attrs.get("scope") in {"col", "row"} for cell in table.all("th"))
    for section in page.all("section"):
        assert page.one(id=section.attrs["aria-labelledby"]).text


def test_the_table_is_plain_without_its_script(tmp_path):
    page = written(named(), tmp_path)
    table = page.one("table", of="samples")
    assert not table.all("button")
    assert [head.text for head in table.one("thead").all("th")][:2] == ["sample", "class"]
    assert {"hidden"} <= page.one("p", of="hint").attrs.keys()  # speaks of what is not there
    box = page.one("div", of="scroll")
    assert box.attrs["tabindex"] == "0"  # what scrolls is reached without a mouse


def contrast(one, other):
    def light(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_letters_stand_out_from_their_paper_by_day_and_night(tmp_path):
    page = written(named(), tmp_path)
    schemes = re.findall(r":root \{(.*?)\}", page.source, flags=re.DOTALL)
    assert len(schemes) == 3  # by day, by night, in print
    for scheme in schemes:
        known = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", scheme))
        for ink in ("ink", "soft", "link"):
            for paper in ("paper", "card", "warn", "clear", "head"):
                assert contrast(known[ink], known[paper]) >= 4.5, (ink, paper)
        for mark in ("for", "against", "size"):
            assert contrast(known[mark], known["card"]) >= 3


@pytest.mark.parametrize("kind", pictures())
def test_the_same_result_gives_the_same_bytes(kind, tmp_path):
    result = pictures()[kind]
    first = result.report(tmp_path / "a.html").read_bytes()
    assert result.report(tmp_path / "b.html").read_bytes() == first
    assert b"\r" not in first


def photo(k):
    """A picture as a camera takes one: edges, shades and noise."""
    y, x = np.mgrid[:224, :224] / 224
    waves = [np.sin(9 * (k % 7 + 1) * x + 5 * c) + np.cos(8 * y * (k % 5 + 1)) for c in range(3)]
    blocks = np.kron(RNG.random((14, 14, 3)), np.ones((16, 16, 1)))
    noise = RNG.normal(size=(224, 224, 3)) * 0.05
    return (np.stack(waves, -1) / 4 + blocks / 2 + noise).astype(np.float16)


@pytest.mark.parametrize("kind", ["photos", "digits", "table"])
def test_two_hundred_samples_take_less_than_three_megabytes(kind, tmp_path):
    n = 200
    if kind == "photos":
        inputs = np.stack([photo(k) for k in range(10)] * 20)
        values = (RNG.standard_t(3, size=(10, 224, 224)) * 0.01).astype(np.float16)
        values = np.concatenate([values] * 20)
        errors = np.abs(values) * RNG.random(values.shape).astype(np.float16)
    else:
        shape = (n, 30) if kind == "table" else (n, 28, 28)
        inputs, values = RNG.random(shape), RNG.standard_t(3, size=shape)
        errors = RNG.random(shape)
    names = Names(features=[f"a measurement {k}" for k in range(30)]) if kind == "table" else None
    result = attribution(values, inputs=inputs, standard_error=errors, names=names)
    path = result.report(tmp_path / "large")
    assert path.stat().st_size < 3_000_000
    page = Page(path.read_text(encoding="utf-8"))
    assert len(page.all("article")) == n
    shown = [image for card in page.all("article") for image in card.all("img")]
    assert len(shown) == (0 if kind == "table" else 2 * n)
    if kind == "photos":
        # Small, and still to be made out.
        assert min(int(image.attrs["width"]) for image in shown) >= 20
        assert min(int(i.attrs["width"]) for i in shown if i.attrs["class"] == "smooth") >= 96
    if kind == "digits":
        assert {image.attrs["width"] for image in shown} == {"28"}
