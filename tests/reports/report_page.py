"""A report read back: its elements, the numbers of its table, its pictures."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("jinja2", reason="Jinja2, of the extra 'report', is not installed")
pytest.importorskip("matplotlib", reason="matplotlib, of the extra 'report', is not installed")

import matplotlib.image

from polyattr import Attribution

VOID = {"meta", "link", "img", "br"}


class Element:
    """An element with its attributes, what stands in it, and its text."""

    def __init__(self, tag, attrs=()):
        self.tag, self.attrs, self.inside = tag, dict(attrs), []

    @property
    def text(self):
        """All text in it, with single spaces."""
        parts = (part if isinstance(part, str) else part.text for part in self.inside)
        return " ".join("".join(parts).split())

    def all(self, tag="", **attrs):
        """The elements below with a tag and with these attributes; `of` is one of its classes."""
        found, of = [], attrs.pop("of", None)
        for part in self.inside:
            if isinstance(part, str):
                continue
            classes = part.attrs.get("class", "").split()
            fits = (not tag or part.tag == tag) and (of is None or of in classes)
            if fits and all(part.attrs.get(name) == value for name, value in attrs.items()):
                found.append(part)
            found += part.all(tag, **attrs, **({} if of is None else {"of": of}))
        return found

    def one(self, tag="", **attrs):
        (found,) = self.all(tag, **attrs)
        return found


class Page(HTMLParser):
    """A page; every element has to be closed."""

    def __init__(self, text):
        super().__init__()
        self.root = Element("")
        self.open, self.source = [self.root], text
        self.feed(text)
        self.close()
        assert self.open == [self.root], "every tag is closed"

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs)
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].inside.append(Element(tag, attrs))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].inside.append(data)

    def all(self, *args, **attrs):
        return self.root.all(*args, **attrs)

    def one(self, *args, **attrs):
        return self.root.one(*args, **attrs)

    def table(self):
        """The table of samples: {heading: cells}, a list of elements each."""
        table = self.one("table", of="samples")
        head, *rows = [row.all("th") + row.all("td") for row in table.all("tr")]
        columns = zip(*rows, strict=True)
        return {cell.text: list(cells) for cell, cells in zip(head, columns, strict=True)}

    def doubts(self):
        """What is to be distrusted: {key: numbers of the maps that are named}."""
        found = {}
        for box in self.all("div", of="doubt"):
            who = box.all("p", of="who")
            links = [link for part in who for link in part.all("a") if link.text != "table"]
            named = [int(link.text.split()[0]) for link in links]
            found[box.attrs["id"].removeprefix("why-")] = named
        return found

    def card(self, sample):
        return self.one("article", id=f"s{sample}")


def number(cell):
    """What a cell of a table is sorted by."""
    text = cell.attrs.get("data-v", cell.text)
    return float(text.replace(",", "")) if text else np.nan


def pixels(image):
    """The pixels of an `<img>`: (H, W, 3) from 0 to 1."""
    head, data = image.attrs["src"].split(",")
    kind = head.removeprefix("data:image/").removesuffix(";base64")
    found = matplotlib.image.imread(io.BytesIO(base64.b64decode(data)), format=kind)
    found = found / 255 if found.dtype == np.uint8 else found
    found = found[..., None].repeat(3, axis=-1) if found.ndim == 2 else found
    assert found.shape[:2] == (int(image.attrs["height"]), int(image.attrs["width"]))
    return found[..., :3]


def attribution(values, **changes):
    """A result that nothing speaks against, with the given values (N, ...)."""
    values = values if isinstance(values, dict | tuple) else np.asarray(values)
    leaf = next(iter(values.values())) if isinstance(values, dict) else values
    n = len(leaf[0] if isinstance(values, tuple) else leaf)
    given = {
        "values": values,
        "scores": np.arange(2.0, n + 2),
        "baseline_scores": np.full(n, -3.0),
        "completeness_gap": np.full(n, 0.02),
        "error": np.linspace(0.01, 0.04, n),
        "converged": np.ones(n, bool),
        "evaluations": np.full(n, 50),
        "targets": np.arange(n) % 3,
        "method": "IntegratedGradients(steps=50, rule='trapezoid', tolerance=None)",
        "seed": None,
        "backend": "none",
        "signed": True,
    }
    return Attribution(**given | changes)


def written(result, folder, **options):
    """Writes a report and reads it back."""
    return Page(result.report(folder / "page.html", **options).read_text(encoding="utf-8"))
