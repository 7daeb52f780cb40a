"""What every lab offers; the labs differ in the framework only."""

import functools
import logging
import random
from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext

import numpy as np


@contextmanager
def switched(setter, inside, outside):
    """Makes a setting of the process, and takes it back."""
    setter(inside)
    try:
        yield
    finally:
        setter(outside)


class Counter:
    """What a counted model was asked to compute.

    Attributes:
        calls: Evaluations, compiled ones included.
        rows: Rows over all evaluations.
        largest: Most rows in one evaluation.
        bodies: Executions of the model's Python code: traces, where models are compiled.
    """

    def __init__(self):
        self.bodies = 0
        self.reset()

    def reset(self):
        self.sizes = []
        self.bodies = 0

    def settle(self):
        """Waits until everything dispatched has been counted."""

    @property
    def calls(self):
        self.settle()
        return len(self.sizes)

    @property
    def rows(self):
        self.settle()
        return sum(self.sizes)

    @property
    def largest(self):
        self.settle()
        return max(self.sizes)


class _Listener(logging.Handler):
    def __init__(self, hear):
        super().__init__()
        self.hear = hear

    def emit(self, record):
        self.hear(*record.args)


def told(hear):
    """Returns a function like ``hear(rows)`` whose model polyattr does not see change.

    All that a model can reach is part of what it computes with, and resetting a counter among it
    would be a change of the model. A logger is the exception: nothing is computed from it.
    """
    logger = logging.Logger("counter")
    logger.addHandler(_Listener(hear))
    return functools.partial(logger.info, "%s")


class Lab(ABC):
    """Builds native things from NumPy, and reads them back.

    Attributes:
        name: The backend's name.
        ops: Class of static functions, the vocabulary of test models.
        dtypes: Floating dtypes the framework computes gradients in.
        compiled: Whether kernels are traced once and then run without Python.
    """

    name = ""
    ops = None
    compiled = True
    dtypes = ("float16", "bfloat16", "float32", "float64")

    # -- tensors ------------------------------------------------------------------------------

    @abstractmethod
    def tensor(self, array, dtype=None):
        """Makes a native tensor; float32 from float64 unless another dtype is named."""

    @abstractmethod
    def numpy(self, tensor):
        """Copies a native tensor to NumPy; bfloat16 as float32."""

    @abstractmethod
    def is_native(self, value):
        """Says whether a value is a tensor of the framework."""

    @abstractmethod
    def dtype(self, tensor):
        """Names the dtype as NumPy would."""

    # -- models -------------------------------------------------------------------------------

    def function(self, body):
        """Makes a native function of ``body(ops, *inputs)``."""
        return functools.partial(body, self.ops)

    def mlp(self, network):
        """Makes a native function of a `labs.numpy_network.Network`, without softmax."""

        def outputs(ops, x):
            for i, (weight, bias) in enumerate(network.layers):
                x = ops.matmul(x, ops.like(weight, x)) + ops.like(bias, x)
                if i < len(network.layers) - 1:
                    x = getattr(ops, network.activation)(x)
            return x

        return self.function(outputs)

    @abstractmethod
    def network(self, network, softmax=True):
        """Builds the framework's usual kind of model from a `labs.numpy_network.Network`.

        Its layers are "dense0", "dense1", ..., with the activation between them, the last one
        being "logits"; then, unless `softmax` is false, "probabilities".
        """

    @abstractmethod
    def layer(self, model, name):
        """Returns a layer of what `network` built, as an object."""

    @abstractmethod
    def set_weights(self, model, network):
        """Overwrites the weights of what `network` built."""

    @abstractmethod
    def counting(self, body):
        """Makes a native function of ``body(ops, x)``, and the `Counter` of its evaluations."""

    # -- differentiating what was computed ------------------------------------------------------

    @abstractmethod
    def differentiated(self, loss):
        """Makes a function of NumPy arrays from a native ``loss(*tensors)``, in float64.

        It returns the loss and its gradients by each of the arrays, by the framework's own means,
        compiled where that is usual.
        """

    # -- state --------------------------------------------------------------------------------

    def double(self):
        """Lets float64 exist, where that is not the default."""
        return nullcontext()

    def reseed(self, seed):
        """Seeds every generator the process shares."""
        random.seed(seed)
        np.random.seed(seed)

    def draw(self):
        """Draws from every generator the process shares."""
        return [random.random(), float(np.random.random())]

    @abstractmethod
    def settings(self):
        """Reads the process-wide settings of the framework, as something to compare."""

    @abstractmethod
    def situations(self):
        """Names settings of the framework that a user may have made; each gives a context."""
