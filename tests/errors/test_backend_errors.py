"""Backends that do not exist, are not installed, are broken, or are not asked."""

import sys

import numpy as np
import pytest

import polyattr

PLUGIN = """
class NoBackend:
    name = "brokenframe"
backend = NoBackend()
"""


def model(x):
    return x


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts plugins where a distribution's would be: found by their entry points alone."""
    info = tmp_path / "acme_attribution-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-attribution\nVersion: 1.0\nProvides-Extra: acmeframe\n"
    )
    (info / "entry_points.txt").write_text(
        "[polyattr.backends]\n"
        "acmeframe = acme_plugin:backend\n"
        "plainframe = acme_plugin:backend\n"
        "brokenframe = acme_plugin:backend\n"
    )
    (tmp_path / "acme_plugin.py").write_text(PLUGIN)
    (tmp_path / "brokenframe.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("acme_plugin", "brokenframe"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("tensorflw", "'tensorflow'"), ("pytorch", "'torch'"), ("Jax", "'jax'")],
)
def test_an_unknown_name_suggests_the_nearest(name, hint):
    with pytest.raises(polyattr.UnknownBackendError, match=f"unknown backend '{name}'") as caught:
        polyattr.Saliency(model, backend=name)
    assert isinstance(caught.value, ValueError)
    assert f"Did you mean {hint}" in str(caught.value)
    assert "jax, tensorflow, torch" in str(caught.value)


def test_an_unknown_name_that_is_near_nothing():
    with pytest.raises(polyattr.UnknownBackendError) as caught:
        polyattr.Saliency(model, backend="mxyzptlk")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.usefixtures("installed")
def test_a_framework_that_is_not_installed():
    infos = polyattr.backends()
    assert not infos["acmeframe"].installed
    assert infos["acmeframe"].provider == "acme-attribution"
    assert infos["acmeframe"].version is None
    with pytest.raises(polyattr.MissingFrameworkError, match="acmeframe is not installed") as extra:
        polyattr.Saliency(model, backend="acmeframe")
    assert isinstance(extra.value, ImportError)
    assert 'pip install "acme-attribution[acmeframe]"' in str(extra.value)
    with pytest.raises(polyattr.MissingFrameworkError) as plain:
        polyattr.Saliency(model, backend="plainframe")
    assert str(plain.value).endswith("pip install plainframe")


@pytest.mark.usefixtures("installed")
def test_a_plugin_that_is_no_backend():
    with pytest.raises(polyattr.InputTypeError, match="'acme_plugin:backend' is NoBackend"):
        polyattr.Saliency(model, backend="brokenframe")


@pytest.mark.parametrize("backend", [3, polyattr.GradBackend, np])
def test_something_that_cannot_name_a_backend(backend):
    with pytest.raises(polyattr.InputTypeError, match="expected a name, a GradBackend") as caught:
        polyattr.Saliency(model, backend=backend)
    assert isinstance(caught.value, TypeError)


def test_a_model_and_inputs_of_no_framework():
    method = polyattr.Saliency(model)
    with pytest.raises(polyattr.UnrecognisedModelError) as caught:
        method.explain(np.ones((2, 3)))
    assert isinstance(caught.value, TypeError)
    for part in ("builtins.function", "ndarray", "backend='name'", "jax, tensorflow, torch"):
        assert part in str(caught.value)


def test_registering_what_is_no_backend():
    with pytest.raises(polyattr.InputTypeError, match="expected an instance of polyattr"):
        polyattr.register("torch")
    with pytest.raises(polyattr.UnknownBackendError, match="'nobody' is not registered"):
        polyattr.unregister("nobody")


def test_a_model_the_named_backend_cannot_call(lab):
    with pytest.raises(polyattr.UnrecognisedModelError) as caught:
        polyattr.Saliency([1, 2, 3], backend=lab.name)
    for part in (lab.name, "list", "expected a"):
        assert part in str(caught.value)


def test_tensors_tell_the_framework_of_a_plain_function(lab):
    plain = lab.function(lambda ops, x: ops.sum(x * x))
    x = np.array([[1.0, 2.0]])
    found = polyattr.GradientInput(plain).explain(lab.tensor(x))
    assert lab.numpy(found).tolist() == [[2.0, 8.0]]
    with pytest.raises(polyattr.UnrecognisedModelError, match="backend='name'"):
        polyattr.GradientInput(plain).explain(x)
