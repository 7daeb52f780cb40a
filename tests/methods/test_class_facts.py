"""What a method's class says of it: whether it has signs, and its caption."""

import numpy as np
import pytest
from labs import EVERY_METHOD, NOISY, SUMMED, named, settings_of
from labs.numpy_network import single

import polyattr

X = single(np.random.default_rng(61).standard_normal((6, 5)))
WEIGHTS = np.array([1.0, -1.0, 2.0, -2.0, 0.5])


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_only_signed_methods_have_negative_values(lab, method):
    model = lab.function(lambda ops, x: ops.sum(x * x * ops.like(WEIGHTS, x)))
    own = {"background": X[:2]} if hasattr(method, "background") else {}
    values = lab.numpy(method(model, backend=lab.name, **own).explain(lab.tensor(X)))
    assert (values > 0).any()
    assert bool((values < 0).any()) == method.signed


def test_every_method_has_a_caption_of_its_own():
    gists = [method.gist for method in EVERY_METHOD]
    assert len(set(gists)) == len(gists)
    # The demo's picture has an inch and three quarters for it.
    assert all(0 < len(gist) <= 30 for gist in gists)


def test_a_method_of_ones_own_is_signed_until_it_says_otherwise():
    class Own(polyattr.GradientInput):
        gist = "the same"

    class Magnitude(Own):
        signed = False

    assert (Own.signed, Own.gist) == (True, "the same")
    assert (Magnitude.signed, Magnitude.gist) == (False, "the same")
    assert "signed" not in repr(Magnitude(abs))


def test_methods_are_exported_and_told_apart_by_what_they_take():
    assert set(named(EVERY_METHOD)) <= set(polyattr.__all__)
    assert set(named(NOISY)) == {"SmoothGrad", "SquareGrad", "VarGrad"}
    paths = set(named(SUMMED)) - set(named(NOISY))
    straight = {"IntegratedGradients", "ExpectedGradients", "IDGI", "IntegratedDecisionGradients"}
    assert paths == {*straight, "GuidedIntegratedGradients", "BlurIntegratedGradients"}


def test_a_table_without_a_row_for_a_method_says_which():
    table = dict.fromkeys(named(EVERY_METHOD))
    assert settings_of(EVERY_METHOD, table) is table
    del table["Saliency"]
    with pytest.raises(LookupError, match=r"^Saliency: expected one row of settings"):
        settings_of(EVERY_METHOD, table)
