"""Randomised parameters: what is compared, and that the model comes back to the last bit."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import Network, one_hot, random_network, single

import polyattr
from polyattr import metrics
from polyattr.backend import get_backend

RNG = np.random.default_rng(1520)
X = single(RNG.standard_normal((6, 5)))
NETWORK = random_network(1521, 5, 8, 8, 3, activation="tanh")
TARGETS = np.array([0, 1, 2, 0, 1, 2])


def built(lab):
    model = lab.network(NETWORK, softmax=False)
    method = polyattr.GradientInput(model, backend=lab.name)
    return model, method


def weights_of(lab, model):
    backend = get_backend(lab.name)
    known = backend.bind(model).weights()
    return {name: [backend.to_numpy(v).copy() for v in values] for name, values in known.items()}


def same(before, after):
    return list(before) == list(after) and all(
        old.tobytes() == new.tobytes()
        for name in before
        for old, new in zip(before[name], after[name], strict=True)
    )


def ranks(row):
    return np.argsort(np.argsort(row)).astype(float)


def spearman(one, other):
    return np.array(
        [np.corrcoef(ranks(a), ranks(b))[0, 1] for a, b in zip(one, other, strict=True)]
    )


def product_map(network):
    return X * network.gradient(X, one_hot(TARGETS, 3))


def test_layers_are_found_in_the_order_of_the_model(lab):
    model, _ = built(lab)
    found = weights_of(lab, model)
    assert [name.rpartition(".")[2] for name in found] == ["dense0", "dense1", "logits"]
    for values, (weight, bias) in zip(found.values(), NETWORK.layers, strict=True):
        sizes = sorted(value.size for value in values)
        assert sizes == sorted([weight.size, bias.size])


def test_models_by_name_are_compared_with_the_model(lab):
    _, method = built(lab)
    others = {str(seed): random_network(seed, 5, 8, 8, 3, activation="tanh") for seed in (1, 2)}
    models = {name: lab.network(network, softmax=False) for name, network in others.items()}
    found = metrics.randomisation(method, lab.tensor(X), TARGETS, models=models)
    here = product_map(NETWORK)
    expected = np.stack([spearman(here, product_map(n)) for n in others.values()], axis=1)
    assert_close(found.similarity, expected, 1e-6)
    assert_close(found.values, expected.mean(axis=1), 1e-6)
    assert found.layers == ("1", "2")
    assert found.standard_error is None
    sizes = metrics.randomisation(method, lab.tensor(X), TARGETS, models=models, magnitude=True)
    absolute = spearman(np.abs(here), np.abs(product_map(others["1"])))
    assert_close(sizes.similarity[:, 0], absolute, 1e-6)


@pytest.mark.parametrize("mode", ["cascading", "independent"])
def test_what_is_measured_is_the_map_of_the_model_with_drawn_weights(lab, mode):
    model, method = built(lab)
    before, drawn = weights_of(lab, model), []

    class Seen(polyattr.GradientInput):
        """Remembers the weights that each map was made with."""

        def attribute(self, *args, **kwargs):
            drawn.append(weights_of(lab, self.model))
            return super().attribute(*args, **kwargs)

    seen = Seen(model, backend=lab.name)
    found = metrics.randomisation(
        seen, lab.tensor(X), TARGETS, mode=mode, draw="permute", nb_samples=1
    )
    assert [name.rpartition(".")[2] for name in found.layers] == ["logits", "dense1", "dense0"]
    assert same(drawn[0], before)
    assert same(weights_of(lab, model), before)
    for place, during in enumerate(drawn[1:]):
        names = list(before)
        changed = [n for n in names if not same({n: before[n]}, {n: during[n]})]
        last = len(names) - 1 - place
        assert changed == (names[last:] if mode == "cascading" else [names[last]])
        for name in names:  # the same numbers in another order
            for old, new in zip(before[name], during[name], strict=True):
                assert np.array_equal(np.sort(old, None), np.sort(new, None))
        layers = [_dense(values) for values in during.values()]
        if lab.name == "torch":
            layers = [(weight.T, bias) for weight, bias in layers]
        there = product_map(Network(tuple(layers), "tanh"))
        assert_close(found.similarity[:, place], spearman(product_map(NETWORK), there), 1e-6)
    assert method is not seen


def _dense(values):
    matrix = next(v for v in values if v.ndim == 2)
    return matrix.astype(float), next(v for v in values if v.ndim == 1).astype(float)


def test_drawn_from_the_normal_distribution_their_scale_stays(lab):
    model, _ = built(lab)
    seen = []

    def note(self, *args, **kwargs):
        seen.append(weights_of(lab, self.model))
        return polyattr.GradientInput.attribute(self, *args, **kwargs)

    kind = type("Seen", (polyattr.GradientInput,), {"__doc__": "Seen.", "attribute": note})
    found = metrics.randomisation(
        kind(model, backend=lab.name), lab.tensor(X), TARGETS, nb_samples=3
    )
    assert len(seen) == 1 + 3 * 3
    first, *_, last = seen[0]
    matrix = [_dense(weights[last])[0] for weights in seen]
    assert not np.array_equal(matrix[1], matrix[2])  # each draw is another one
    assert 0.3 < matrix[1].std() / matrix[0].std() < 3
    assert np.array_equal(_dense(seen[4][first])[0], _dense(seen[0][first])[0])
    assert found.standard_error.shape == (6,)
    assert (found.standard_error > 0).all()
    again = metrics.randomisation(
        polyattr.GradientInput(model, backend=lab.name), lab.tensor(X), TARGETS, nb_samples=3
    )
    assert_close(again.similarity, found.similarity, 1e-12)


def test_the_model_is_what_it_was_when_the_call_fails(lab):
    model, _ = built(lab)
    before, calls = weights_of(lab, model), []

    class Fails(polyattr.GradientInput):
        """Fails while the last layer is randomised."""

        def attribute(self, *args, **kwargs):
            calls.append(weights_of(lab, self.model))
            if len(calls) > 1:
                raise MemoryError("stopped")
            return super().attribute(*args, **kwargs)

    with pytest.raises(MemoryError, match="stopped"):
        metrics.randomisation(Fails(model, backend=lab.name), lab.tensor(X), TARGETS)
    assert not same(calls[1], before)
    assert same(weights_of(lab, model), before)


def test_layers_may_be_named_and_others_are_refused(lab):
    model, method = built(lab)
    names = list(weights_of(lab, model))
    found = metrics.randomisation(
        method, lab.tensor(X), TARGETS, layers=[names[2], names[0]], nb_samples=1
    )
    assert found.layers == (names[0], names[2])
    with pytest.raises(polyattr.InputError, match=f"Did you mean '{names[0]}'"):
        metrics.randomisation(method, lab.tensor(X), layers=[f"{names[0]}x"])
    with pytest.raises(polyattr.InputTypeError, match="a list of names"):
        metrics.randomisation(method, lab.tensor(X), layers=names[0])
    with pytest.raises(polyattr.InputError, match="layers is empty"):
        metrics.randomisation(method, lab.tensor(X), layers=[])


def test_a_function_is_randomised_by_the_user(lab):
    others = [random_network(seed, 5, 8, 8, 3, activation="tanh") for seed in (7, 8)]
    asked = []

    def randomise(model, seed):
        asked.append((model, seed))
        return lab.mlp(others[seed - 7])

    own = lab.mlp(NETWORK)
    method = polyattr.SmoothGrad(
        of=polyattr.GradientInput(own, backend=lab.name), noise=0.0, nb_samples=2
    )
    found = metrics.randomisation(
        method, lab.tensor(X), TARGETS, randomise=randomise, seed=7, nb_samples=2
    )
    assert asked == [(own, 7), (own, 8)]
    here = product_map(NETWORK)
    each = np.stack([spearman(here, product_map(other)) for other in others])
    assert_close(found.values, each.mean(axis=0), 1e-6)
    assert_close(found.standard_error, each.std(axis=0, ddof=1) / np.sqrt(2), 1e-6)
    with pytest.raises(polyattr.InputError, match="one of them"):
        metrics.randomisation(
            method, lab.tensor(X), randomise=randomise, models={"other": lab.mlp(others[0])}
        )


def test_maps_that_are_the_same_everywhere_have_no_rank(lab):
    flat = lab.network(
        Network(tuple((0 * w, 0 * b) for w, b in NETWORK.layers), "tanh"), softmax=False
    )
    _, method = built(lab)
    models = {"flat": flat, "own": lab.network(NETWORK, softmax=False)}
    found = metrics.randomisation(method, lab.tensor(X), TARGETS, models=models)
    assert np.isnan(found.similarity[:, 0]).all()
    assert_close(found.values, np.ones(6), 1e-12)
