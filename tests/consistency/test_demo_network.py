"""The demo network with the same weights in three frameworks gives the same answers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from labs import METHODS

import polyattr
from polyattr.demo.digits import held_out_digits
from polyattr.demo.model import logits_layer, network

FRAMEWORKS = ("torch", "tensorflow", "jax")
# In float32 rounding moves units of a few samples across their kinks, or decides which of two equal
# gradients moves first; where scores of neighbouring points are subtracted, digits cancel.
FEW = 4
CANCELLED = ("IDGI", "IntegratedDecisionGradients")
PAIRS = list(itertools.combinations(FRAMEWORKS, 2))


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = held_out_digits()
    return images[:24], labels[:24]


@pytest.fixture(scope="module")
def answers(digits: tuple[np.ndarray, np.ndarray]) -> dict[tuple[str, str], Any]:
    found = {}
    for name in FRAMEWORKS:
        model = network(name)
        for method in METHODS:
            explainer = method(model, backend=name, output_layer=logits_layer(model))
            found[name, method.__name__] = explainer.attribute(*digits).to_numpy()
    return found


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_scores_agree(answers: dict[tuple[str, str], Any], one: str, other: str) -> None:
    a, b = (answers[name, "IntegratedGradients"] for name in (one, other))
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-5, rtol=1e-6)
    np.testing.assert_allclose(a.baseline_scores, b.baseline_scores, atol=1e-5, rtol=1e-6)


# Noise is drawn on the host from the same generator, so sampled methods agree like the others.
@pytest.mark.parametrize("method", [method.__name__ for method in METHODS])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_maps_agree(answers: dict[tuple[str, str], Any], one: str, other: str, method: str) -> None:
    a, b = (answers[name, method].values for name in (one, other))
    assert a.shape == b.shape == (24, 28, 28)
    largest = np.abs(a).max(axis=(1, 2))
    assert (largest > 0).all()
    apart = np.abs(a - b).max(axis=(1, 2)) / largest
    most = 1e-4 if method in CANCELLED else 1e-5
    assert (np.sort(apart)[:-FEW] <= most).all()
    assert apart.max() <= 2e-2


# The whole network, softmax included, is what is compared.
@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_predicted_classes_are_the_targets_recorded(
    digits: tuple[np.ndarray, np.ndarray], name: str
) -> None:
    images, labels = digits
    model = network(name)
    result = polyattr.Saliency(model, backend=name).attribute(images)
    assert (result.targets == labels).mean() > 0.9
    assert result.backend == name
