"""Calls inside a transformation, and operators of other arguments: told in words."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import InputError, InputTypeError

X = np.random.default_rng(17).standard_normal((4, 3)).astype(np.float32)
WORDS = r"is being traced.*expected arrays\. Use phi = method\.function\(example, targets\)"


def transformed(name):
    """What each framework turns a function into, and traces while it does."""
    if name == "jax":
        import jax
        from jax.sharding import Mesh, PartitionSpec

        mesh = Mesh(np.array(jax.devices()[:1]), ("d",))
        rows = PartitionSpec("d")
        return {
            "jit": jax.jit,
            "grad": lambda f: jax.grad(lambda x: f(x).sum()),
            "vmap": lambda f: jax.vmap(lambda x: f(x[None])[0]),
            "jvp": lambda f: lambda x: jax.jvp(f, (x,), (x,)),
            "shard_map": lambda f: jax.shard_map(f, mesh=mesh, in_specs=rows, out_specs=rows),
        }
    if name == "tensorflow":
        import tensorflow as tf

        return {"function": lambda f: tf.function(f, autograph=False)}
    import torch

    return {
        "vmap": lambda f: torch.func.vmap(lambda x: f(x[None])[0]),
        "grad": lambda f: torch.func.grad(lambda x: f(x).sum()),
        "jvp": lambda f: lambda x: torch.func.jvp(f, (x,), (x,)),
        "functionalize": torch.func.functionalize,
        "export": lambda f: lambda x: torch.export.export(_calling(f), (x,)),
    }


def _calling(function):
    import torch

    class Calling(torch.nn.Module):
        def forward(self, x):
            return function(x)

    return Calling()


# Of PyTorch itself, the first time that something is differentiated forwards.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_a_call_inside_a_transformation(lab):
    method = polyattr.GradientInput(lambda x: lab.ops.sum(x * x), backend=lab.name)
    for transform in transformed(lab.name).values():
        for call in (method.explain, method, lambda x: method.attribute(x).values):
            with pytest.raises(InputError, match=WORDS):
                transform(call)(lab.tensor(X))
        # What failed left nothing of the trace behind.
        assert_close(lab.numpy(method.explain(lab.tensor(X))), 2 * X**2)


def test_a_call_in_code_that_tensorflow_translates(lab):
    """AutoGraph wraps every error but Python's own in one of its own."""
    method = polyattr.GradientInput(lambda x: lab.ops.sum(x * x), backend=lab.name)
    if lab.name == "tensorflow":
        import tensorflow as tf

        with pytest.raises(Exception, match=WORDS):
            tf.function(lambda x: method.explain(x))(lab.tensor(X))
    assert_close(lab.numpy(method.explain(lab.tensor(X))), 2 * X**2)


def test_all_but_the_inputs_inside_a_transformation(lab):
    transforms = transformed(lab.name)
    x = lab.tensor(X)
    whole = next(iter(transforms.values()), None)
    if whole is None:
        return
    model = lambda x: x * x  # noqa: E731
    path = polyattr.IntegratedGradients(model, backend=lab.name, steps=3, rule="midpoint")
    calls = {
        "targets": lambda t: path.explain(x, t),
        "baselines": lambda b: path.explain(x, 1, baselines=b),
        "an argument": lambda s: polyattr.Saliency(lambda x, s: x * s, backend=lab.name).explain(
            x, 1, forward_args=(s,)
        ),
    }
    for kind, call in calls.items():
        given = lab.tensor(np.arange(4) % 3) if kind == "targets" else x
        with pytest.raises(InputError, match=WORDS):
            whole(call)(given)
    weights = lambda w: polyattr.Saliency(lambda x: x * w, backend=lab.name).explain(x, 1)  # noqa: E731
    with pytest.raises(InputError, match="is being traced"):
        whole(weights)(x)
    assert_close(lab.numpy(path.explain(x, 1))[:, 1], X[:, 1] ** 2)


OPERATORS = {
    "two": lambda model, inputs: model(inputs)[:, 0],
    "one": lambda outputs: outputs[:, 0],
    "four": lambda model, inputs, targets, more: model(inputs)[:, 0],
    "by name only": lambda *, model, inputs, targets: model(inputs)[:, 0],
}


@pytest.mark.parametrize("kind", OPERATORS)
def test_an_operator_of_other_arguments(lab, kind):
    with pytest.raises(InputTypeError) as caught:
        polyattr.Saliency(lambda x: x, backend=lab.name, operator=OPERATORS[kind])
    assert "operator takes (" in str(caught.value)
    assert "expected g(model, inputs, targets) -> (N,)" in str(caught.value)


def test_operators_that_take_three_somehow(lab):
    class Score:
        def __call__(self, model, inputs, targets, scale=2.0):
            return model(inputs)[:, 0] * scale

        def method(self, model, inputs, targets):
            return self(model, inputs, targets)

    for operator in (Score(), Score().method, lambda *all: all[0](all[1])[:, 0] * 2):
        method = polyattr.GradientInput(lambda x: x * x, backend=lab.name, operator=operator)
        assert_close(lab.numpy(method.explain(lab.tensor(X)))[:, 0], 4 * X[:, 0] ** 2)


CALLED = {
    "two": lambda outputs, targets: outputs[:, 0],
    "none": lambda: 0,
    "by name only": lambda *, outputs: outputs[:, 0],
}


@pytest.mark.parametrize("kind", CALLED)
def test_a_target_or_output_of_other_arguments(lab, kind):
    given = CALLED[kind]
    method = polyattr.Saliency(lambda x: x * x, backend=lab.name)
    with pytest.raises(InputTypeError, match=r"targets takes \(.*g\(outputs\) -> \(N,\)") as caught:
        method.explain(lab.tensor(X), given)
    assert not getattr(caught.value, "__notes__", [])  # no other number of rows was tried
    with pytest.raises(InputTypeError, match=r"output takes \(.*expected g\(returned\) -> tensor"):
        polyattr.Saliency(lambda x: x, backend=lab.name, output=given)


def test_targets_and_outputs_that_take_one_somehow(lab):
    for one in (lambda *all: all[0][:, 1], lambda z, column=1: z[:, column]):
        method = polyattr.GradientInput(lambda x: x * x, backend=lab.name)
        assert_close(lab.numpy(method.explain(lab.tensor(X), one))[:, 1], 2 * X[:, 1] ** 2)
        taken = polyattr.GradientInput(lambda x: x * x, backend=lab.name, output=one)
        assert_close(lab.numpy(taken.explain(lab.tensor(X)))[:, 1], 2 * X[:, 1] ** 2)
