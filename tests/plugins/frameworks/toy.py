"""A framework polyattr has never heard of: quadratic models of NumPy arrays."""

import numpy as np

__version__ = "7.1"


class Model:
    """Outputs (x * x) @ squares + x @ slopes, with shape (N, outputs)."""

    def __init__(self, squares, slopes):
        self.squares, self.slopes = np.asarray(squares, float), np.asarray(slopes, float)

    def __call__(self, x):
        return (x * x) @ self.squares + x @ self.slopes
