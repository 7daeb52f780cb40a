"""Words of other libraries: each error says the one polyattr has, and where it goes."""

import inspect
import re
import subprocess
import sys
from pkgutil import resolve_name

import pytest

import polyattr
from polyattr import InputTypeError
from polyattr.explainer.options import CALL_ARGUMENTS
from polyattr.question.foreign.arguments import ARGUMENTS
from polyattr.question.foreign.names import (
    ABSENT,
    CLASSES,
    MEMBERS,
    METRICS,
    OTHER_QUESTIONS,
    RESULT_MEMBERS,
)

IG = polyattr.IntegratedGradients(abs)

# name: parts of what a call is told
IN_A_CALL = {
    "target": ["Here it is 'targets'", "in the call, method.explain(inputs, ...)"],
    "n_steps": ["Here it is 'steps'", "in the constructor, IntegratedGradients(model, ...)"],
    "stdevs": [
        "Here it is 'noise', in the units of the inputs",
        "constructor, SmoothGrad(model, ...)",
    ],
    "nt_samples": ["Here it is 'nb_samples'", "constructor, SmoothGrad(model, ...)"],
    "abs": ["no such choice", "Saliency gives magnitudes"],
    "internal_batch_size": [
        "Here it is 'batch_size'",
        "constructor, IntegratedGradients(model, ...)",
    ],
    "additional_forward_args": ["Here it is 'forward_args'", "'batched'", "in the call"],
    "return_convergence_delta": ["`completeness_gap`", "method.attribute(inputs, ...)"],
    "baseline": ["Here it is 'baselines'", "in the call"],
    "x_steps": ["Here it is 'steps'", "constructor"],
    "x_baseline": ["Here it is 'baselines'", "in the call"],
    "layer": ["Here it is 'input_layer'", "constructor"],
    "class_index": ["Here it is 'targets'", "in the call"],
    "x": ["Here it is inputs, the first argument", "in the call"],
    "y": ["Here it is 'targets'"],
    "verbose": ["Here it is 'progress'", "in the call"],
    "feature_mask": ["nothing is perturbed"],
    "max_sigma": ["Here it is 'max_sigma'", "constructor, BlurIntegratedGradients(model, ...)"],
    "feed_dict": ["Here it is 'forward_kwargs'", "in the call"],
    # polyattr's own, in the wrong place
    "steps": ["'steps' goes elsewhere", "constructor, IntegratedGradients(model, ...)"],
    "batch_size": ["'batch_size' goes elsewhere", "in the constructor"],
    "noise": ["Here it is 'noise'", "constructor, SmoothGrad(model, ...)"],
}

# name: parts of what a constructor is told
IN_A_CONSTRUCTOR = {
    "forward_func": ["the model, the first argument"],
    "reducer": ["no such choice", "plot() sums channels"],
    "harmonize": ["no such choice"],
    "n_steps": ["Here it is 'steps'"],
    "conv_layer": ["Here it is 'input_layer'", "in the constructor"],
    "device": ["no such choice", "the device of the inputs"],
    "link": ["Here it is 'operator', such as 'log_odds'"],
    "tokenizer": ["Here it is 'input_layer', the embedding; token ids are the inputs"],
    "target_fn": ["Here it is 'targets'", "callable on the output", "in the call"],
    "data": ["Here it is 'background'", "ExpectedGradients(model, ...)"],
    "num_samples": ["Here it is 'nb_samples'", "SmoothGrad(model, ...)"],
    "targets": ["'targets' goes elsewhere", "in the call"],
    "forward_kwargs": ["'forward_kwargs' goes elsewhere", "in the call"],
    "baselines": ["in the call"],
}


def told(call):
    with pytest.raises(InputTypeError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("name", IN_A_CALL)
def test_a_call_says_our_word_and_its_place(name):
    for call in (IG.explain, IG.attribute, IG):
        message = told(lambda call=call: call(3.0, **{name: 1}))
        assert message.startswith(f"a call has no argument {name!r}")
        assert all(part in message for part in IN_A_CALL[name]), message


@pytest.mark.parametrize("name", IN_A_CONSTRUCTOR)
def test_a_constructor_says_our_word_and_its_place(name):
    message = told(lambda: polyattr.IntegratedGradients(**{name: abs}))
    assert message.startswith(f"IntegratedGradients has no argument {name!r}")
    assert all(part in message for part in IN_A_CONSTRUCTOR[name]), message


def test_every_word_of_ours_exists_where_it_is_said_to_go():
    for word in ARGUMENTS.values():
        ours = re.match(r"'(\w+)'|`(\w+)`|", word.say)
        if word.place == "constructor" and ours[1]:
            maker = getattr(polyattr, word.maker or "Saliency")
            assert ours[1] in maker.__init__.__signature__.parameters, word
        if word.place == "call" and ours[1]:
            assert ours[1] in CALL_ARGUMENTS, word
        if word.place == "result":
            assert ours[2] in polyattr.Attribution.__dataclass_fields__, word


def test_every_class_of_ours_exists():
    for said in CLASSES.values():
        assert resolve_name(f"polyattr.{said.partition('(')[0]}") is not None, said
    every = [*CLASSES, *ABSENT, *METRICS, *OTHER_QUESTIONS]
    assert len(every) == len(set(every))
    assert not [name for name in every if name in polyattr.__all__]


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("InputXGradient", "polyattr.GradientInput(model)"),
        ("NoiseTunnel", "polyattr.SmoothGrad(of=method)"),
        ("GradientShap", "polyattr.ExpectedGradients(model, background=...)"),
        ("LayerIntegratedGradients", "polyattr.IntegratedGradients(model, input_layer=...)"),
        ("XRAI", "polyattr.regions.xrai(attribution, images)"),
        ("DeepLift", "polyattr has none: it attributes by gradients"),
        ("GradCAM", "polyattr has none"),
        ("GradientSaliency", "polyattr.Saliency(model)"),
        ("NeuronGradientShap", "polyattr.ExpectedGradients(model, background=..., output_layer"),
        ("TorchWrapper", "polyattr.Saliency(model), and so on: a torch model is taken as it is"),
        ("summary_plot", "polyattr.Attribution.plot()"),
        ("save", "polyattr.Attribution.save(path), of what method.attribute returns"),
        ("TreeExplainer", "polyattr has none: it attributes by gradients"),
        ("MuFidelity", "polyattr has no metrics of explanations"),
        ("TracInCP", "not to concepts or to data that the model was trained on"),
    ],
)
def test_a_class_of_another_library(name, ours):
    with pytest.raises(AttributeError) as caught:
        getattr(polyattr, name)
    assert str(caught.value).startswith(f"module 'polyattr' has no attribute {name!r}; ")
    assert ours in str(caught.value)
    assert not hasattr(polyattr, name)
    line = f"from polyattr import {name}"
    run = subprocess.run(
        [sys.executable, "-c", line], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.stderr.strip().splitlines()[-1].startswith("ImportError: module 'polyattr' has no")
    assert ours in run.stderr


def test_a_name_nobody_has():
    assert not hasattr(polyattr, "Nothing")
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from polyattr import Nothing  # noqa: F401


@pytest.mark.parametrize(
    ("name", "near"),
    [("Salience", "Saliency"), ("IntegratedGradient", None), ("smoothgrad", "SmoothGrad")],
)
def test_a_name_that_is_nearly_there(name, near):
    with pytest.raises(AttributeError) as caught:
        getattr(polyattr, name)
    ours = "IntegratedGradients(model)" if near is None else f". Did you mean {near}?"
    assert ours in str(caught.value)
    assert not hasattr(polyattr, "_repr_html_")


def test_a_call_that_is_nearly_there():
    with pytest.raises(AttributeError) as caught:
        IG.explian(3.0)
    # From these Python makes its own suggestion when it shows the error.
    assert caught.value.name == "explian"
    assert caught.value.obj is IG


def test_every_argument_of_ours_says_who_has_it():
    """Given to a class that has not got it."""
    every = [getattr(polyattr, name) for name in polyattr.__all__]
    methods = [c for c in every if isinstance(c, type) and hasattr(c, "recipe")]
    plain = set(inspect.signature(polyattr.Saliency).parameters)
    for method in {*methods} - {polyattr.Recipe}:
        for name in set(inspect.signature(method).parameters) - plain:
            message = told(lambda name=name: polyattr.Saliency(abs, **{name: 1}))
            maker = re.search(r"in the constructor, (\w+)\(model, \.\.\.\)", message)
            assert maker, message
            assert name in inspect.signature(getattr(polyattr, maker[1])).parameters


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_of_another_librarys_objects(name):
    assert not hasattr(IG, name)
    with pytest.raises(AttributeError, match=r"object has no attribute .*; here it is"):
        getattr(IG, name)


@pytest.mark.parametrize("name", RESULT_MEMBERS)
def test_what_tables_and_arrays_have_a_result_says_its_own_word_for(name):
    result = object.__new__(polyattr.Attribution)
    assert not hasattr(result, name)
    with pytest.raises(AttributeError, match=r"'Attribution' object has no .*; here it is") as told:
        getattr(result, name)
    for word in re.findall(r"result\.(\w+)", str(told.value)):
        assert word in {*dir(polyattr.Attribution), *polyattr.Attribution.__dataclass_fields__}
    for word in re.findall(r"method\.(\w+)", str(told.value)):
        assert hasattr(IG, word)


def test_arguments_by_position():
    message = told(lambda: polyattr.Saliency(abs, "logits"))
    assert "given 2 arguments by position; expected the model alone" in message
    assert "output_layer=" in message


def test_no_model_at_all():
    assert "expected Saliency(model, ...)" in told(lambda: polyattr.Saliency())
