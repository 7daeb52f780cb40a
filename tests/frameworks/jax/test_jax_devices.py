"""Results live where the inputs do; without inputs on a device, where the model does."""

import os
import subprocess
import sys
from pathlib import Path

ON_THE_THIRD_DEVICE = """
import equinox
import jax
import numpy as np
from flax import linen, nnx

import polyattr

assert len(polyattr.backends()["jax"].devices) == 4
home = jax.devices()[2]
rng = np.random.default_rng(0)
x = jax.device_put(rng.standard_normal((5, 4)).astype("float32"), home)
weights = jax.device_put(rng.standard_normal((4, 3)).astype("float32"), home)


def model(z):
    return jax.nn.relu(z @ weights)


CASES = [
    ("Saliency", {}),
    ("GradientInput", {"batch_size": None}),
    ("IntegratedGradients", {"batch_size": 7}),
    ("SmoothGrad", {"noise_source": "portable", "batch_size": 7}),
    ("SmoothGrad", {"noise_source": "native"}),
    ("SquareGrad", {"noise_source": "native", "batch_size": 7}),
    ("VarGrad", {"noise_source": "portable"}),
    ("ExpectedGradients", {"background": np.ones((2, 4), "float32"), "batch_size": 7}),
    ("GuidedIntegratedGradients", {"steps": 9, "batch_size": 7}),
    ("IDGI", {"steps": 9, "batch_size": 7}),
    ("IntegratedDecisionGradients", {"steps": 9, "batch_size": 7}),
    ("BlurIntegratedGradients", {"axes": (1,), "batch_size": 7}),
]
assert {name for name, _ in CASES} == set(polyattr.methods.__all__)
for name, settings in CASES:
    explainer = getattr(polyattr, name)(model, **settings)
    values = explainer.attribute(x, np.array([0, 1, 2, 0, 1])).values
    assert values.devices() == {home}, (name, settings, values.devices())
    assert explainer.explain(x).devices() == {home}, name
path = polyattr.IntegratedGradients(lambda z: z @ weights)
values = path.explain(x, 1, baselines=np.ones(4))
assert values.devices() == {home}
np.testing.assert_allclose(values, (x - 1) * weights[:, 1], rtol=1e-4, atol=1e-5)
one_hot = polyattr.GradientInput(model).explain(x, np.eye(3)[[0, 1, 2, 0, 1]])
assert one_hot.devices() == {home}


def same_place(model, target=1):
    explainer = polyattr.IntegratedGradients(model, steps=5)
    native, plain = explainer.explain(x, target), explainer.explain(np.asarray(x), target)
    assert native.devices() == plain.devices() == {home}, type(model)
    np.testing.assert_allclose(native, plain)


with jax.default_device(home):
    dense = nnx.Sequential(nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.relu)
    linear = equinox.nn.Linear(4, 3, key=jax.random.key(0))
    layer = linen.Dense(3)
    bound = layer.bind(layer.init(jax.random.key(0), x))
for module in (dense, linear, bound):
    same_place(module)


class Tokens(nnx.Module):
    def __init__(self):
        self.embed = nnx.Embed(6, 4, rngs=nnx.Rngs(0))
        self.head = nnx.Linear(4, 3, rngs=nnx.Rngs(1))

    def __call__(self, given, mask=None, scale=1.0):
        rows = given if given.ndim == 2 and given.dtype == "float32" else self.embed(given).mean(1)
        return self.head(rows if mask is None else rows * mask) * scale


# On the third device; and on none in particular, where it follows the inputs.
with jax.default_device(home):
    settled = Tokens()
loose = Tokens()
ids = np.array([[1, 2], [3, 4], [5, 0], [0, 0], [2, 2]])
mask, scale = rng.random((5, 4)), rng.random(3)
beside = {"forward_kwargs": {"mask": mask, "scale": scale}, "batched": ("mask",)}
kernel = loose.head.kernel[...]
for place, rows in ((settled, np.asarray(x)), (settled, x), (loose, x)):
    for task, target in (("margin", np.zeros(5, int)), ("log_odds", 0), (None, np.eye(3)[[0] * 5])):
        explainer = polyattr.GradientInput(place, operator=task)
        values = explainer.explain(rows, target, **beside)
        assert values.devices() == {home}, (task, values.devices())
    np.testing.assert_allclose(values, x * mask * (kernel * scale)[:, 0], rtol=1e-4, atol=1e-6)
table = np.asarray(loose.embed.embedding[...])
for place, tokens in ((settled, ids), (loose, jax.device_put(ids, home))):
    explainer = polyattr.IntegratedGradients(place, input_layer="embed", steps=3)
    expected = (table[ids] - table[1]) / 2 * mask[:, None] * (kernel * scale)[:, 1]
    for start in (np.ones((5, 2), int), np.broadcast_to(table[1], (2, 4))):
        values = explainer.explain(tokens, 1, baselines=start, **beside)
        assert values.devices() == {home}, values.devices()
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)
print("all on the third device")
"""


SEVERAL = str(Path(__file__).parent / "several_devices.py")


def with_four_devices(*command):
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_results_are_on_the_device_of_the_inputs():
    assert "all on the third device" in with_four_devices("-c", ON_THE_THIRD_DEVICE)


def test_models_on_several_devices():
    assert "done" in with_four_devices(SEVERAL)
