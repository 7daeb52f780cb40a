"""Layers that are not called, called twice, or return what has no gradient, on every framework.

The model is a function that calls its layers by name: all that core asks of a model with layers.
"""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import InputError, LayerNotFoundError, ModelOutputError
from polyattr.backend.bound_model import BoundModel, Layer, Visits
from polyattr.backend.registry import get_backend

X = np.random.default_rng(291).standard_normal((4, 3)).astype(np.float32)


class Named(BoundModel):
    """Runs ``body(call, x)``, where ``call(name, function, *args)`` calls a layer."""

    kind = "function of named layers"

    def layer(self, selector, argument):
        return Layer(selector, selector)

    def run(self, state, args, kwargs):
        return self.run_tapped(state, args, kwargs, [])[0]

    def run_tapped(self, state, args, kwargs, taps):
        visits = Visits(taps)

        def call(name, function, *given):
            for number, tap in enumerate(taps):
                if tap.layer.name == name:
                    function = tapped(visits, number, function)
            return function(*given)

        return self._function(call, *args, **kwargs), visits.seen


def tapped(visits, number, function):
    return lambda *args: visits.call(number, function, args, {})


@pytest.fixture(scope="module")
def made(lab):
    """Makes methods of models of named layers."""
    kind = type(get_backend(lab.name))
    backend = type("Layered", (kind,), {"bind": lambda self, model: Named(model)})()

    def make(body, method="GradientInput", **settings):
        return getattr(polyattr, method)(body, backend=backend, **settings)

    return make


def refused(kind, method, x, *parts):
    with pytest.raises(kind) as caught:
        method.explain(x)
    for part in parts:
        assert part in str(caught.value)


def test_a_layer_that_is_not_called(lab, made):
    def body(call, x):
        return lab.ops.sum(x * x)

    end = "belongs to the model but was not called in inference mode"
    refused(
        LayerNotFoundError,
        made(body, input_layer="dropout"),
        lab.tensor(X),
        f"input_layer 'dropout' {end}",
    )
    refused(
        LayerNotFoundError, made(body, output_layer="aux"), lab.tensor(X), f"output_layer {end}"
    )


def test_a_layer_that_is_called_twice(lab, made):
    def body(call, x):
        square = lambda t: t * t  # noqa: E731
        return lab.ops.sum(call("square", square, call("square", square, x)))

    for at_input in (False, True):
        refused(
            InputError,
            made(body, input_layer="square", attribute_to_layer_input=at_input),
            lab.tensor(X),
            "input_layer 'square' is called 2 times in one evaluation",
            "expected a layer that is called once",
            "or which call: input_layer=('square', 0) is the first",
        )
    # Where a layer is scored, its last call counts.
    method = made(lambda call, x: body(call, x) * 0.0 + 1.0, output_layer="square")
    found = method.attribute(lab.tensor(X), 1)
    assert_close(found.scores, X[:, 1] ** 4)
    assert_close(lab.numpy(found.values)[:, 1], 4 * X[:, 1] ** 4)


def test_one_call_of_a_layer_that_is_called_several_times(lab, made):
    """The score is ((x^2)^2)^2, its calls return x^2, x^4 and x^8."""

    def body(call, x):
        square = lambda t: t * t  # noqa: E731
        for _ in range(3):
            x = call("square", square, x)
        return lab.ops.sum(x)

    for number, powers in enumerate((4, 2, 1)):
        for at_input in (False, True):
            method = made(body, input_layer=("square", number), attribute_to_layer_input=at_input)
            expected = powers * (1 + at_input) * X**8
            assert_close(lab.numpy(method.explain(lab.tensor(X))), expected)
    path = made(
        body, "IntegratedGradients", input_layer=("square", 0), rule="gauss-legendre", steps=6
    )
    assert_close(lab.numpy(path.explain(lab.tensor(X))), X**8)
    # Of several calls only the last one is not cut off.
    method = made(body, input_layer=[("square", 0), ("square", 1)])
    with pytest.warns(polyattr.UnusedInputWarning, match="a layer behind another one cuts it off"):
        found = method.explain(lab.tensor(X))
    assert list(found) == ["square[0]", "square[1]"]
    assert_close(lab.numpy(found["square[1]"]), 2 * X**8)
    scored = made(lambda call, x: body(call, x) * 0.0, output_layer=("square", 1))
    assert_close(scored.attribute(lab.tensor(X), 1).scores, X[:, 1] ** 4)


def test_a_call_that_there_is_not(lab, made):
    square = lambda t: t * t  # noqa: E731
    once = lambda call, x: lab.ops.sum(call("square", square, x))  # noqa: E731
    for argument in ("input_layer", "output_layer"):
        refused(
            InputError,
            made(once, **{argument: ("square", 1)}),
            lab.tensor(X),
            f"{argument} is call 1 of 'square', which is called once in one evaluation",
            "expected at most 0, counted from 0",
        )
        with pytest.raises(InputError, match="expected the number of a call of at least 0"):
            made(once, **{argument: ("square", -1)})


def test_an_activation_without_floats(lab, made):
    cast = get_backend(lab.name).cast

    def body(call, x):
        ids = call("ids", lambda t: cast(t * 10.0, "int32"), x)
        return lab.ops.sum(x) + lab.ops.sum(cast(ids, "float32"))

    refused(
        ModelOutputError,
        made(body, input_layer="ids"),
        lab.tensor(X),
        "the activation of input_layer 'ids' holds no floating tensor",
        "no gradient to attribute",
    )


def test_an_activation_without_a_row_per_sample(lab, made):
    def body(call, x):
        return lab.ops.sum(x * call("weights", lab.ops.total, x))

    refused(
        ModelOutputError,
        made(body, input_layer="weights"),
        lab.tensor(X),
        "input_layer 'weights' has shape (3,) when tried on 2 samples",
        "one row per sample on the first axis, (2, ...)",
    )


def two_layers(lab):
    def body(call, x):
        first = call("first", lambda t: t * 2.0, x)
        return lab.ops.sum(call("second", lambda t: t * t, first))

    return body


def test_a_layer_behind_another_one(lab, made):
    method = made(two_layers(lab), input_layer=["first", "second"])
    text = r"does not depend on .*'first'.*cuts it off: explain them one at a time"
    with pytest.warns(polyattr.UnusedInputWarning, match=text):
        found = method.explain(lab.tensor(X))
    assert (lab.numpy(found["first"]) == 0).all()
    assert_close(lab.numpy(found["second"]), 4 * X**2)


def test_what_such_layers_are_worth(lab, made):
    """By the chain rule at what a layer returns, and at what it is given."""
    for layer, at_input, expected in [
        ("first", False, 2 * (2 * X) ** 2),
        ("first", True, 8 * X**2),
        ("second", True, 2 * (2 * X) ** 2),
        ("second", False, (2 * X) ** 2),
    ]:
        method = made(two_layers(lab), input_layer=layer, attribute_to_layer_input=at_input)
        assert_close(lab.numpy(method.explain(lab.tensor(X))), expected)


def test_an_activation_of_several_parts(lab, made):
    """Parts without a gradient go on as they are, and have None."""
    cast = get_backend(lab.name).cast

    def body(call, x):
        split = lambda t: {"left": t, "ids": cast(t * 0.0 + 3.0, "int32"), "flag": None}  # noqa: E731
        parts = call("split", split, x)
        factor = cast(parts["ids"], "float32")
        return lab.ops.sum(parts["left"] * parts["left"] * factor)

    method = made(body, "IntegratedGradients", input_layer="split", rule="midpoint", steps=3)
    found = method.explain(lab.tensor(X))
    assert (found["ids"], found["flag"]) == (None, None)
    assert_close(lab.numpy(found["left"]), 3 * X**2)
    # Through the layer: a baseline in the shape of the inputs that is no activation.
    start = {"left": np.full(3, 0.5, np.float32), "ids": None, "flag": None}
    found = method.explain(lab.tensor(X), baselines=start)
    assert_close(lab.numpy(found["left"]), 3 * (X**2 - 0.25))
    found = method.explain(lab.tensor(X), baselines=np.full((4, 3), 0.5, np.float32))
    assert_close(lab.numpy(found["left"]), 3 * (X**2 - 0.25))
