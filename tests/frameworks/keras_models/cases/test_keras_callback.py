"""Maps logged during `fit`, which goes on to the last bit as it would without them."""

import keras
import numpy as np
import pytest

import polyattr
from polyattr.integrations import MapLogger, keras_callback

pytestmark = pytest.mark.filterwarnings("ignore")

RNG = np.random.default_rng(1530)
X = RNG.random((32, 6, 6, 1)).astype(np.float32)
Y = np.arange(32) % 3


def trained(*callbacks):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    done = model.fit(X, Y, epochs=3, batch_size=8, verbose=0, callbacks=list(callbacks))
    drawn = keras.ops.convert_to_numpy(keras.random.uniform((3,)))
    return model, done.history["loss"], drawn, np.random.random()


def same(one, other):
    def numbers(model):
        every = [*model.variables, *model.optimizer.variables]
        return [keras.ops.convert_to_numpy(v) for v in every]

    pairs = zip(numbers(one[0]), numbers(other[0]), strict=True)
    equal = all(np.array_equal(a, b) for a, b in pairs)
    return equal and one[1] == other[1] and np.array_equal(one[2], other[2]) and one[3] == other[3]


def test_the_training_is_the_same_and_the_maps_are_those_of_the_model():
    found = {}

    def write(tag, image, step):
        found[tag, step] = image

    asked = {"nb_samples": 2, "noise": 0.1, "writer": write}
    logger = MapLogger(polyattr.SmoothGrad, X[:2], Y[:2], every=2, **asked)
    plain, logged = trained(), trained(keras_callback(logger))
    assert same(plain, logged)
    assert list(found) == [("attributions", 0), ("attributions", 2)]
    assert not np.array_equal(found["attributions", 0], found["attributions", 2])
    after = MapLogger(polyattr.SmoothGrad, X[:2], Y[:2], tag="after", **asked)
    assert after.log(logged[0], step=3)
    assert np.array_equal(found["after", 3], found["attributions", 2])


def test_maps_that_fail_are_told_of_once_and_the_training_goes_on():
    logger = MapLogger(polyattr.Saliency, X[:2], [7, 8], writer=print)
    plain = trained()
    with pytest.warns(polyattr.MapLoggingWarning, match="target 7 is out of range") as told:
        assert same(plain, trained(keras_callback(logger)))
    assert len([w for w in told if w.category is polyattr.MapLoggingWarning]) == 1
    strict = MapLogger(polyattr.Saliency, X[:2], [7, 8], writer=print, on_error="raise")
    with pytest.raises(polyattr.InputError, match="target 7"):
        trained(keras_callback(strict))
