"""The generated part of each method's page: equation, facts, figures, picture, what to cite."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from typing import Any

import polyattr
from docsite.docstrings import first_sentence
from docsite.navigation import DOCS
from docsite.reference import page_name
from polyattr.explainer.base import MethodBase

FOLDER = DOCS / "methods"
GLANCE = FOLDER / "at-a-glance.md"
BEGIN = "<!-- Generated from the class by tools/write_pages.py, down to the end mark. -->"
END = "<!-- End of what is generated. -->"
_DISPLAYED = re.compile(r"\.\. math::(.*?)\n\n", re.DOTALL)
_INLINE = re.compile(r":math:`([^`]+)`")


def method_classes() -> list[Any]:
    """Every public method, by name."""
    found = [getattr(polyattr, name) for name in sorted(polyattr.__all__)]
    return [
        kind
        for kind in found
        if isinstance(kind, type)
        and issubclass(kind, MethodBase)
        and kind is not polyattr.Explainer
    ]


def equation(kind: Any) -> str:
    """The first equation of a method's docstring, as TeX."""
    text = inspect.getdoc(kind) or ""
    displayed, inline = _DISPLAYED.search(text), _INLINE.search(text)
    found = displayed or inline
    if found is None:
        raise ValueError(f"the docstring of {kind.__name__} has no equation")
    return "\n".join(line.strip() for line in found[1].strip().splitlines())


@cache
def measured() -> dict[str, dict[str, float]]:
    """The figures that `nox -s gallery -- --methods` measured on the digits of the demo."""
    found: dict[str, dict[str, float]] = json.loads((FOLDER / "measured.json").read_text("utf-8"))
    return found


def generated(kind: Any) -> str:
    """The part of a method's page that is read off its class."""
    rows = "\n".join(f"| {name} | {said} |" for name, said in _rows(kind))
    picture = page_name(kind).removesuffix("md") + "png"
    alone = f"what `{kind.__name__}` says, drawn with its error"
    paper = kind.paper
    return "\n".join(
        [
            *(BEGIN, "", "```math", equation(kind), "```", ""),
            *("| | |", "|---|---|", rows, ""),
            *(f"![{alone}]({picture})", ""),
            f"From {_names(paper.authors)}: *{paper.title}* ({paper.year}), "
            f"[arXiv {paper.arxiv}](https://arxiv.org/abs/{paper.arxiv}).",
            *("", "```bibtex", paper.bibtex(), "```", "", END),
        ]
    )


def with_generated(text: str, kind: Any) -> str:
    """A page with its generated part as it has to be."""
    before, rest = text.split(BEGIN)
    return f"{before}{generated(kind)}{rest.split(END)[1]}"


def glance() -> str:
    """The page that has all methods beside each other, by how they did on the digits."""
    rows = []
    by_deletion = sorted(method_classes(), key=lambda kind: _figure(kind, "deletion", 1.0))
    for kind in by_deletion:
        name = kind.__name__
        rows.append(
            f"| [`{name}`]({page_name(kind)}) | {kind.gist} | {'yes' if kind.signed else 'no'} | "
            + " | ".join(_cells(kind))
            + " |"
        )
    other = measured()["any order"]
    rows.append(
        f"| any order | | | | {other['deletion']:.3f} ± {other['deletion_error']:.3f} | "
        f"{other['insertion']:.3f} ± {other['insertion_error']:.3f} | |"
    )
    head, rest = GLANCE.read_text(encoding="utf-8").split(BEGIN)
    table = [
        "| method | value | signed | gradients | deletion | insertion | error |",
        "|---|---|---|---:|---:|---:|---:|",
        *rows,
    ]
    return f"{head}{BEGIN}\n\n" + "\n".join(table) + f"\n\n{END}{rest.split(END)[1]}"


def _cells(kind: Any) -> tuple[str, str, str, str]:
    found = measured().get(kind.__name__)
    if found is None:
        return ("", "", "", "")
    return (
        f"{found['evaluations']:.0f}",
        f"{found['deletion']:.3f} ± {found['deletion_error']:.3f}",
        f"{found['insertion']:.3f} ± {found['insertion_error']:.3f}",
        f"{found['error']:.1%}" if found["error"] else "exact",
    )


def _figure(kind: Any, name: str, missing: float) -> float:
    return measured().get(kind.__name__, {}).get(name, missing)


def _rows(kind: Any) -> list[tuple[str, str]]:
    """What the class says of itself."""
    shared = set(inspect.signature(polyattr.Explainer).parameters)
    own = [name for name in inspect.signature(kind).parameters if name not in shared]
    rows = [
        ("class", f"`polyattr.{kind.__name__}`"),
        ("in a sentence", first_sentence(kind.__doc__).partition(", $`")[0].rstrip(".") + "."),
        ("values", "signed" if kind.signed else "magnitudes, never negative"),
        ("own arguments", ", ".join(f"`{name}`" for name in own) or "none"),
    ]
    guide = getattr(kind, "guide", None)
    if guide is not None:
        rows += [("cost", guide.cost), ("good for", guide.when), ("not for", guide.when_not)]
    if kind.__name__ in measured():
        cost, deletion, insertion, error = _cells(kind)
        rows += [
            ("gradients per sample, at the defaults", cost),
            ("error of the map, at the defaults", error),
            ("[deletion](at-a-glance.md), lower is better", deletion),
            ("[insertion](at-a-glance.md), higher is better", insertion),
        ]
    return rows


def _names(authors: str) -> str:
    """Surnames, from BibTeX's list."""
    last = [name.partition(",")[0] for name in authors.split(" and ")]
    return last[0] if len(last) == 1 else f"{', '.join(last[:-1])} & {last[-1]}"
