"""What the suite asks of frameworks unlike autograd: shown on a sound one and on a broken one."""

import autograd_frameworks as frameworks
import autograd_modules as modules
import numpy as np
import pytest

import polyattr
from polyattr.testing import BackendConformance


class Suite(BackendConformance):
    """With all hooks."""

    def parameter(self, array):
        return np.asarray(array, np.float32).view(frameworks.Weight)

    def layered(self):
        network = modules.Network()
        return network, "first", network.load

    def dropout(self):
        return modules.Dropping()


def run(backend, check, *arguments):
    suite = type("Suite", (Suite,), {"backend": backend()})()
    try:
        getattr(suite, f"test_{check}")(*arguments)
    except pytest.skip.Exception as reason:
        raise RuntimeError("a check that is skipped finds nothing") from reason


def _summed_by_identity(self, score, rows):
    scores, gradients = frameworks.Sound.grad(self, score, rows)
    return scores, [sum(g for g, r in zip(gradients, rows, strict=True) if r is x) for x in rows]


def _gradient_of_one_row(self, score, rows):
    scores, gradients = frameworks.Sound.grad(self, score, rows)
    return scores, [None if g is None else g[:1] for g in gradients]


def _gradient_twice(self, score, rows):
    scores, gradients = frameworks.Sound.grad(self, score, rows)
    return scores, [None if g is None else g * g for g in gradients]


def _nameless(self, function, donate=None):
    return lambda *args: [tuple(found) for found in function(*args)]


def broken(**verbs):
    return type("Broken", (frameworks.Sound,), verbs)


# what is broken: (sound backend, broken backend, check, its arguments)
CASES = {
    "a closed-over array is kept": (
        frameworks.Freezing,
        frameworks.Stale,
        "a_closed_over_array_is_replaced",
    ),
    "an attribute is kept": (frameworks.Freezing, frameworks.Stale, "an_attribute_is_replaced"),
    "gradients of one tensor are summed": (
        frameworks.Sound,
        broken(grad=_summed_by_identity),
        "grad_of_one_tensor_as_two_inputs",
    ),
    "gradients are left on weights": (
        frameworks.Sound,
        frameworks.Backward,
        "grad_leaves_no_gradient_on_weights",
    ),
    "taps are refused, output": (modules.Modules, modules.Untapped, "the_output_of_a_layer"),
    "taps are refused, activation": (
        modules.Modules,
        modules.Untapped,
        "the_activation_of_a_layer",
    ),
    "taps are refused, input": (modules.Modules, modules.Untapped, "the_input_of_a_layer"),
    "weights stay": (modules.Modules, modules.Stateless, "weights_that_change"),
    "weights compile": (modules.Modules, modules.Recompiling, "weights_that_change"),
    "no inference mode": (modules.Modules, modules.Training, "inference_mode"),
    "inference mode stays": (modules.Modules, modules.Switching, "inference_mode"),
    "steps are queued": (frameworks.Lazy, frameworks.Unsettled, "settle"),
    "tiles are queued": (
        frameworks.Lazy,
        frameworks.Unsettled,
        "memory_does_not_grow_with_the_draws",
    ),
    "recorded scores NumPy cannot read": (
        frameworks.Unreadable,
        frameworks.Recording,
        "grad_is_detached",
    ),
    "signs kept": (
        frameworks.Sound,
        broken(absolute=lambda self, tensor: tensor),
        "absolute",
        "float32",
    ),
    "sizes twice": (
        frameworks.Sound,
        broken(absolute=lambda self, tensor: (tensor * tensor) ** 0.5 * 2),
        "grad_of_absolute",
    ),
    "gradients of second order": (
        frameworks.Sound,
        broken(differentiable_grad=_gradient_twice),
        "differentiable_grad",
    ),
    "a place for every tensor": (
        frameworks.Sound,
        broken(device=lambda self, tensor: id(tensor)),
        "devices",
    ),
    "names of tuples lost": (
        frameworks.Sound,
        broken(compile=_nameless),
        "compile_of_nested_arguments",
    ),
    "one row's gradient": (
        frameworks.Sound,
        broken(grad=_gradient_of_one_row),
        "grad_of_a_quadratic",
        (4, 3),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_suite_finds(name):
    sound, wrong, check, *arguments = CASES[name]
    run(sound, check, *arguments)
    # Warnings are errors here: a model that goes on drawing is told of before the suite compares.
    found = (AssertionError, AttributeError, NotImplementedError, polyattr.RandomModelWarning)
    with pytest.raises(found):
        run(wrong, check, *arguments)


@pytest.mark.parametrize("name", ["Saliency", "IntegratedGradients", "SmoothGrad"])
def test_a_gradient_of_one_row_makes_no_map(name):
    backend = broken(grad=_gradient_of_one_row)
    with pytest.raises((AssertionError, polyattr.ModelOutputError)):
        run(backend, "methods_whatever_the_batch_size", name, None)


def test_all_hooks_are_optional():
    suite = type("Suite", (BackendConformance,), {"backend": frameworks.Sound()})()
    for check in ("a_module", "inference_mode", "grad_leaves_no_gradient_on_weights"):
        with pytest.raises(pytest.skip.Exception, match="hook"):
            getattr(suite, f"test_{check}")()
