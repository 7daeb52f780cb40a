"""What completion and `help` read: every argument, its default, and what it means."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys

import pytest
from labs import EVERY_METHOD

import polyattr
from polyattr import Explainer, InputError, InputTypeError
from polyattr.explainer.options import CALL_ARGUMENTS
from polyattr.patching import AttributionPatching

EVERY = [*EVERY_METHOD, AttributionPatching]
CALLS = {
    "__call__": "inputs",
    "explain": "inputs",
    "attribute": "inputs",
    "explain_batches": "dataset",
    "attribute_batches": "dataset",
    "warm": "inputs",
    "function": "example",
}
KEPT = ("names", "keep_inputs")
"""Arguments of what returns a result, the last ones."""
RESULTS = ("attribute", "attribute_batches")
ENTRIES = [
    *((Explainer, name) for name in CALLS),
    (AttributionPatching, "__call__"),
    (AttributionPatching, "explain"),
]
# name: (a wrong value, the error, what it says); each shows that the argument arrives
WRONG = {
    "baselines": (0.0, InputError, "GradientInput has no baseline"),
    "forward_args": (3, InputTypeError, "forward_args is a int"),
    "forward_kwargs": ((1,), InputTypeError, "forward_kwargs is (1,)"),
    "batched": (0.5, InputTypeError, "batched is 0.5"),
    "progress": ("yes", InputTypeError, "progress is 'yes'"),
    "sample_ids": ([1], InputError, "no draw of GradientInput belongs to a sample"),
}


def names(thing):
    return [name for name in inspect.signature(thing).parameters if name != "self"]


def described(thing):
    """The arguments a docstring describes, with what it says of them."""
    text = re.split(r"^Args:$", inspect.getdoc(thing), flags=re.M)[1]
    text = re.split(r"^\w+:$", text, flags=re.M)[0]
    parts = re.split(r"^    (\w+): ", text, flags=re.M)
    return dict(zip(parts[1::2], (" ".join(part.split()) for part in parts[2::2]), strict=True))


@pytest.mark.parametrize(("owner", "name"), ENTRIES)
def test_every_call_lists_the_same_arguments(owner, name):
    """Written out in each, for tools that only read; here they are held together."""
    found = inspect.signature(getattr(owner, name)).parameters
    model = inspect.signature(Explainer.explain).parameters
    first = CALLS[name]
    common = [argument for argument in CALL_ARGUMENTS[1:] if argument not in KEPT]
    assert CALL_ARGUMENTS[-2:] == KEPT
    assert list(found) == ["self", first, *common, *(KEPT if name in RESULTS else ())]
    for argument in common:
        ours, theirs = found[argument], model[argument]
        assert (ours.default, ours.annotation, ours.kind) == (
            theirs.default,
            theirs.annotation,
            theirs.kind,
        )
    assert found[first].default is inspect.Parameter.empty


@pytest.mark.parametrize(("owner", "name"), ENTRIES)
def test_every_argument_of_a_call_is_described(owner, name):
    function = getattr(owner, name)
    if name != "__call__":  # whose help is that of `explain`
        assert list(described(function)) == names(function)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("argument", WRONG)
def test_every_argument_of_every_call_arrives(name, argument):
    value, kind, said = WRONG[argument]
    method = polyattr.GradientInput(abs)
    with pytest.raises(kind) as caught:
        getattr(method, name)(3.0, **{argument: value})
    assert said in str(caught.value)


@pytest.mark.parametrize("name", RESULTS)
def test_what_a_result_keeps_arrives(name):
    method = polyattr.GradientInput(abs)
    for argument, value in (("names", 3), ("keep_inputs", "yes")):
        with pytest.raises(InputTypeError, match=argument):
            getattr(method, name)(3.0, **{argument: value})


def test_no_call_takes_more_than_it_says():
    for owner, name in ENTRIES:
        kinds = {p.kind for p in inspect.signature(getattr(owner, name)).parameters.values()}
        assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("method", EVERY, ids=lambda method: method.__name__)
def test_help_describes_every_argument_of_a_method(method):
    said, shared = described(method), names(polyattr.Saliency)[1:]
    assert list(said) == names(method)
    own = [name for name in said if name not in {"model", *shared}]
    assert list(said) == ["model", *own, *shared]  # its own first
    for name, parameter in inspect.signature(method).parameters.items():
        assert len(said[name]) > 15
        if name != "model":
            assert said[name].endswith(f" Default: {parameter.default!r}."), name
    assert "are those of" not in " ".join(said.values())


@pytest.mark.parametrize("method", EVERY, ids=lambda method: method.__name__)
def test_help_is_shown_and_fits_a_screen(method):
    text = pydoc.plain(pydoc.render_doc(method))
    body = inspect.getdoc(method)
    assert all(line in text for line in body.splitlines())
    assert not [line for line in body.splitlines() if len(line) > 100]
    header = text.splitlines()[3]
    assert header.startswith(f" |  {method.__name__}(model: Any")
    assert "\"int | Literal['auto']\"" not in header
    assert "'str | GradBackend | None'" not in header  # annotations without quotes


def test_arguments_of_a_users_own_method_are_described():
    class Twice(polyattr.GradientInput):
        """Twice the gradient.

        Args:
            times: How often.
        """

        times: int = 2

    class Bare(Twice):
        more: float = 0.5

    assert described(Twice)["times"] == "How often. Default: 2."
    assert described(Twice)["batch_size"] == described(polyattr.Saliency)["batch_size"]
    assert described(Bare)["times"] == "How often. Default: 2."
    assert Bare.__doc__.startswith("A kind of `Twice`.")
    assert "more" not in described(Bare)
    assert "more" in names(Bare)


def test_without_docstrings():
    """Under -OO there are none; everything else is there."""
    line = "import polyattr; print(polyattr.IDGI(abs, steps=5), polyattr.IDGI.__doc__)"
    done = subprocess.run(
        [sys.executable, "-OO", "-c", line], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("IDGI(steps=5")


def told(call):
    with pytest.raises(InputTypeError) as caught:
        call()
    return str(caught.value)


def test_calls_say_what_is_too_much_or_missing():
    method = polyattr.IntegratedGradients(abs)
    message = told(lambda: method.attribute(1.0, 0.0, 3))  # as captum orders them
    assert "attribute is given 3 arguments by position; expected inputs and targets" in message
    assert "baselines=" in message
    assert told(lambda: method.explain()) == (
        "explain is given no inputs; expected explain(inputs, targets, ...)"
    )
    assert "given no dataset" in told(lambda: method.explain_batches(targets=1))
    assert "'steps' goes elsewhere: in the constructor, IntegratedGradients" in told(
        lambda: method.function(1.0, steps=3)
    )
    patching = AttributionPatching(abs, layers=[0])
    assert "'at' goes elsewhere: in the constructor" in told(lambda: patching(1.0, at="input"))
