"""An explainer lives long: it keeps its model and kernels, and nothing of the calls it answered."""

import gc
import inspect
import weakref

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

X = np.random.default_rng(811).standard_normal((5, 3))
WEIGHTS = np.random.default_rng(812).standard_normal((5, 3))


def squares(ops, x):
    return x * x


def weighted_squares(ops, x, weights):
    return ops.sum(x * x * weights)


def alive(references):
    gc.collect()
    return [name for name, reference in references.items() if reference() is not None]


def test_targets_given_as_weights_are_freed(lab):
    method = polyattr.IntegratedGradients(
        lab.function(squares), backend=lab.name, steps=4, batch_size=7, rule="midpoint"
    )
    arrays = {"host": WEIGHTS.astype(np.float32), "native": lab.tensor(WEIGHTS)}
    references = {name: weakref.ref(array) for name, array in arrays.items()}
    for array in arrays.values():
        found = lab.numpy(method.explain(lab.tensor(X), array))
        assert_close(found, X * X * WEIGHTS)
        method.attribute(lab.tensor(X), array)
    del array, arrays
    assert alive(references) == []
    assert_close(lab.numpy(method.explain(lab.tensor(X), 1))[:, 1], X[:, 1] ** 2)


def test_everything_else_of_a_call_is_freed(lab):
    """Inputs, baselines, targets of an operator, and what the model takes beside its inputs."""

    def operator(model, inputs, targets):
        return model(inputs) * targets

    method = polyattr.IntegratedGradients(
        lab.function(weighted_squares),
        backend=lab.name,
        steps=4,
        operator=operator,
        rule="midpoint",
    )
    arrays = {
        "inputs": lab.tensor(X),
        "targets": lab.tensor(WEIGHTS[:, 0]),
        "baselines": lab.tensor(X * 0.5),
        "forward_args": lab.tensor(WEIGHTS),
    }
    references = {name: weakref.ref(array) for name, array in arrays.items()}
    result = method.attribute(
        arrays["inputs"],
        arrays["targets"],
        baselines=arrays["baselines"],
        forward_args=(arrays["forward_args"],),
    )
    assert_close(np.asarray(result), 0.75 * X * X * WEIGHTS * WEIGHTS[:, :1])
    del arrays, result  # the result tells what was explained
    assert alive(references) == []


def test_fresh_callables_as_targets_do_not_pile_up(lab):
    method = polyattr.GradientInput(lab.function(squares), backend=lab.name)
    references = {}
    for number in range(24):

        def first(outputs):
            return outputs[:, 0]

        references[number] = weakref.ref(first)
        method.explain(lab.tensor(X), first)
    del first
    assert len(alive(references)) <= 16


@pytest.mark.parametrize("operator", [None, lambda model, inputs, targets: model(inputs)])
def test_the_signature_is_looked_at_once_however_many_tiles(lab, operator, monkeypatch):
    """How a model takes its inputs depends on their containers, which tiles share."""
    looks = []
    signature, model = inspect.signature, lab.function(weighted_squares)

    def counted(function, **options):
        if function is model:  # frameworks look at functions of their own
            looks.append(function)
        return signature(function, **options)

    monkeypatch.setattr(inspect, "signature", counted)

    def looked(batch_size):
        method = polyattr.IntegratedGradients(
            model, backend=lab.name, steps=8, batch_size=batch_size, operator=operator
        )
        looks.clear()
        method.attribute((lab.tensor(X), lab.tensor(WEIGHTS)))
        return len(looks)

    # The first call binds the model as it is then: TensorFlow asks whether it takes `training`.
    once = 2 if lab.name == "tensorflow" else 1
    assert looked(batch_size=2) == looked(batch_size=20) == once


def test_an_operator_may_call_its_model_in_another_way(lab):
    """Each kind of containers is decided by itself."""
    taken = []

    def model(*parts):
        taken.append(len(parts))
        return sum(lab.ops.sum(part * part) for part in parts)

    def operator(model, inputs, targets):
        left, right = inputs
        return model((left, right)) + model([right]) + model(left)

    method = polyattr.GradientInput(model, backend=lab.name, operator=operator)
    left, right = method.explain((lab.tensor(X), lab.tensor(WEIGHTS)))
    assert set(taken) == {1, 2}
    assert_close(lab.numpy(left), 4 * X * X)
    assert_close(lab.numpy(right), 4 * WEIGHTS * WEIGHTS)
