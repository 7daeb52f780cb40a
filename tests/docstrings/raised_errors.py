"""Which polyattr errors a function can raise, read from its source and that of what it calls.

Calls are followed where the code says whose they are: names of the module, ``self``, ``super()``,
classes, and attributes of ``self`` that are annotated with a class. A call on any other object,
such as the user's backend, is not.
"""

import ast
import dataclasses
import functools
import importlib
import inspect
import sys
import textwrap

from public_api import is_ours, plain

from polyattr import PolyattrError


def raised_by(function, owner=None):
    """The errors that `function` can raise, as a set of classes; `owner` is the class of self."""
    return _Reader(owner).read(plain(function), owner)


def raised_by_constructor(cls):
    reader = _Reader(cls)
    return reader.read_class(cls)


class _Reader:
    def __init__(self, owner):
        self._seen = set()

    def read_class(self, cls):
        found = set()
        for name in ("__init__", "__post_init__"):
            found |= self._read_all(getattr(cls, name, None), cls)
        for check in _checks(cls):
            found |= self.read(check, cls)
        return found

    def _read_all(self, function, owner):
        """Reads a function, and what it is wrapped around."""
        found = set()
        while inspect.isfunction(function):
            found |= self.read(function, owner)
            function = getattr(function, "__wrapped__", None)
        return found

    def read(self, function, owner):
        """Reads one function whose self is an `owner`."""
        if (function, owner) in self._seen or not is_ours(function):
            return set()
        self._seen.add((function, owner))
        tree = _tree(function)
        if tree is None:
            return set()
        names = _Names(function, owner, tree)
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                found |= names.errors(node.exc)
            elif isinstance(node, ast.Call):
                found |= self._follow(names.lookup(node.func), names.next_owner(node.func))
            elif isinstance(node, ast.Attribute) and _is_self(node.value):
                value = inspect.getattr_static(owner, node.attr, None) if owner else None
                if isinstance(value, property):
                    found |= self.read(plain(value), owner)
        return found

    def _follow(self, target, owner):
        if isinstance(target, type):
            return self.read_class(target) if is_ours(target) else set()
        function = plain(target)
        return set() if function is None else self.read(function, owner)


class _Names:
    """What the names in one function's source stand for."""

    def __init__(self, function, owner, tree):
        self.function, self.owner = function, owner
        self.known = dict(function.__globals__)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("polyattr"):
                module = importlib.import_module(node.module)
                self.known |= {a.asname or a.name: getattr(module, a.name) for a in node.names}

    def lookup(self, node):
        """The object an expression names, or None."""
        if isinstance(node, ast.Name):
            return self.known.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        if _is_self(node.value):
            return inspect.getattr_static(self.owner, node.attr, None) if self.owner else None
        if _is_super(node.value):
            return self._from_next_base(node.attr)
        base = self.annotated(node.value) or self.lookup(node.value)
        return inspect.getattr_static(base, node.attr, None) if base is not None else None

    def annotated(self, node):
        """The class that an attribute of self is annotated with, or None."""
        if not (isinstance(node, ast.Attribute) and _is_self(node.value) and self.owner):
            return None
        for cls in self.owner.__mro__:
            annotation = vars(cls).get("__annotations__", {}).get(node.attr)
            if isinstance(property_ := vars(cls).get(node.attr), property):
                annotation = property_.fget.__annotations__.get("return")
            if annotation is not None:
                found = vars(sys.modules.get(cls.__module__)).get(annotation)
                return found if isinstance(found, type) else None
        return None

    def next_owner(self, node):
        """The class of self in what an expression calls."""
        if isinstance(node, ast.Attribute) and self.annotated(node.value):
            return self.annotated(node.value)
        if isinstance(node, ast.Attribute):
            base = self.lookup(node.value)
            # Base.method(self): the same object still.
            same = _is_self(node.value) or _is_super(node.value)
            return self.owner if same or isinstance(base, type) else None
        return None

    def _from_next_base(self, name):
        mro = self.owner.__mro__
        defining = [
            i
            for i, c in enumerate(mro)
            if plain(vars(c).get(self.function.__name__)) is self.function
        ]
        later = (vars(cls)[name] for cls in mro[defining[0] + 1 :] if name in vars(cls))
        return next(later, None)

    def errors(self, node):
        """The classes of a raised expression: a class, or a function annotated to return one."""
        target = self.lookup(node.func if isinstance(node, ast.Call) else node)
        if inspect.isfunction(target):
            target = target.__globals__.get(target.__annotations__.get("return"))
        is_error = isinstance(target, type) and issubclass(target, PolyattrError)
        return {target} if is_error else set()


def _checks(cls):
    """The checks that the fields of a method come with."""
    entries = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    return [check for entry in entries if (check := entry.metadata.get("check")) is not None]


def _is_self(node):
    return isinstance(node, ast.Name) and node.id == "self"


def _is_super(node):
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


@functools.cache
def _tree(function):
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except OSError:  # written by dataclass, which raises nothing of ours
        return None
