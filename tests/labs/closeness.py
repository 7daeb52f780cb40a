"""Comparing maps: relative to their largest entry, since attributions cancel."""

import numpy as np


def assert_close(actual, expected, relative=1e-5):
    """Asserts that two arrays differ by at most `relative` times the largest expected entry."""
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape
    assert np.isfinite(actual).all()
    largest = np.abs(expected).max()
    assert largest > 0, "an all-zero expectation would be met by anything that returns zeros"
    assert np.abs(actual - expected).max() <= relative * largest
