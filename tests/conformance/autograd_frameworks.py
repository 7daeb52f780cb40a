"""Frameworks that autograd is not, played by it: lazy, compiling, without NumPy.

Each class is sound where it does not say otherwise, and has a broken one beside it.
"""

import copy
import re
import types
from pathlib import Path

import numpy as np

from polyattr import BoundModel
from polyattr.backend import Watched, held_objects

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-backend.md").read_text(encoding="utf-8")
NAMES = {"__name__": "polyattr_autograd"}
exec(compile(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[0], "page", "exec"), NAMES)
Sound = NAMES["AutogradBackend"]


# -- lazy -------------------------------------------------------------------------------------


class Queued(np.ndarray):
    """An array to which rows are still to be added once it is read."""

    def __array_finalize__(self, other):
        self.queue = []

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return getattr(ufunc, method)(*map(settled, inputs), **options)

    def __getitem__(self, key):
        return settled(self)[key]


def settled(value):
    """The array with all rows added."""
    if not isinstance(value, Queued):
        return value
    plain = value.view(np.ndarray)
    for index, rows in value.queue:
        np.add.at(plain, index, rows)
    value.queue.clear()
    return plain


class Unsettled(Sound):
    """Broken: adds rows only once the sum is read, and does not evaluate where it should."""

    def fold(self, total, index, rows):
        queued = total if isinstance(total, Queued) else total.view(Queued)
        queued.queue.append((index, rows))
        return queued

    def to_numpy(self, tensor):
        return Sound.to_numpy(self, settled(tensor))

    def cast(self, tensor, dtype):
        return Sound.cast(self, settled(tensor), dtype)

    def concat(self, parts):
        return Sound.concat(self, [settled(part) for part in parts])


class Lazy(Unsettled):
    def settle(self, tensors):
        for tensor in tensors:
            settled(tensor)


# -- compiling --------------------------------------------------------------------------------


class Freezing(Sound):
    """Keeps in a kernel what the model holds at its first run, as one that traces does."""

    kernel = None

    def bind(self, model):
        return Frozen(model, self)

    def compile(self, function, donate=None):
        kept = {}

        def kernel(*args):
            around, self.kernel = self.kernel, kept
            try:
                return function(*args)
            finally:
                self.kernel = around

        return kernel

    def traced(self, model):
        if self.kernel is None:
            return model
        if "model" not in self.kernel:
            self.kernel["model"] = held(model)
        return self.kernel["model"]


class Frozen(BoundModel):
    def __init__(self, model, backend):
        super().__init__(model, entry=model)
        self.backend = backend

    def run(self, state, args, kwargs):
        return self.backend.traced(self._function)(*args, **kwargs)


def held(model):
    """A copy of a model that keeps what it refers to now."""
    if not isinstance(model, types.FunctionType):
        return copy.copy(model)
    cells = tuple(types.CellType(cell.cell_contents) for cell in model.__closure__ or ())
    defaults = model.__defaults__
    return types.FunctionType(model.__code__, model.__globals__, model.__name__, defaults, cells)


class Stale(Freezing):
    """Broken: does not say that its kernels hold anything."""

    def bind(self, model):
        return StaleBound(model, self)


class StaleBound(Frozen):
    def watched(self):
        return Watched(())


# -- gradients on weights ---------------------------------------------------------------------


class Weight(np.ndarray):
    """An array with a place for its gradient."""

    grad = None

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [i.view(np.ndarray) if isinstance(i, Weight) else i for i in inputs]
        return getattr(ufunc, method)(*plain, **options)


class Backward(Sound):
    """Broken: differentiates by all weights there are, and leaves their gradients there."""

    def grad(self, score, rows):
        for weight in held_objects(score):
            if isinstance(weight, Weight):
                weight.grad = np.ones_like(weight)
        return Sound.grad(self, score, rows)


# -- tensors NumPy cannot read ----------------------------------------------------------------


class Opaque:
    """A tensor without `__array__`."""

    def __init__(self, value):
        self.value = value


class Recorded(Opaque):
    """One that is still being differentiated."""


class Unreadable(Sound):
    kind = Opaque

    def is_tensor(self, value):
        return isinstance(value, Opaque)

    def to_native(self, array, like=None, dtype=None):
        return Opaque(Sound.to_native(self, array, None, dtype))

    def grad(self, score, rows):
        scores, gradients = Sound.grad(self, score, [row.value for row in rows])
        return self.kind(scores), [Opaque(gradient) for gradient in gradients]


class Recording(Unreadable):
    """Broken: scores come back as they were recorded."""

    kind = Recorded
