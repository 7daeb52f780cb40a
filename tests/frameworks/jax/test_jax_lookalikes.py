"""What looks like a model with its parameters and is not: told what was expected."""

import equinox as eqx
import haiku as hk
import jax.numpy as jnp
import pytest
from flax import linen, nnx
from flax.training.train_state import TrainState

import polyattr
from polyattr import UnrecognisedModelError


class Stateful(eqx.Module):
    calls: eqx.nn.StateIndex

    def __init__(self):
        self.calls = eqx.nn.StateIndex(jnp.zeros(()))

    def __call__(self, x, state):
        return x, state


class _NoOptimiser:
    @staticmethod
    def init(params):
        return ()


def _body(x):
    return hk.Linear(2)(x)


def _wrong():
    model, variables = linen.Dense(2), {"params": {"kernel": jnp.ones((2, 2))}}
    transformed, params = hk.transform(_body), {"linear": {}}
    module, state = eqx.nn.make_with_state(Stateful)()
    train = TrainState.create(apply_fn=model.apply, params=variables, tx=_NoOptimiser)
    several = hk.multi_transform(lambda: (lambda x: x, {"f": lambda x: x}))
    return {
        "linen alone": (model, r"without its variables; expected \(model, variables\) or model\.b"),
        "linen, params": (
            (model, variables["params"]),
            r"the keys \['kernel'\].*\{'params': params\}",
        ),
        "linen, list": ((model, [1]), "Dense came with a list; expected"),
        "linen, three": ((model, variables, 0), "came with 2 things.*forward_args"),
        "linen, swapped": ((variables, model), r"a tuple of dict, Dense; .*\(linen module, variab"),
        "haiku alone": (transformed, r"Transformed came alone; expected \(transformed, params\)"),
        "haiku, init": ((transformed, (params, {})), "came with tuple; expected"),
        "haiku, state": ((transformed, params, {}), r"with dict, dict; expected \(transformed, p"),
        "haiku stateless": (
            (hk.transform_with_state(_body), params),
            r"TransformedWithState came with dict; expected \(transformed, params, state\)",
        ),
        "haiku swapped": ((params, transformed), r"a tuple of dict, Transformed; "),
        "haiku several": ((several, params), "holds several functions.*lambda x: transf"),
        "equinox alone": (module, r"state, which is missing; expected \(model, state\)"),
        "equinox, dict": ((module, {}), "Stateful is an equinox module and came with dict"),
        "equinox swapped": ((state, module), "a tuple of State, Stateful"),
        "nnx split": (nnx.split(nnx.Linear(2, 2, rngs=nnx.Rngs(0))), r"nnx\.merge\(graphdef"),
        "apply, params": ((model.apply, variables), r"lambda x: function\(params, x\)"),
        "train state": (train, r"given a TrainState; .*state\.apply_fn\("),
        "empty": ((), "a tuple of nothing"),
    }


def test_a_lookalike_is_told_what_was_expected():
    for name, (model, message) in _wrong().items():
        with pytest.raises(UnrecognisedModelError, match=message):
            polyattr.Saliency(model, backend="jax")
        if any(part in name for part in ("linen", "haiku", "equinox", "nnx")):
            with pytest.raises(UnrecognisedModelError, match=message):
                polyattr.Saliency(model)
