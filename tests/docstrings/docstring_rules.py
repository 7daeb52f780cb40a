"""What a public docstring has to say. Each rule takes an item and yields complaints."""

import builtins
import inspect
import re

from docstring_sections import parse
from public_api import is_hook, is_method_class
from raised_errors import raised_by, raised_by_constructor

import polyattr
from polyattr import baselines, domains, metrics, plots, regions, reports, sampling

_SIZE = r"(?:[A-Z]\w?|\d+|\.\.\.|features|axes|\*\w+\.shape\[1:\])"
SHAPE = re.compile(rf"\((?:{_SIZE}(?: or \d)?, ?)+{_SIZE}?\)|\(\.\.\.\)|\bshaped?\b|\bshapes\b")
SOURCE = re.compile(r"\(\d{4}\),\s+(?:arXiv\s+\d{4}\.\d{4,5}|doi:10\.\d{4,9}/\S+)")
_ARRAY = re.compile(r"\b(?:(?:Native)?Tensor|Array|ndarray)\b")
_ARRAY_WORD = re.compile(r"\b(?:tensors?|arrays?)\b", re.IGNORECASE)
_ALIAS = re.compile(r"Same as `(\w+)`\.")


def docstring_of(item):
    """What a reader sees: an override without a docstring has that of the method it overrides."""
    if item.kind == "override":
        return inspect.getdoc(getattr(item.owner, item.thing.__name__))
    return item.thing.__doc__


def complaints(item, text):
    """Everything that is wrong with `text` as the docstring of an item, as sentences."""
    doc = parse(text)
    if not doc.body:
        return ["no docstring"]
    if item.kind in {"override", "check"}:
        return []  # the contract stands in the base class, or is the test itself
    alias = _ALIAS.fullmatch(doc.body)
    if alias:
        return _alias(item, alias[1])
    rules = [_stale, *_RULES[item.kind]] + [_method_class] * is_method_class(item)
    return [complaint for rule in rules for complaint in rule(item, doc)]


def _alias(item, name):
    if _lookup(name, item) is None:
        return [f"`{name}` is not documented"]
    same = parameters(item.thing).keys() == parameters(getattr(item.owner, name)).keys()
    return [] if same else [f"`{name}` has other parameters"]


# -- what is documented, here or where the text points -------------------------------------------


def _lookup(name, item):
    """The docstring of a backticked name: a member of the same class, public, or a recipe."""
    places = (item.owner, polyattr, sampling, baselines, domains, plots, regions, reports, metrics)
    thing = next((t for p in places if (t := getattr(p, name, None))), None)
    doc = parse(getattr(thing, "__doc__", None))
    return doc if doc.body and thing is not item.thing else None


def _covered(item, doc, sections, word):
    """Names with an entry here, or in a docstring whose arguments or errors are taken over."""
    names = {name for section in sections for name in doc.entries(section)}
    for sentence in re.split(r"(?<=[.;])\s", doc.text):
        if re.search(word, sentence):
            for name in re.findall(r"`(\w+)`", sentence):
                other = _lookup(name, item)
                names |= _covered(item, other, sections, word) if other else set()
    return names


def parameters(thing):
    """The public parameters with their annotations; those of a method are its fields."""
    if (
        isinstance(thing, type)
        and issubclass(thing, BaseException)
        and "__init__" not in vars(thing)
    ):
        return {}  # a message, as for every exception
    found = {}
    for name, parameter in inspect.signature(thing).parameters.items():
        # Evaluated, `Tensor` would be Any: every module postpones its annotations.
        annotation = _written(parameter.annotation)
        assert isinstance(annotation, str) or annotation is parameter.empty
        if name not in {"self", "cls"} and not name.startswith("_"):
            found[name] = str(annotation)
    return found


def _written(annotation):
    """An annotation as it stands in the source, from which a NamedTuple makes a reference."""
    return getattr(annotation, "__forward_arg__", annotation)


def _is_array(annotation):
    return bool(_ARRAY.search(re.sub(r"Callable\[.*\]|Mapping\[.*\]", "", annotation)))


# -- rules -----------------------------------------------------------------------------------------


def _stale(item, doc):
    if item.kind == "property":
        return
    known = parameters(item.thing)
    for name in doc.entries("Args"):
        if name not in known:
            yield f"Args: documents {name}, which is no parameter"
    for name in doc.entries("Attributes"):
        if not any(
            name in {*vars(c), *vars(c).get("__annotations__", ())} for c in item.thing.__mro__
        ):
            yield f"Attributes: documents {name}, which is none"
    for name in doc.entries("Raises"):
        error = getattr(polyattr, name, None) or getattr(builtins, name, None)
        if not (isinstance(error, type) and issubclass(error, BaseException)):
            yield f"Raises: names {name}, which is no error"


def _arguments(item, doc):
    missing = set(parameters(item.thing)) - _covered(item, doc, ("Args", "Attributes"), "arguments")
    if "Args" not in doc.sections and item.kind != "class" and not _wants_example(item):
        missing -= set(re.findall(r"`(\w+)`", doc.body))  # a verb may say it in its sentence
    for name in sorted(missing):
        yield f"Args: does not document {name}"


def _argument_shapes(item, doc):
    annotations = parameters(item.thing)
    if item.kind == "class":
        own = getattr(item.thing, "__annotations__", {})
        annotations |= {name: _written(annotation) for name, annotation in own.items()}
    for section in ("Args", "Attributes"):
        for name, text in doc.entries(section).items():
            an_array = _is_array(annotations.get(name, "")) or _ARRAY_WORD.search(text)
            if an_array and not SHAPE.search(text):
                yield f"{section}: gives no shape for {name}"
    if item.kind != "class":
        # `like` stands for a device, whatever its shape.
        left = set(annotations) - set(doc.entries("Args")) - {"like"}
        if any(_is_array(annotations[name]) for name in left) and not SHAPE.search(doc.body):
            yield "gives no shape for its arguments"


def _returns(item, doc):
    annotation = str(inspect.signature(item.thing).return_annotation)
    if annotation == "None" and item.kind != "property":
        return
    said = doc.sections.get("Returns", "")
    long_form = "Args" in doc.sections or "Example" in doc.sections
    if not said and not doc.body.startswith("Returns ") and long_form and item.kind != "property":
        yield "has no Returns:"
    an_array = _is_array(annotation) or _ARRAY_WORD.search(said)
    if an_array and not SHAPE.search(said or doc.body):
        yield "gives no shape for what it returns"


def _raises(item, doc):
    raised = (
        raised_by_constructor(item.thing)
        if item.kind == "class"
        else raised_by(item.thing, item.owner)
    )
    documented = [
        getattr(polyattr, name)
        for name in _covered(item, doc, ("Raises",), "raises|errors")
        if hasattr(polyattr, name)
    ]
    for error in sorted(raised, key=lambda error: error.__name__):
        if not issubclass(error, tuple(documented)):
            yield f"Raises: does not say when it raises {error.__name__}"


def _wants_example(item):
    called_by_users = item.kind == "method" and not is_hook(item)
    return item.kind in {"class", "function"} or called_by_users


def _example(item, doc):
    if _wants_example(item) and ">>> " not in doc.sections.get("Example", ""):
        yield "has no Example: with >>> lines"


def _error(item, doc):
    if not re.search(r"^What to do: \w", doc.body, flags=re.MULTILINE):
        yield "does not say what to do"
    if "__init__" in vars(item.thing):
        yield from _arguments(item, doc)


def _method_class(item, doc):
    wanted = {
        "source (authors, title (year), arXiv number or doi)": SOURCE,
        "equation": re.compile(r":math:`|\.\. math::"),
        "units": re.compile(r"\bUnits: \w"),
        "shape": re.compile(r"\bShape: [^.]*\(N, "),
    }
    for what, pattern in wanted.items():
        if not pattern.search(doc.body):
            yield f"gives no {what}"
    if "Raises" not in doc.sections:
        yield "has no Raises:"


_RULES = {
    "class": (_arguments, _argument_shapes, _raises, _example),
    "function": (_arguments, _argument_shapes, _returns, _raises, _example),
    "method": (_arguments, _argument_shapes, _returns, _raises, _example),
    "property": (_returns, _raises),
    "error": (_error,),
}
