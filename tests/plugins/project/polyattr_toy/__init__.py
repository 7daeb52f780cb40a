"""A polyattr backend for the toy framework: everything a plugin has to implement, in NumPy."""

import numpy as np
import toy

from polyattr import BoundModel, GradBackend


class ToyBackend(GradBackend):
    """Differentiates by central differences, exact to rounding for models of degree two."""

    name = "toy"
    interface = 1

    def claims(self, candidate):
        """A toy model; arrays are everybody's."""
        return isinstance(candidate, toy.Model)

    def bind(self, model):
        """Calls the model as it is."""
        bound = BoundModel(model, entry=model)
        bound.dtype = "float64"
        return bound

    def is_tensor(self, value):
        """A NumPy array."""
        return isinstance(value, np.ndarray)

    def grad(self, score, rows):
        """Moves one feature of all rows at a time: the rows are independent."""
        gradients = [np.zeros_like(row) for row in rows]
        for leaf, row in enumerate(rows):
            for feature in np.ndindex(*row.shape[1:]):
                ends = []
                for step in (0.5, -0.5):
                    moved = [other.copy() for other in rows]
                    moved[leaf][(slice(None), *feature)] += step
                    ends.append(score(moved))
                gradients[leaf][(slice(None), *feature)] = ends[0] - ends[1]
        return score(rows), gradients

    def fold(self, total, index, rows):
        """Adds in place."""
        np.add.at(total, index, rows)
        return total

    def row_sums(self, tensor):
        """Sums all axes but the first."""
        return tensor.reshape(len(tensor), -1).sum(1)

    def pick(self, outputs, columns):
        """Indexes every row."""
        return outputs[(np.arange(len(outputs)), *columns)]

    def concat(self, parts):
        """Joins along the first axis."""
        return np.concatenate(parts)

    def to_native(self, array, like=None, dtype=None):
        """Copies."""
        return np.array(array, dtype=dtype)

    def to_numpy(self, tensor):
        """Arrays are NumPy arrays."""
        return np.asarray(tensor)

    def dtype(self, tensor):
        """Names the dtype."""
        return str(tensor.dtype)

    def cast(self, tensor, dtype):
        """Converts."""
        return tensor.astype(dtype, copy=False)

    def zeros(self, shape, like, dtype):
        """Makes zeros."""
        return np.zeros(shape, dtype)

    def devices(self):
        """The one device."""
        return ["abacus"]


class OldBackend(ToyBackend):
    """Written for an interface that is no more."""

    interface = 0


class TextBackend(ToyBackend):
    """States the version of the interface as text."""

    interface = "1"


class NamelessBackend(ToyBackend):
    """Has a name that nobody can ask for."""

    name = ""


class RaisingBackend(ToyBackend):
    """Makes a mistake when it is asked whose model something is."""

    name = "toyraises"

    def claims(self, candidate):
        """Divides by zero."""
        return 1 / 0


backend = ToyBackend()
old_backend = OldBackend()
text_backend = TextBackend()
nameless_backend = NamelessBackend()
raising_backend = RaisingBackend()
