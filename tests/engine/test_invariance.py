"""The answer depends on the question only."""

import numpy as np
import pytest
from labs import EVERY_METHOD, NOISY, named, settings_of
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr

METHODS = settings_of(
    EVERY_METHOD,
    {
        "Saliency": {},
        "GradientInput": {},
        "IntegratedGradients": {"steps": 9},
        "GuidedIntegratedGradients": {"steps": 9, "max_dist": 0.3},
        "IDGI": {"steps": 9},
        "BlurIntegratedGradients": {"steps": 9, "tolerance": 1.0},
        "IntegratedDecisionGradients": {"steps": 9, "tolerance": 1.0},
        "SmoothGrad": {"nb_samples": 9},
        "SquareGrad": {"nb_samples": 9},
        "VarGrad": {"nb_samples": 9},
        "ExpectedGradients": {
            "nb_samples": 9,
            "background": single(np.random.default_rng(54).standard_normal((3, 4))),
        },
    },
)
NETWORK = random_network(51, 4, 8, 3, activation="tanh")
X = single(np.random.default_rng(52).standard_normal((5, 4)))
TARGETS = np.array([0, 2, 1, 1, 0])


def explainer(lab, name, **settings):
    model = lab.mlp(NETWORK)
    return getattr(polyattr, name)(model, backend=lab.name, **METHODS[name], **settings)


@pytest.mark.parametrize("name", METHODS)
def test_batch_size_changes_nothing(lab, name):
    whole = explainer(lab, name, batch_size=None).attribute(lab.tensor(X), TARGETS)
    for batch_size in (1, 7, 64, "auto"):
        found = explainer(lab, name, batch_size=batch_size).attribute(lab.tensor(X), TARGETS)
        assert_close(lab.numpy(found.values), lab.numpy(whole.values), 1e-5)
        assert_close(found.scores, whole.scores, 1e-5)
        assert np.abs(found.error - whole.error).max() <= 1e-5
        assert found.targets.tolist() == TARGETS.tolist()


@pytest.mark.parametrize("name", METHODS)
def test_samples_repeated_to_fill_a_block_are_left_out(lab, name):
    x = single(np.random.default_rng(53).standard_normal((11, 4)))
    targets = np.arange(11) % 3
    whole = explainer(lab, name, batch_size=None).attribute(lab.tensor(x), targets)
    found = explainer(lab, name, batch_size=4).attribute(lab.tensor(x), targets)
    assert_close(lab.numpy(found.values), lab.numpy(whole.values), 1e-5)
    assert_close(found.scores, whole.scores, 1e-5)


@pytest.mark.parametrize(
    ("name", "settings"),
    [(name, {}) for name in METHODS]
    + [(name, {"noise_source": "native"}) for name in named(NOISY)],
)
def test_company_and_order_change_nothing(lab, name, settings):
    method = explainer(lab, name, **settings)
    together = lab.numpy(method.explain(lab.tensor(X), TARGETS))
    backwards = lab.numpy(method.explain(lab.tensor(X[::-1].copy()), TARGETS[::-1].copy()))
    assert_close(backwards[::-1], together)
    for i in (0, 3):
        alone = lab.numpy(method.explain(lab.tensor(X[i : i + 1]), TARGETS[i : i + 1]))
        assert_close(alone, together[i : i + 1])


@pytest.mark.parametrize("source", ["portable", "native"])
def test_the_seed_is_all_of_the_randomness(lab, source):
    x = lab.tensor(X)
    settings = {"noise_source": source}
    method = explainer(lab, "SmoothGrad", seed=1, **settings)
    first = lab.numpy(method.explain(x, TARGETS))
    lab.reseed(99)
    again = lab.numpy(method.explain(x, TARGETS))
    assert (first == again).all()
    fresh = explainer(lab, "SmoothGrad", seed=1, **settings)
    assert (lab.numpy(fresh.explain(x, TARGETS)) == first).all()
    for seed in (2, 2**40 + 1):
        other = lab.numpy(explainer(lab, "SmoothGrad", seed=seed, **settings).explain(x, TARGETS))
        assert np.abs(other - first).max() > 1e-4


@pytest.mark.parametrize("batch_size", [1, 7])
def test_native_noise_does_not_follow_the_tiles(lab, batch_size):
    whole = explainer(lab, "SmoothGrad", noise_source="native", batch_size=None)
    tiled = explainer(lab, "SmoothGrad", noise_source="native", batch_size=batch_size)
    expected = lab.numpy(whole.explain(lab.tensor(X), TARGETS))
    assert_close(lab.numpy(tiled.explain(lab.tensor(X), TARGETS)), expected)
    portable = lab.numpy(explainer(lab, "SmoothGrad").explain(lab.tensor(X), TARGETS))
    assert np.abs(portable - expected).max() > 1e-4


def test_the_sources_agree_in_the_limit(lab):
    found = {}
    for source in ("portable", "native"):
        method = polyattr.SmoothGrad(
            lab.mlp(NETWORK), backend=lab.name, nb_samples=2000, noise_source=source
        )
        found[source] = method.attribute(lab.tensor(X), TARGETS)
    values = {source: lab.numpy(result.values) for source, result in found.items()}
    distance = np.linalg.norm(values["portable"] - values["native"], axis=1)
    error = np.hypot(found["portable"].error, found["native"].error)
    assert (distance <= 4 * error * np.linalg.norm(values["native"], axis=1)).all()
    assert (distance > 0).all()
