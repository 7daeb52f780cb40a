"""Many threads, many kinds of calls, one explainer: each gets what it would get alone, exactly."""

import math
import sys
import threading

import numpy as np
import pytest
from labs.numpy_network import random_network

import polyattr

RNG = np.random.default_rng(1660)
W, V = RNG.standard_normal((5, 8)) / 2, RNG.standard_normal((8, 3))
ROWS = {n: RNG.standard_normal((n, 5)).astype(np.float32) for n in (1, 2, 7)}
OTHERS = RNG.standard_normal((4, 5)).astype(np.float32)
THREADS, TURNS = 4, 2


def classes(ops, x):
    return ops.matmul(ops.tanh(ops.matmul(x, ops.like(W, x)) + 0.3), ops.like(V, x))


def hidden_sum(output):
    return output[:, 0] - 2 * output[:, 2]


def parts(lab, found):
    """Everything numerical that a call gave."""
    if not isinstance(found, polyattr.Attribution):
        return [lab.numpy(found)]
    known = found.to_numpy()
    facts = (known.scores, known.error, known.evaluations, known.completeness_gap)
    return [known.values, *(np.asarray(fact) for fact in facts if fact is not None)]


def calls(lab, method):
    """Kinds of calls: sizes, targets, all that is known, several targets, datasets, mistakes."""
    x = {n: lab.tensor(rows) for n, rows in ROWS.items()}
    starts = lab.tensor(OTHERS[:1])
    able = {} if not method.uses_baselines else {"baselines": starts}
    return {
        "explain one": lambda: method.explain(x[1], 0),
        "explain seven": lambda: method.explain(x[7], 2),
        "predicted": lambda: method.explain(x[2]),
        "attribute": lambda: method.attribute(x[7], np.arange(7) % 3),
        "attribute one": lambda: method.attribute(x[1], 1),
        "several": lambda: method.explain(x[2], polyattr.each([0, 2])),
        "callable": lambda: method.explain(x[2], hidden_sum),
        "beside": lambda: method.attribute(x[2], 1, **able),
        "NumPy": lambda: method.explain(ROWS[7], 1),
        "dataset": lambda: list(method.explain_batches(([x[n]] for n in (2, 1)), 1))[1],
        "mistake": lambda: refused(method, x[2]),
    }


def refused(method, x):
    with pytest.raises(polyattr.InputError, match="out of range"):
        method.explain(x, 9)
    return x * 0


METHODS = {
    "path": (polyattr.IntegratedGradients, {"steps": 9}),
    "noise": (polyattr.SmoothGrad, {"nb_samples": 6, "noise": 0.3}),
    "rounds": (polyattr.IntegratedGradients, {"steps": "auto", "tolerance": 0.02}),
}


def in_threads(work):
    """What threads that begin together return; the interpreter switches between them often."""
    begin, found, failed = threading.Barrier(THREADS), {}, []

    def run(number):
        begin.wait()
        try:
            found[number] = work(number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
    finally:
        sys.setswitchinterval(before)
    if failed:
        raise failed[0]
    assert len(found) == THREADS
    return found


@pytest.fixture(autouse=True)
def one_program(backend_name, monkeypatch):
    """TensorFlow's kernels change to XLA's program, and its rounding, once that is worth it."""
    if backend_name == "tensorflow":
        monkeypatch.setattr("polyattr_tensorflow.kernel._WORTH_COMPILING", math.inf)


def in_turn(lab, asked, number):
    """All calls, a few times, in an order of the thread's own."""
    names = list(asked)
    order = [names[(i * (number % 3 + 1) + number) % len(names)] for i in range(len(names))]
    return [(name, parts(lab, asked[name]())) for _ in range(TURNS) for name in order]


@pytest.mark.parametrize(
    ("kind", "first"), [("path", True), ("path", False), ("noise", True), ("rounds", False)]
)
def test_each_thread_gets_what_it_would_get_alone(lab, kind, first):
    made, settings = METHODS[kind]
    model, counter = lab.counting(classes)
    alone, shared = (calls(lab, made(model, backend=lab.name, **settings)) for _ in range(2))
    expected = {}
    if not first:
        in_turn(lab, alone, 0)
        in_turn(lab, shared, 0)
    counter.bodies = 0
    for number in range(THREADS):
        expected |= dict(in_turn(lab, alone, number))
    traces, counter.bodies = counter.bodies, 0
    for answers in in_threads(lambda number: in_turn(lab, shared, number)).values():
        for name, found in answers:
            assert len(found) == len(expected[name])
            for one, other in zip(found, expected[name], strict=True):
                np.testing.assert_array_equal(one, other, err_msg=name)
    if lab.compiled:  # a mistake has the model looked at again, whoever makes it
        assert counter.bodies <= traces


def test_threads_on_one_network_leave_it_as_it_was(lab):
    """Several explainers of one model, of which some look into a layer of it."""
    model = lab.network(random_network(1661, 5, 8, 3), softmax=False)
    before = lab.settings(), getattr(model, "training", None)
    methods = [
        polyattr.IntegratedGradients(model, steps=5),
        polyattr.SmoothGrad(model, nb_samples=4, output_layer=lab.layer(model, "logits")),
        polyattr.GradientInput(model, input_layer=lab.layer(model, "dense0")),
        polyattr.Saliency(model),
    ]
    x = lab.tensor(ROWS[7])
    expected = [parts(lab, method.attribute(x, 1)) for method in methods]

    def work(number):
        return [parts(lab, methods[(number + i) % 4].attribute(x, 1)) for i in range(8)]

    for number, answers in in_threads(work).items():
        for i, found in enumerate(answers):
            for one, other in zip(found, expected[(number + i) % 4], strict=True):
                np.testing.assert_array_equal(one, other)
    assert (lab.settings(), getattr(model, "training", None)) == before
