"""Where other libraries need memory or calls that the question does not ask for.

Counted, not timed: rows per gradient call, calls, and traces. Each test is named after what is
right here; the peer that differs and its version stand beside it. That xplique joins results in
time quadratic in N is a matter of time alone and left to the benchmarks.
"""

import numpy as np
import pytest
from labs import NOISY, SUMMED
from labs.closeness import assert_close

import polyattr

X = np.random.default_rng(231).standard_normal((10, 3))


def cube(ops, x):
    return ops.sum(x * x * x)


def counted(lab, method, x=X, **settings):
    """Counts an explainer's second call; in its first one it also gets to know the model."""
    model, counter = lab.counting(cube)
    explainer = method(model, backend=lab.name, **settings)
    explainer.attribute(lab.tensor(x))
    counter.reset()
    return explainer.attribute(lab.tensor(x)), counter


@pytest.mark.parametrize("method", SUMMED)
def test_defaults_do_not_send_all_rows_at_once(lab, method):
    # captum 0.9.0 sends N x 50 rows in one call, here 5000, and 100,000 under a NoiseTunnel of 20.
    own = {"background": X} if hasattr(method, "background") else {}
    _, counter = counted(lab, method, np.tile(X, (10, 1)), **own)
    assert counter.rows >= 5000
    assert counter.largest <= 4096


@pytest.mark.parametrize(
    ("name", "settings"),
    [("IntegratedGradients", {"steps": 10}), ("SmoothGrad", {"nb_samples": 10})],
)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_batch_size_is_honoured_below_the_number_of_samples(lab, name, settings, batch_size):
    # captum 0.9.0: internal_batch_size below N is raised to N, with a warning; and the two
    # evaluations of its delta take N rows whatever it is. Here f(x) and f(b) are counted too.
    method = getattr(polyattr, name)
    result, counter = counted(lab, method, batch_size=batch_size, **settings)
    assert counter.largest <= batch_size
    assert counter.rows >= 100
    assert_close(result.scores, (X**3).sum(axis=1))


def test_no_batch_size_is_one_call(lab):
    # xplique 2.0.2: batch_size=None makes N rows the batch, so 5 samples take 50 calls of 5 rows.
    _, counter = counted(lab, polyattr.IntegratedGradients, batch_size=None, steps=50)
    assert counter.largest == 500
    assert counter.calls == 2  # all gradients, and f(b)


def test_samples_share_a_call(lab):
    # PAIR 0.2.1 takes one sample per call. Where shapes are compiled, ten are blocks of 8 and 4.
    _, counter = counted(lab, polyattr.GradientInput)
    assert (counter.calls, counter.rows) == ((2, 12) if lab.compiled else (1, 10))
    _, counter = counted(lab, polyattr.GradientInput, batch_size=10)
    assert (counter.calls, counter.rows) == (1, 10)


def test_rows_are_computed_once_each(lab):
    # captum 0.9.0's delta evaluates f(x) anew, although the path has visited x.
    _, counter = counted(lab, polyattr.IntegratedGradients, steps=20, batch_size=50)
    assert counter.rows == 10 * 20 + 10  # the path, and f(b), which it starts a rounding away from


def test_an_operator_is_traced_once(lab):
    # xplique 2.0.2: every explainer that is given an operator traces it itself. Ours does once:
    # other inputs and targets of the same shapes are arguments of the compiled kernel.
    def contrast(ops, x):
        return ops.matmul(x, ops.like(np.array([[1.0, 2.0], [0.0, 1.0], [-1.0, 3.0]]), x))

    model, counter = lab.counting(contrast)
    method = polyattr.SmoothGrad(
        model, backend=lab.name, operator=lambda m, x, y: lab.ops.sum(m(x) * y), batch_size=32
    )
    weights = np.array([[1.0, 0.0]] * 10, np.float32)
    method.explain(lab.tensor(X), lab.tensor(weights))
    counter.reset()
    found = lab.numpy(method.explain(lab.tensor(2 * X), lab.tensor(3 * weights)))
    assert_close(found, np.tile([3.0, 0.0, -3.0], (10, 1)))
    assert counter.calls > 1
    assert counter.bodies == (0 if lab.compiled else counter.calls)


@pytest.mark.parametrize("method", NOISY)
def test_sampled_methods_say_how_exact_they_are(lab, method):
    # Nobody else does; captum 0.9.0 and alibi have a delta for Integrated Gradients alone.
    errors = []
    for count in (16, 256):
        result, _ = counted(lab, method, nb_samples=count, noise=0.5)
        assert (result.error > 0).all()
        errors.append(np.mean(result.error))
    # Sixteen times the draws is a quarter of the standard error, itself known to some 25%.
    assert 2.5 < errors[0] / errors[1] < 6.5


def test_exact_methods_say_so(lab):
    for method in (polyattr.Saliency, polyattr.GradientInput):
        result, _ = counted(lab, method)
        assert (result.error == 0).all()
        assert result.converged.all()


def test_the_gap_is_reported_without_being_asked_for(lab):
    # The trapezoid rule with h = 1/4 integrates 3 t^2 to 1 + h^2 / 2.
    result, _ = counted(lab, polyattr.IntegratedGradients, steps=5)
    assert_close(result.completeness_gap, (X**3).sum(axis=1) / 32, 1e-4)
