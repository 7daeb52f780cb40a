"""Whatever a user has set in the framework, around a call or around what made the explainer."""

import numpy as np
import pytest
from labs.numpy_network import random_network

import polyattr

X = np.random.default_rng(91).standard_normal((5, 4)).astype(np.float32)
METHODS = {
    "VarGrad": {"nb_samples": 6, "noise_source": "native"},
    "IntegratedGradients": {
        "steps": 6,
        "operator": "margin",
        "input_layer": "dense0",
        "output_layer": "logits",
    },
}


class Questions:
    """The same questions to explainers made now."""

    def __init__(self, model):
        self.made = {
            name: getattr(polyattr, name)(model, batch_size=7, **settings)
            for name, settings in METHODS.items()
        }

    def answers(self, lab, x):
        """Maps and scores, for the predicted class."""
        results = {name: method.attribute(x) for name, method in self.made.items()}
        scores = {f"{name}'s scores": result.scores for name, result in results.items()}
        return scores | {name: lab.numpy(result.values) for name, result in results.items()}


def _difference(found, expected):
    """The largest difference, relative to the map; infinite where the dtype is another."""
    if {key: value.dtype for key, value in found.items()} != {
        key: value.dtype for key, value in expected.items()
    }:
        return np.inf
    return max(np.abs(found[key] - e).max() / np.abs(e).max() for key, e in expected.items())


# What is explained are probabilities, on purpose.
@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")
def test_settings_change_no_answer(lab):
    model, x = lab.network(random_network(92, 4, 6, 3)), lab.tensor(X)
    before = Questions(model)
    expected = before.answers(lab, x)
    differences = {}
    for name, enter in lab.situations().items():
        with enter():
            settings = lab.settings()
            inside = Questions(model)
            found = [before.answers(lab, x), inside.answers(lab, x)]
            assert lab.settings() == settings, name
        found.append(inside.answers(lab, x))
        differences[name] = max(_difference(answers, expected) for answers in found)
    # Rounding: what is not compiled adds up in another order.
    assert {name: gap for name, gap in differences.items() if not gap <= 2e-6} == {}
