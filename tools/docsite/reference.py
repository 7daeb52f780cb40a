"""The reference: a page for each kind of public name, made from docstrings as they are at run time.

What methods say of their arguments is put together when they are imported, so it is read from the
classes, not from the sources.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import polyattr
from docsite.attribute_docs import documented_values
from docsite.docstrings import first_sentence, to_markdown
from docsite.markdown import title
from docsite.navigation import DOCS
from docsite.signatures import signature
from polyattr.explainer.base import MethodBase

# Commands: their docstrings are for those who change them.
NOT_SHOWN = {"cli", "demo"}
# What a method's author writes, of which its equation is told already.
HOOKS = {"check", "recipe"}
GROUPS = {
    "explainer": ("explainer", "Calls: what all methods share"),
    "methods": ("methods", "Methods"),
    "interactions": ("methods", "Methods"),
    "patching": ("methods", "Methods"),
    "results": ("results", "Results"),
    "scores": ("questions", "Scores and targets"),
    "errors": ("errors", "Errors and warnings"),
}


@dataclass
class ReferencePage:
    """A page of the reference.

    Attributes:
        name: Its file, without the ending.
        title: Its heading.
        says: What it is about, in a sentence.
        entries: What it documents, by dotted name.
    """

    name: str
    title: str
    says: str
    entries: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it stands in the site's sources."""
        return f"reference/{self.name}.md"


def public_packages() -> dict[str, ModuleType]:
    """The packages in `polyattr` with names of their own to offer, by name."""
    known = set(polyattr.__all__)
    found = {}
    for entry in pkgutil.iter_modules(polyattr.__path__):
        if not entry.ispkg or entry.name in NOT_SHOWN:
            continue
        package = importlib.import_module(f"polyattr.{entry.name}")
        if set(getattr(package, "__all__", ())) - known:
            found[entry.name] = package
    return found


def reference_pages() -> list[ReferencePage]:
    """All pages with what they document: each public name once, where it is first looked for."""
    packages = public_packages()
    pages: dict[str, ReferencePage] = {}
    for name in polyattr.__all__:
        thing = getattr(polyattr, name)
        if isinstance(thing, ModuleType | str):
            continue
        room = thing.__module__.split(".")[1]
        at, title = GROUPS.get(room, (room, f"polyattr.{room}"))
        page = pages.setdefault(at, ReferencePage(at, title, ""))
        page.entries[f"polyattr.{name}"] = thing
    shown = [thing for page in pages.values() for thing in page.entries.values()]
    for name, package in packages.items():
        page = pages.setdefault(name, ReferencePage(name, f"polyattr.{name}", ""))
        page.says = first_sentence(package.__doc__)
        for each in package.__all__:
            thing = getattr(package, each)
            if not any(thing is known for known in shown):
                page.entries[f"polyattr.{name}.{each}"] = thing
    first = list(dict.fromkeys(at for at, _ in GROUPS.values()))
    order = {name: number for number, name in enumerate(first)}
    return sorted(pages.values(), key=lambda page: (order.get(page.name, len(order)), page.name))


def anchors(pages: list[ReferencePage]) -> dict[str, str]:
    """Where in the site's sources each name and each public member of a class is described."""
    found = {}
    for page in pages:
        for name, thing in page.entries.items():
            found[name] = f"{page.path}#{name}"
            for member in _members(thing):
                found[f"{name}.{member}"] = f"{page.path}#{name}.{member}"
    return found


def text_of(page: ReferencePage) -> str:
    """The Markdown of one page."""
    lines = [f"# {page.title}", ""]
    lines += [page.says, ""] if page.says else []
    if len(page.entries) > 1:
        lines += ["| name | |", "|---|---|"]
        for name, thing in page.entries.items():
            shown = name.rpartition(".")[2]
            lines.append(f"| [`{shown}`](#{name}) | {_said_first(name, thing)} |")
    for name, thing in page.entries.items():
        lines += ["", f"## {name.rpartition('.')[2]} {{#{name}}}", "", *_entry(name, thing)]
    return "\n".join(lines) + "\n"


def _said_first(name: str, thing: Any) -> str:
    said = first_sentence(_doc(name, thing))
    # A bar would end the cell, and escaped it is another sign of TeX's.
    said = re.sub(r"\$`.+?`\$", lambda match: match[0].replace("|", r"\vert "), said)
    return said.replace("|", "\\|")


def _doc(name: str, thing: Any) -> str:
    if isinstance(thing, type) or inspect.isfunction(thing):
        return inspect.getdoc(thing) or ""
    _, room, last = name.split(".")
    return documented_values(room).get(last, "")


def _entry(name: str, thing: Any) -> Iterator[str]:
    """Signature, text and members of one name."""
    if not (isinstance(thing, type) or inspect.isfunction(thing)):
        value = repr(thing)
        yield f"```python\n{name}{f' = {value}' if len(value) < 60 else ''}\n```\n"
        yield to_markdown(_doc(name, thing))
        return
    yield f"```python\n{signature(name, thing)}\n```\n"
    shared = _shared(thing)
    yield to_markdown(_doc(name, thing), leave_out=shared)
    page = DOCS / "methods" / page_name(thing)
    if page.is_file():
        called = title(page.read_text(encoding="utf-8"))
        yield f"\nWhen to take it, and when not: [{called}](../methods/{page.name})."
    if shared:
        yield "\nAll other arguments are those of [`Explainer`](explainer.md#polyattr.Explainer)."
    bases = [b.__name__ for b in getattr(thing, "__mro__", ())[1:] if b.__name__[0] != "_"]
    if isinstance(thing, type) and issubclass(thing, BaseException):
        yield f"\nA kind of {', '.join(f'`{b}`' for b in bases[: bases.index('Exception')])}."
    for member, value in _members(thing).items():
        yield f"\n### {name.rpartition('.')[2]}.{member} {{#{name}.{member}}}\n"
        if not isinstance(value, property):
            yield f"```python\n{signature(f'.{member}', value)}\n```\n"
        yield to_markdown(inspect.getdoc(value) or "")


def page_name(thing: Any) -> str:
    """The file of a method's page: the name of its class, with dashes."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", thing.__name__).lower() + ".md"


def _shared(thing: Any) -> frozenset[str]:
    """The arguments that all methods have, for a method; they are described once."""
    if thing is polyattr.Explainer or not _is_method(thing):
        return frozenset()
    return frozenset(inspect.signature(polyattr.Explainer).parameters) - {"model"}


def _is_method(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, MethodBase)


def _members(thing: Any) -> dict[str, Any]:
    """The public methods and properties a class has itself, or from a base that is not shown."""
    if not isinstance(thing, type):
        return {}
    shown = {id(getattr(polyattr, name)) for name in polyattr.__all__}
    # What all methods have is said of `Explainer`, once.
    method = _is_method(thing) and thing is not polyattr.Explainer
    said = vars(polyattr.Explainer if issubclass(thing, polyattr.Explainer) else MethodBase)
    found: dict[str, Any] = {}
    for owner in thing.__mro__:
        if not owner.__module__.startswith("polyattr") or (
            owner is not thing and id(owner) in shown
        ):
            continue
        for name, value in vars(owner).items():
            plain = getattr(value, "__func__", value)
            if name[0] == "_" or not (isinstance(value, property) or inspect.isfunction(plain)):
                continue
            if method and (owner is not thing or name in HOOKS or name in said):
                continue
            if inspect.getdoc(value) and not name.startswith("test_"):
                found.setdefault(name, value if isinstance(value, property) else plain)
    return found
