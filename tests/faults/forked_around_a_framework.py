"""Run in an interpreter of its own: forks before and after a framework's first use.

PyTorch's CPU operations survive a fork if they have only ever run on one thread (OpenMP's worker
threads do not exist in the child, which waits for them for ever); TensorFlow's runtime and JAX's
are multithreaded from their first operation on, and both say that they do not survive one. So what
is computed in children is checked on PyTorch alone, on one thread; on all of them, that an
explainer made before the fork says so before it touches the framework.
"""

import sys
import warnings
from multiprocessing import get_context

import numpy as np

import polyattr

X = np.random.default_rng(5).standard_normal((6, 3)).astype(np.float32)
FORK = get_context("fork")


def answer(name):
    """Imports the framework and explains."""
    from worker_models import Dense

    method = polyattr.SmoothGrad(Dense(name), backend=name, nb_samples=6, batch_size=5)
    return method, np.asarray(method.attribute(X, 1))


def in_child(work):
    """Returns what `work` returns or raises in a forked process."""

    def run(end):
        try:
            end.send(work())
        except BaseException as error:
            end.send(error)

    here, there = FORK.Pipe(duplex=False)
    child = FORK.Process(target=run, args=(there,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from Python 3.12 on, and JAX, warn of threads
        child.start()
    came = here.poll(120)
    found = here.recv() if came else TimeoutError("nothing came from the child")
    child.join(5 if came else 0)
    child.kill()
    return found


def check_that_it_is_told(method):
    def refused():
        with warnings.catch_warnings():
            warnings.simplefilter("error", polyattr.PolyattrWarning)
            return method.explain(X, 1)

    told = in_child(refused)
    assert isinstance(told, polyattr.PolyattrWarning), told
    assert "this process was forked after the explainer was made" in str(told)
    assert "get_context('spawn')" in str(told)


def main(name):
    early = None
    if name == "torch":
        early = in_child(lambda: answer(name)[1])  # polyattr itself has started nothing yet
        import torch

        torch.set_num_threads(1)
    method, expected = answer(name)
    check_that_it_is_told(method)
    if name == "torch":
        np.testing.assert_allclose(early, expected, rtol=1e-5, atol=1e-6)
        # As another thread would hold it: the child begins with one of its own.
        with method._calls._lock:
            late = in_child(lambda: np.asarray(method.attribute(X, 1)))
        np.testing.assert_array_equal(late, expected)
    # What the model reads, it imports when it is called, which cannot be followed: TensorFlow runs
    # it uncompiled from the second call on, and rounds in other places.
    np.testing.assert_allclose(np.asarray(method.attribute(X, 1)), expected, rtol=1e-6)


if __name__ == "__main__":
    main(sys.argv[1])
