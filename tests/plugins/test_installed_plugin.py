"""A third party's backend, installed as its own distribution, is found without a change here."""


def test_it_is_listed_without_being_imported(run_beside):
    run_beside(
        """
import sys
import polyattr

known = polyattr.backends()
info = known["toy"]
assert (info.name, info.installed, info.provider) == ("toy", True, "polyattr-toy"), info
assert {"torch", "tensorflow", "jax", "toy", "toygone"} <= set(known)
assert known["torch"].provider == "polyattr"
assert not known["toygone"].installed
assert known["toygone"].version is None
assert known["toygone"].devices == []
assert "toygone      not installed  from polyattr-toy" in repr(known), repr(known)
assert not {"toy", "polyattr_toy"} & set(sys.modules), "looking must not import"
assert info.devices == ["abacus"]
assert {"toy", "polyattr_toy"} <= set(sys.modules)
assert polyattr.backends()["toy"].version == "7.1"
"""
    )


MODEL = """
import numpy as np
import polyattr

squares, slopes = np.array([[1.0, 0.5], [2.0, 0.0], [-1.0, 3.0]]), np.arange(6.0).reshape(3, 2)
x = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
"""


def test_it_is_detected_once_its_framework_is_imported(run_beside):
    run_beside(
        MODEL
        + """
explainer = polyattr.IntegratedGradients(lambda z: z)
try:
    explainer.explain(x)
except polyattr.UnrecognisedModelError as error:
    assert "Asked: nobody, no framework is imported" in str(error), error
else:
    raise AssertionError("nobody can know a lambda")

import toy

model = toy.Model(squares, slopes)
result = polyattr.IntegratedGradients(model, batch_size=7, rule="midpoint").attribute(x, 1)
assert result.backend == "toy"
expected = x**2 * squares[:, 1] + x * slopes[:, 1]
np.testing.assert_allclose(result.values, expected, rtol=1e-9)
np.testing.assert_allclose(result.completeness_gap, 0, atol=1e-9)
np.testing.assert_allclose(result.scores, model(x)[:, 1])
"""
    )


def test_it_is_loaded_by_name_and_serves_every_method(run_beside):
    run_beside(
        MODEL
        + """
import sys

assert "toy" not in sys.modules
plain = polyattr.Saliency(lambda z: (z**2).sum(1), backend="toy")
assert "toy" in sys.modules
np.testing.assert_allclose(plain.explain(x), abs(2 * x))

import toy

model = toy.Model(squares, slopes)
gradient = 2 * x * squares[:, 0] + slopes[:, 0]
exact = {"Saliency": abs(gradient), "GradientInput": x * gradient}
for name, values in exact.items():
    found = getattr(polyattr, name)(model, backend="toy").explain(x, 0)
    np.testing.assert_allclose(found, values, atol=1e-12)
smooth = polyattr.SmoothGrad(model, nb_samples=6, batch_size=5).explain(x, 0)
np.testing.assert_allclose(smooth, gradient, atol=1e-6)
# The gradient is linear in the noise: its variance is that of the noise times the slope squared.
spread = polyattr.VarGrad(model, nb_samples=4000, noise=0.3).explain(x, 0)
expected = np.broadcast_to((2 * squares[:, 0] * 0.3) ** 2, x.shape)
np.testing.assert_allclose(spread, expected, rtol=0.1)
square = polyattr.SquareGrad(model, nb_samples=4000, noise=0.3).explain(x, 0)
np.testing.assert_allclose(square, gradient**2 + expected, rtol=0.1)
for Method in (polyattr.IntegratedGradients, polyattr.SmoothGrad):
    one, all_ = (Method(model, batch_size=b).explain(x, 0) for b in (1, None))
    np.testing.assert_allclose(one, all_, atol=1e-9)
try:
    polyattr.SmoothGrad(model, noise_source="native").explain(x, 0)
except polyattr.PolyattrError as error:
    assert "use noise_source='portable'" in str(error)
else:
    raise AssertionError("the toy framework has no random numbers")
"""
    )


def test_what_can_be_wrong_with_a_plugin_is_said(run_beside):
    run_beside(
        """
import polyattr

cases = {
    "toygone": (
        polyattr.MissingFrameworkError,
        'toygone is not installed: pip install "polyattr-toy[toygone]"',
    ),
    "toyold": (polyattr.InputTypeError, "speaks version 0 of the backend interface"),
    "toybad": (polyattr.InputTypeError, "'polyattr_toy:ToyBackend' is ABCMeta"),
    "toyy": (polyattr.UnknownBackendError, "Did you mean 'toy'"),
}
for name, (kind, message) in cases.items():
    try:
        polyattr.Saliency(lambda z: z, backend=name)
    except kind as error:
        assert message in str(error), error
    else:
        raise AssertionError(name)
"""
    )


def test_a_framework_of_ours_that_is_missing_names_the_extra(run_beside):
    run_beside(
        """
import importlib.util

find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "jax" else find_spec(name, *rest)
import polyattr

assert not polyattr.backends()["jax"].installed
try:
    polyattr.Saliency(lambda z: z, backend="jax")
except polyattr.MissingFrameworkError as error:
    assert isinstance(error, ImportError)
    assert 'pip install "polyattr[jax]"' in str(error), error
else:
    raise AssertionError("jax was hidden")
"""
    )


def test_only_imported_frameworks_are_asked(run_beside):
    run_beside(
        MODEL
        + """
import sys
import toy

polyattr.Saliency(toy.Model(squares, slopes))
assert "polyattr_toy" in sys.modules
loaded = {"torch", "tensorflow", "jax", "polyattr_torch", "polyattr_tensorflow", "polyattr_jax"}
assert not loaded & set(sys.modules), "detection must not import a framework"
assert polyattr.backend.registry.detect(object()) is None
assert not loaded & set(sys.modules)
"""
    )
