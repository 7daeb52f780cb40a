"""`polyattr describe METHOD`: what it computes, what it costs, when to take it."""

from __future__ import annotations

import inspect
import json
import textwrap
from typing import Any

import click

from polyattr.cli.asking.methods import every_method, find_method
from polyattr.cli.asking.settings import own_settings
from polyattr.explainer.base import MethodBase


@click.command()
@click.argument("method", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--bibtex", is_flag=True, help="Print the citation alone.")
def describe(method: str | None, as_json: bool, bibtex: bool) -> None:
    """Say what METHOD computes: equation, cost, when to take it and when not, citation.

    Without METHOD, list all methods.
    """
    known = every_method()
    chosen = known if method is None else {"": find_method(method, known)}
    if as_json:
        entries = [facts(kind) for kind in chosen.values()]
        click.echo(json.dumps({"schema": 1, "command": "describe", "methods": entries}, indent=2))
    elif method is None:
        for name, kind in known.items():
            click.echo(f"{name:<28} {kind.gist}")
    else:
        (kind,) = chosen.values()
        click.echo(kind.citation() if bibtex else described(kind))


def facts(kind: type[MethodBase]) -> dict[str, Any]:
    """What is known of a method, for machines."""
    guide, paper = kind.guide, kind.paper
    return {
        "name": kind.__name__,
        "gist": kind.gist,
        "equation": guide.equation if guide else None,
        "cost": guide.cost if guide else None,
        "when": guide.when if guide else None,
        "when_not": guide.when_not if guide else None,
        "signed": kind.signed,
        "settings": {name: _default(kind, name) for name in own_settings(kind)},
        "title": paper.title if paper else None,
        "year": paper.year if paper else None,
        "arxiv": paper.arxiv if paper else None,
    }


def described(kind: type[MethodBase]) -> str:
    """What is known of a method, for readers."""
    known = facts(kind)
    settings = ", ".join(f"{name}={default}" for name, default in known["settings"].items())
    signs = "signed" if kind.signed else "never negative"
    lines = [
        f"{kind.__name__}: {(inspect.getdoc(kind) or '').splitlines()[0]}",
        "",
        *_entry("value of i", f"{known['equation']}  ({signs})"),
        *_entry("cost", known["cost"]),
        *_entry("take it for", known["when"]),
        *_entry("not for", known["when_not"]),
        *_entry("settings", settings or "none of its own"),
        *_entry("paper", f"{known['title']} ({known['year']})"),
        *_entry("", f"https://arxiv.org/abs/{known['arxiv']}"),
        *_entry("in Python", f"polyattr.{kind.__name__}(model)"),
        "",
        kind.citation(),
    ]
    return "\n".join(lines)


def _entry(name: str, text: object) -> list[str]:
    head, gap = f"{name:<12} ", " " * 13
    return textwrap.wrap(str(text), 96, initial_indent=head, subsequent_indent=gap)


def _default(kind: type[MethodBase], name: str) -> str:
    default = inspect.signature(kind).parameters[name].default
    return "" if default is inspect.Parameter.empty else repr(default)
