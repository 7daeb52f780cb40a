"""What metrics refuse, in words that say what to do."""

import numpy as np
import pytest

import polyattr
from polyattr import metrics

X = np.ones((3, 4), dtype=np.float32)

WRONG = {
    "no method": (
        lambda m, x: metrics.deletion(lambda x: x, x),
        polyattr.InputTypeError,
        "expected a method with its model",
    ),
    "unknown option": (
        lambda m, x: metrics.deletion(m, x, forward_arg=1),
        polyattr.InputTypeError,
        "Did you mean 'forward_args'",
    ),
    "several targets": (
        lambda m, x: metrics.infidelity(m, x, polyattr.each([0, 1])),
        polyattr.InputError,
        "several targets",
    ),
    "no steps": (lambda m, x: metrics.deletion(m, x, steps=0), polyattr.InputError, "steps is 0"),
    "steps of a float": (
        lambda m, x: metrics.insertion(m, x, steps=1.5),
        polyattr.InputTypeError,
        "steps is 1.5",
    ),
    "ranking": (
        lambda m, x: metrics.deletion(m, x, rank_by="abs"),
        polyattr.InputError,
        "'magnitude'",
    ),
    "channel axis of samples": (
        lambda m, x: metrics.deletion(m, x, channel_axis=0),
        polyattr.InputError,
        "an axis behind that of the samples",
    ),
    "channel axis out of range": (
        lambda m, x: metrics.infidelity(m, x, channel_axis=2),
        polyattr.InputError,
        "channel_axis is 2",
    ),
    "maps of another shape": (
        lambda m, x: metrics.deletion(m, x, attribution=np.ones((3, 5))),
        polyattr.InputError,
        r"expected numbers of shape \(3, 4\)",
    ),
    "maps of words": (
        lambda m, x: metrics.deletion(m, x, attribution=np.full((3, 4), "a")),
        polyattr.InputError,
        "expected numbers",
    ),
    "replacement of another shape": (
        lambda m, x: metrics.deletion(m, x, replacement=np.ones(5)),
        polyattr.InputError,
        "replacement has shape",
    ),
    "several replacements": (
        lambda m, x: metrics.insertion(m, x, replacement=np.ones((3, 2, 4))),
        polyattr.InputError,
        "2 values per sample",
    ),
    "perturbation": (
        lambda m, x: metrics.infidelity(m, x, perturbation="noise"),
        polyattr.InputError,
        "'gaussian'",
    ),
    "nothing removed": (
        lambda m, x: metrics.infidelity(m, x, fraction=0),
        polyattr.InputError,
        "above 0",
    ),
    "one draw": (
        lambda m, x: metrics.max_sensitivity(m, x, nb_samples=1),
        polyattr.InputError,
        "at least 2",
    ),
    "no radius": (
        lambda m, x: metrics.max_sensitivity(m, x, radius=0.0),
        polyattr.InputError,
        "above 0",
    ),
    "flag": (
        lambda m, x: metrics.completeness(m, x, relative="yes"),
        polyattr.InputTypeError,
        "True or False",
    ),
    "ids of others": (
        lambda m, x: metrics.infidelity(m, x, sample_ids=np.arange(2)),
        polyattr.InputError,
        "2 ids for 3 samples",
    ),
    "not finite": (
        lambda m, x: metrics.deletion(m, x * np.nan),
        polyattr.InputError,
        "inputs contains nan",
    ),
    "mode": (
        lambda m, x: metrics.randomisation(m, x, mode="all"),
        polyattr.InputError,
        "'cascading' or 'independent'",
    ),
    "parameters of a function": (
        lambda m, x: metrics.randomisation(m, x),
        polyattr.InputError,
        "randomise=a callable",
    ),
    "no models": (
        lambda m, x: metrics.randomisation(m, x, models={}),
        polyattr.InputTypeError,
        "by name",
    ),
    "no callable": (
        lambda m, x: metrics.randomisation(m, x, randomise=3),
        polyattr.InputTypeError,
        r"randomise\(model, seed\)",
    ),
    "empty dataset": (
        lambda m, x: metrics.deletion(m, iter([])),
        polyattr.InputError,
        "no batches",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_says_what_was_given_and_what_was_expected(lab, what):
    call, error, words = WRONG[what]
    method = polyattr.GradientInput(lab.function(lambda ops, x: ops.sum(x * x)), backend=lab.name)
    with pytest.raises(error, match=words):
        call(method, lab.tensor(X))
