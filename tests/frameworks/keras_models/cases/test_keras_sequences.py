"""examples/sequence_models.py against the papers' formulas, in the framework Keras runs on."""

import importlib.util
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import polyattr
from polyattr.baselines import DinucleotideShuffle, Permutation

PATH = Path(__file__).parents[4] / "examples" / "sequence_models.py"
LENGTH, STEPS = 40, 25
# One-hot sequences and zeros have equal windows, ties for a pooling layer, at which a gradient is a
# convention: polyattr takes the one at a baseline a hundredth of a step inside.
INSIDE = 0.01 / STEPS
CLASSES = {"neuron": 2, "glia": 0}
RNG = np.random.default_rng(160)
SEQUENCES = np.eye(4, dtype=np.float32)[RNG.integers(0, 4, (3, LENGTH))]
DRAWS = RNG.standard_normal((50, LENGTH, 4))


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("sequence_models", PATH)
    module = sys.modules["sequence_models"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(pooling, activation):
    """Motif detectors, pooled, then a dense head: the usual shape of such models."""
    keras.utils.set_random_seed(16)
    model = keras.Sequential(
        [
            keras.Input((LENGTH, 4)),
            layers.Conv1D(12, 7, padding="same", activation="gelu"),
            pooling(2),
            layers.Conv1D(8, 5, activation=activation),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, activation="softplus"),
        ]
    )
    for weight in model.trainable_weights:
        fan = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 4.0
        weight.assign(RNG.standard_normal(weight.shape) / np.sqrt(fan))
    return model


@pytest.fixture(scope="module")
def model(framework):
    return built(layers.MaxPooling1D, "relu")


@pytest.fixture(scope="module")
def corrected(model, gradient):
    return correction(model, gradient)


def correction(model, gradient):
    """Gradients (R, L, 4) of a class, less their mean over the letters (Majdandzic 2023)."""

    def of(points, index):
        whole = gradient(lambda x: model(x, training=False)[:, index], points.astype(np.float32))
        return whole - whole.mean(-1, keepdims=True)

    return of


def over(baselines, first=INSIDE):
    """The mean over K paths (Erion 2019) of the trapezoid in 25 steps (Sundararajan 2017)."""
    alpha = np.linspace(0, 1, STEPS + 1)[:, None, None]
    alpha[0] = first

    def formula(corrected, x, index, number):
        points = [one + alpha * (x - one) for one in baselines(SEQUENCES)[number]]
        found = corrected(np.concatenate(points), index).astype(np.float64)
        paths = found.reshape(-1, STEPS + 1, LENGTH, 4)
        return ((paths[:, 1:] + paths[:, :-1]) / 2).mean((0, 1))

    return formula


def smooth(corrected, x, index, number):
    """The mean over noisy copies (Smilkov 2017)."""
    return corrected(x + 0.1 * DRAWS, index).astype(np.float64).mean(0)


def drawn(made, native):
    """The K baselines of every sequence, as NumPy."""
    return lambda x: keras.ops.convert_to_numpy(made(native(x)))


FORMULAS = {
    "gradient": lambda native: lambda corrected, x, index, number: corrected(x[None], index)[0],
    "smooth": lambda native: smooth,
    "integrated": lambda native: over(lambda x: np.zeros((len(x), 1, LENGTH, 4))),
    "expected": lambda native: over(drawn(Permutation(axis=1, nb_draws=25), native)),
    "dinucleotides": lambda native: over(drawn(DinucleotideShuffle(nb_draws=25), native)),
}


def explainer(example, name, model):
    if name != "smooth":
        return example.METHODS[name](model)
    settings = {"noise": 0.1, "tangent": "simplex", "nb_samples": 50}
    assert repr(example.METHODS[name](model)) == repr(polyattr.SmoothGrad(model, **settings))
    # Its own draws are polyattr's: here they are those of the formula.
    return polyattr.SmoothGrad(model, **settings, distribution=Recorded())


class Recorded:
    """Hands out the draws of the formula, in the order of their numbers."""

    def __init__(self):
        self.known = {}

    def __call__(self, generator, shape):
        # The generator belongs to the number of the draw: its first word tells it apart.
        name = int(generator.integers(2**63))
        number = self.known.setdefault(name, len(self.known))
        return DRAWS[number].reshape(shape)


@pytest.mark.parametrize("name", FORMULAS)
def test_scores_are_those_of_the_formulas(
    name, example, model, corrected, native, tmp_path, monkeypatch
):
    assert set(example.METHODS) == set(FORMULAS)
    method = explainer(example, name, model)
    found = example.contribution_scores(method, SEQUENCES, CLASSES, tmp_path, together=2)
    assert found.shape == (3, 2, LENGTH, 4)
    formula = FORMULAS[name](native)
    for number, x in enumerate(SEQUENCES):
        for place, index in enumerate(CLASSES.values()):
            expected = formula(corrected, x, index, number)
            assert np.abs(found[number, place] - expected).max() < 1e-5 * np.abs(expected).max()
    for place, name in enumerate(CLASSES):
        with np.load(tmp_path / f"{name}.npz") as kept:
            np.testing.assert_array_equal(kept["scores"], found[:, place])
            np.testing.assert_array_equal(kept["sequences"], SEQUENCES)


def test_without_ties_the_baseline_itself_may_be_visited(example, gradient, native, tmp_path):
    model = built(layers.AveragePooling1D, "tanh")
    method = example.METHODS["expected"](model)
    found = example.contribution_scores(method, SEQUENCES[:1], {"neuron": 2}, tmp_path)[0, 0]
    formula = over(drawn(Permutation(axis=1, nb_draws=25), native), first=0.0)
    expected = formula(correction(model, gradient), SEQUENCES[0], 2, 0)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_what_is_there_is_not_explained_again(example, model, tmp_path):
    method = example.METHODS["gradient"](model)
    first = example.contribution_scores(method, SEQUENCES, {"glia": 0}, tmp_path)
    asked = []

    class Watched:
        def explain_batches(self, batches, targets):
            asked.append(targets)
            return method.explain_batches(batches, targets)

        def __repr__(self):
            return repr(method)

    both = example.contribution_scores(Watched(), SEQUENCES, CLASSES, tmp_path)
    assert asked == [polyattr.each([2])]
    np.testing.assert_array_equal(both[:, 1], first[:, 0])
    example.contribution_scores(Watched(), SEQUENCES, CLASSES, tmp_path)
    assert len(asked) == 1
    # Other sequences or settings under the same names are another question.
    example.contribution_scores(Watched(), SEQUENCES[:2], CLASSES, tmp_path)
    assert asked[1:] == [polyattr.each([2, 0])]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["glia.npz", "neuron.npz"]
