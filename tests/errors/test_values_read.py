"""Models that read the values of their inputs where a framework has none yet: told in words."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import ModelOutputError

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], np.float32)
READS = {
    "float": lambda ops, x: ops.sum(x * float(x[0, 0])),
    "a NumPy function": lambda ops, x: ops.sum(np.sin(x)),
    "a NumPy array": lambda ops, x: ops.sum(ops.like(np.asarray(x), x)),
    "a comparison": lambda ops, x: ops.sum(x if x[0, 0] > 0 else -x),
}
INSTEAD = {
    "jax": "jax.numpy in the place of NumPy",
    "tensorflow": r"model\(x\) in the place of mod",
}


@pytest.mark.parametrize("kind", READS)
def test_a_function_that_reads_values(lab, kind):
    method = polyattr.GradientInput(lab.function(READS[kind]), backend=lab.name)
    # PyTorch has values to compare; AutoGraph makes a graph of an `if`, in code that it can read.
    if kind == "a comparison" and lab.name != "jax":
        assert_close(lab.numpy(method.explain(lab.tensor(X))), X)
        return
    if lab.name not in INSTEAD:
        pytest.skip("PyTorch has values, and says itself where NumPy may not read them")
    with pytest.raises(ModelOutputError, match=rf"^the function reads values.*{INSTEAD[lab.name]}"):
        method.explain(lab.tensor(X))


def test_predict_in_the_place_of_a_call(lab):
    if lab.name != "tensorflow":
        pytest.skip("predict is called under other frameworks as any function of NumPy")
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    method = polyattr.GradientInput(lambda x: model.predict(x, verbose=0), backend="tensorflow")
    with pytest.raises(
        ModelOutputError, match=r"expected model\(x\) in the place of model.predict"
    ):
        method.explain(lab.tensor(X), 0)
    right = polyattr.GradientInput(lambda x: model(x), backend="tensorflow")
    assert_close(lab.numpy(right.explain(lab.tensor(X), 0)), X * model.get_weights()[0][:, 0])
