"""What an error of the user's own code is most likely about: one line in front of its own words."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, TracebackType
from typing import NamedTuple

_CALLED = {
    "operator": "operator(model, inputs, targets)",
    "targets": "targets, called with the output,",
    "output": "output, called with what the model returned,",
    "baselines": "baselines, called with the inputs,",
    "baseline_value": "baseline_value, called with the inputs,",
    "path": "path(x, b, alpha)",
    "distribution": "distribution(generator, shape)",
}
# A device, a node of a graph and the like, whose numbers are no sizes.
_NO_SIZES = re.compile(r"\{\{.*?\}\}|device:\w+:\d+|\bfloat\d+|\bint\d+|0x\w+|line \d+|#\d+")
_SHAPES = re.compile(
    r"shape|size|dimension|\bndim|rank|multipl|broadcast|incompat|channel|\b\dD\b|axis|axes", re.I
)
_RANKS = re.compile(r"ndim|rank|dimensional|\b\dD\b", re.I)
_DTYPES = re.compile(r"dtypes?(?!\w|=)|scalar type|data type|expected to be an? \w+ tensor", re.I)
_DEVICES = re.compile(r"\bdevices?\b", re.I)
_ARGUMENTS = re.compile(r"(positional|keyword|unexpected|values for) .*argument|takes \d", re.I)
_ELSEWHERE = re.compile(
    r"numpy\(\)|requires grad|must be Tensor, not (?!tuple|list|dict)|as a JAX value|"
    r"Attempt to convert a value|cannot be interpreted as a valid JAX",
    re.I,
)


class Given(NamedTuple):
    """An array that the user's code was called with.

    Attributes:
        name: As a user would write it.
        shape: Its shape.
        dtype: Its dtype, in words.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str


def reading(
    error: Exception, model: object, named: Mapping[str, object], given: Iterable[Given]
) -> str:
    """Says which of the user's things failed, on what, and what it is most likely about.

    Args:
        error: What was raised.
        model: The user's model.
        named: What else of the user's is called, by the argument it was given as.
        given: The inputs, and the arrays beside them.

    Returns:
        One line; "" where nothing of the user's is known to have failed.
    """
    arrays = list(given)
    who = _who(error.__traceback__, model, named)
    if not who:
        return ""
    on = ", ".join(f"{a.name} of shape {a.shape}, {a.dtype}" for a in arrays[:3])
    on += ", ..." * (len(arrays) > 3)
    if who in _CALLED:
        return f"{_CALLED[who]} failed, in a call on {on}; what it said:"
    return f"the model failed on {on}: most likely {_about(error, arrays)}; what it said:"


def _who(trace: TracebackType | None, model: object, named: Mapping[str, object]) -> str:
    """Names whose code raised: the innermost frame that belongs to something of the user's."""
    owners = {code: name for name, part in named.items() for code in _codes(part)}
    owners |= dict.fromkeys(_codes(model), "model")
    found = ""
    while trace is not None:
        frame = trace.tb_frame
        own = frame.f_locals.get("self")
        module = str(frame.f_globals.get("__name__", ""))
        if own is not None and own is model:
            found = "model"
        elif frame.f_code in owners:
            found = owners[frame.f_code]
        elif module.startswith("polyattr_") and ".bound_" in module and not found:
            found = "model"  # of which its framework may have taken the frames out
        trace = trace.tb_next
    return found


def _codes(thing: object) -> Iterator[CodeType]:
    """The code of a callable of the user's, inside what it is wrapped in."""
    for _ in range(8):
        if isinstance(thing, functools.partial):
            thing = thing.func
        elif hasattr(thing, "__wrapped__"):
            thing = thing.__wrapped__
        else:
            break
    thing = getattr(thing, "__func__", thing)
    code = getattr(thing, "__code__", None)
    if code is None and callable(thing):
        code = getattr(type(thing).__call__, "__code__", None)
    if isinstance(code, CodeType):
        yield code


def _about(error: Exception, given: list[Given]) -> str:
    """Guesses which argument an error of the model is about."""
    text = str(error).partition("Arguments received")[0]  # by Keras: these say what all are
    if isinstance(error, TypeError) and _ARGUMENTS.search(text):
        beside = [array.name for array in given if array.name.startswith("forward_")]
        if beside:
            return f"{beside[0]} is not what it takes after its inputs"
        return "it takes other arguments too: pass them in forward_args or forward_kwargs"
    if _ELSEWHERE.search(text):
        return "it computes in NumPy or in another framework, where there is no gradient"
    if _DTYPES.search(text):
        return f"the dtype of {given[0].name} is not the one it takes" if given else "a dtype"
    if _SHAPES.search(text):
        sizes = {int(number) for number in re.findall(r"\d+", _NO_SIZES.sub("", text))}
        ranks = bool(_RANKS.search(text))
        for array in given:
            own = {*array.shape[1:], *([len(array.shape)] * ranks)}
            if sizes & own:
                return f"the shape of {array.name} is not the one it takes"
        return "shapes inside it do not fit each other, whatever it is given"
    if _DEVICES.search(text):
        return f"{given[0].name} is not on its device" if given else "a device"
    return "a mistake of its own, whatever it is given"
