"""What a first call compiles: the model on two rows, on those of a tile, and the tile itself."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import polyattr
from polyattr_jax import backend
from polyattr_jax.compiling import on_host

_EVENT = "/jax/core/compile/backend_compile_duration"
X = np.random.default_rng(8).standard_normal((4, 6)).astype(np.float32)


@pytest.fixture
def compiled():
    """Lists what is compiled."""
    found = []

    def heard(event, _seconds, **_more):
        if event == _EVENT:
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(heard)
    yield found
    jax.monitoring.clear_event_listeners()


def network(width):
    """A model of its own for every test: programs are shared between equal ones."""
    weights = jnp.asarray(np.random.default_rng(width).standard_normal((6, width)), jnp.float32)

    def model(x):
        return jnp.tanh(x @ weights)

    return model


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize(
    ("name", "most"), [("GradientInput", 5), ("IntegratedGradients", 6), ("SmoothGrad", 6)]
)
def test_a_first_call_compiles_the_model_twice_or_thrice_and_one_tile(compiled, name, most, n):
    model, x = network(3 + n + 5 * len(name)), jnp.asarray(X[:n])
    x.block_until_ready()
    method = getattr(polyattr, name)(model)
    compiled.clear()
    found = method.explain(x, 1)
    # Beside these, two samples of more are cut out, and what blocks give is joined.
    assert len(compiled) <= most
    compiled.clear()
    np.testing.assert_array_equal(method.explain(x, 1), found)
    assert not compiled


def test_small_operations_give_what_programs_do(monkeypatch):
    module = sys.modules[on_host.__module__]

    rows = jnp.asarray(X)
    index, columns = jnp.asarray([3, 0, 3]), [jnp.asarray([0, 5, 1, 2])]

    def found():
        halves = rows.astype(jnp.bfloat16)
        return [
            backend.batch(rows, index),
            backend.batch(halves, index),
            backend.pick(rows, columns),
            backend.concat([rows, rows[:1]]),
            backend.concat([halves, rows]),
        ]

    here = found()
    monkeypatch.setattr(module, "_MOST", 0)
    for one, other in zip(here, found(), strict=True):
        assert one.dtype == other.dtype
        assert one.devices() == other.devices()
        assert getattr(one, "committed", None) == getattr(other, "committed", None)
        np.testing.assert_array_equal(one, other)


def test_weak_types_and_traces_stay():
    weak = jnp.asarray(1.0) * jnp.ones((), jnp.int32) + jnp.zeros((), jnp.int32)
    if weak.weak_type:
        assert backend.batch(weak[None], jnp.asarray([0, 0])).weak_type
    gather = jax.jit(lambda x: backend.batch(x, jnp.asarray([1, 0])))
    np.testing.assert_array_equal(gather(jnp.asarray(X[:2])), X[[1, 0]])
