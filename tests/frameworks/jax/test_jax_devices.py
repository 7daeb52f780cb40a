"""Results live where the inputs do; without inputs on a device, where the model does."""

import os
import subprocess
import sys

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


for name in (
    "Saliency", "GradientInput", "IntegratedGradients", "SmoothGrad", "SquareGrad", "VarGrad"
):
    noisy = name in ("SmoothGrad", "SquareGrad", "VarGrad")
    for source in ("portable", "native") if noisy else (None,):
        for batch_size in (None, 7):
            more = {"noise_source": source} if noisy else {}
            explainer = getattr(polyattr, name)(model, batch_size=batch_size, **more)
            values = explainer.attribute(x, np.array([0, 1, 2, 0, 1])).values
            assert values.devices() == {home}, (name, source, values.devices())
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
print("all on the third device")
"""


def test_results_are_on_the_device_of_the_inputs():
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_THIRD_DEVICE],
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "all on the third device" in done.stdout
