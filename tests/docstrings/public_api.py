"""The public API, walked: every name a reader can look up, and what kind of thing it is."""

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

from labs import LABS, under_test

import polyattr
from polyattr import baselines, domains, integrations, metrics, plots, regions, reports, sampling

# What an author of a backend or of a method subclasses: its methods are supplied to polyattr, not
# called by users.
INTERFACES = (
    "polyattr.backend.interface",
    "polyattr.backend.optional_verbs",
    "polyattr.backend.bound_model",
    "polyattr.baselines",
    "polyattr.domains",
    "polyattr.sampling.errors.intervals",
    "polyattr.sampling.errors.norm",
    "polyattr.sampling.recipe",
    "polyattr.sampling.statistics",
    "polyattr.sampling.straight_path",
    "polyattr.testing",
)


@dataclass(frozen=True)
class Item:
    """One public name.

    `kind` is "class", "error", "function", "method" or "property"; or "override" for a method
    whose contract stands in a base class, and "check" for a test of the conformance suite.
    """

    name: str
    kind: str
    thing: Any
    owner: type | None = None


def packages():
    plugins = [f"polyattr_{name}" for name in under_test(*LABS)]
    return [importlib.import_module(n) for n in ("polyattr", "polyattr.testing", *plugins)]


def public_items():
    """Walks what the packages export, and the public members of exported classes, once each."""
    found = {}
    # The recipes to build on: their constants and aliases are documented where they stand.
    more = sampling, baselines, domains, plots, regions, reports, metrics, integrations
    for package in (*packages(), *more):
        for name in package.__all__:
            thing = getattr(package, name)
            if package is integrations and not isinstance(thing, type):
                continue  # what it makes is of libraries that need not be there
            # A version and a ready-made backend are documented by their class.
            if isinstance(thing, type) or inspect.isfunction(thing):
                for item in items_of(thing):
                    found.setdefault(item.thing, item)
    return list(found.values())


def items_of(thing):
    """The items of one exported class or function."""
    if inspect.isfunction(thing):
        return [Item(thing.__name__, "function", thing)]
    if issubclass(thing, BaseException):
        return [Item(thing.__name__, "error", thing)]
    return [Item(thing.__name__, "class", thing), *_members(thing)]


def _members(cls):
    ours = [base for base in cls.__mro__ if is_ours(base)]
    for number, owner in enumerate(ours):
        inherited = {name for base in ours[number + 1 :] for name in vars(base)}
        for name, value in vars(owner).items():
            function = plain(value)
            if function is None or (name.startswith("_") and name != "__call__"):
                continue
            kind = "property" if isinstance(value, property) else "method"
            if name.startswith("test_") and owner.__module__.startswith("polyattr.testing"):
                kind = "check"
            elif name in inherited:
                kind = "override"
            yield Item(f"{owner.__name__}.{name}", kind, function, owner)


def plain(value):
    """The function inside a property, a decorated or a bound one; None for anything else."""
    value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
    return inspect.unwrap(value) if inspect.isfunction(value) else None


def is_ours(thing):
    return thing.__module__.partition(".")[0] in {
        "polyattr",
        *(f"polyattr_{n}" for n in LABS),
    }


def is_hook(item):
    """A method that subclasses supply: part of an interface, or overridden by a method."""
    if item.owner.__module__.startswith(INTERFACES):
        return True
    name = item.thing.__name__
    exported = [getattr(polyattr, public) for public in polyattr.__all__]
    return any(
        isinstance(cls, type)
        and issubclass(cls, item.owner)
        and plain(getattr(cls, name)) is not item.thing
        for cls in exported
    )


def is_method_class(item):
    """An attribution method: a finished subclass of Explainer."""
    is_explainer = item.kind == "class" and issubclass(item.thing, polyattr.Explainer)
    return is_explainer and not inspect.isabstract(item.thing)
