"""Everything follows the model to its device: layers, companions, tasks, SavedModels."""

import os
import subprocess
import sys

ON_THE_SECOND_DEVICE = """
import sys

import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
import tf_keras
import polyattr
from polyattr_tensorflow import TensorFlowBackend

made = []


class Recorder(TensorFlowBackend):
    def to_native(self, array, like=None, dtype=None):
        tensor = super().to_native(array, like, dtype)
        made.append(tensor.device)
        return tensor

    def zeros(self, shape, like, dtype):
        tensor = super().zeros(shape, like, dtype)
        made.append(tensor.device)
        return tensor

    def compile(self, function, donate=None):
        kernel = super().compile(function, donate)

        def run(*args):
            result = kernel(*args)
            for part in (args, result):
                leaves = [leaf for leaf in tf.nest.flatten(part) if tf.is_tensor(leaf)]
                made.extend(leaf.device for leaf in leaves)
            return result

        return run


def check(what, values, expected=None):
    first = next(leaf for leaf in tf.nest.flatten(values) if tf.is_tensor(leaf))
    assert first.device.endswith("CPU:1"), (what, first.device)
    # Symbolic tensors, inside a trace, have no device of their own.
    assert made and all(place.endswith("CPU:1") for place in made if place), (what, set(made))
    if expected is not None:
        np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-6, err_msg=what)
    made.clear()


ids = np.array([[1, 2, 0], [3, 1, 2]])
present = (ids != 0) / (ids != 0).sum(1, keepdims=True)
rows = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
mask = (rows > 0).astype("float32")
with tf.device("CPU:1"):
    readers = []
    for kind in (keras, tf_keras):
        tokens = kind.Input((3,), dtype="int32")
        embedded = kind.layers.Embedding(5, 3, mask_zero=True, name="embed")(tokens)
        pooled = kind.layers.GlobalAveragePooling1D()(embedded)
        readers.append(kind.Model(tokens, kind.layers.Dense(2, name="head")(pooled)))
    weights = tf.Variable(tf.random.normal((4, 3)))

for reader in readers:
    table = reader.get_layer("embed").embeddings
    kernel = reader.get_layer("head").kernel
    expected = np.array(table)[ids] * present[..., None] * np.array(kernel)[:, 1]
    # The two whose maps of a linear reader from zero are known in closed form.
    for name in ("GradientInput", "IntegratedGradients"):
        explainer = getattr(polyattr, name)(
            reader, input_layer="embed", backend=Recorder(), batch_size=3
        )
        check(f"input_layer of {type(reader)}", explainer.explain(ids, 1), expected)
    path = polyattr.IntegratedGradients(reader, input_layer="embed", backend=Recorder())
    check("a baseline of ids", path.explain(ids, 1, baselines=np.zeros(3, int)))
    smooth = polyattr.SmoothGrad(
        reader, input_layer="embed", backend=Recorder(), noise_source="native", nb_samples=4
    )
    check("noise at a layer", smooth.explain(ids))


def masked(x, mask, shared=1.0):
    return (x * mask * shared) @ weights


class Masked(tf.Module):
    def __init__(self):
        super().__init__()
        self.weights = weights

    def __call__(self, x, mask, shared=1.0):
        return masked(x, mask, shared)


expected = rows * mask * np.arange(4) * weights.numpy()[:, 2]
beside = {"mask": mask, "shared": np.arange(4, dtype="float32")}
for model in (masked, tf.function(masked), Masked()):
    explainer = polyattr.GradientInput(model, backend=Recorder(), batch_size=2)
    check(f"forward_kwargs of {model}", explainer.explain(rows, 2, forward_kwargs=beside), expected)
    given = (mask, np.arange(4, dtype="float32"))
    check(f"forward_args of {model}", explainer.explain(rows, 2, forward_args=given), expected)

targets = {
    "classification": 1,
    "regression": np.ones((5, 3), "float32"),
    "margin": 1,
    "log_odds": 1,
}
for task, target in targets.items():
    explainer = polyattr.IntegratedGradients(
        lambda x: x @ weights, operator=task, backend=Recorder(), batch_size=7
    )
    check(task, explainer.attribute(rows, target).values)


class Linear(tf.Module):
    def __init__(self):
        super().__init__()
        self.weights = weights

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def __call__(self, x):
        return x @ self.weights


module = Linear()
tf.saved_model.save(module, sys.argv[1], signatures=module.__call__)
with tf.device("CPU:1"):
    loaded = tf.saved_model.load(sys.argv[1])
expected = rows * weights.numpy()[:, 1]
for model in (module, loaded, loaded.signatures["serving_default"]):
    explainer = polyattr.GradientInput(model, backend=Recorder())
    check(f"saved {model}", explainer.explain(rows, 1), expected)
print("all on the second device")
"""


def test_everything_follows_the_model_to_its_device(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_SECOND_DEVICE, str(tmp_path / "saved")],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "all on the second device" in done.stdout
