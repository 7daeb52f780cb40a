"""Portable draws: standard normal, independent, and a function of (seed, draw, input) alone."""

import numpy as np
import pytest

from polyattr.sampling.noise import portable_noise


def test_a_draw_depends_on_its_name_only():
    first = portable_noise(3, 5, 0, (4, 2))
    portable_noise(3, 6, 0, (100,))
    np.random.default_rng(3).standard_normal(10)
    assert (portable_noise(3, 5, 0, (4, 2)) == first).all()
    assert first.dtype == np.float32
    assert first.shape == (4, 2)


def test_draws_of_other_names_are_uncorrelated():
    n = 4000
    draws = [
        portable_noise(seed, draw, leaf, (n,))
        for seed in (0, 1, 2**40)
        for draw in (0, 1, 2**20)
        for leaf in (0, 1)
    ]
    correlations = np.corrcoef(draws)
    off = correlations[~np.eye(len(draws), dtype=bool)]
    assert np.abs(off).max() <= 5 / np.sqrt(n)


def test_long_draws_do_not_run_into_the_next():
    # A draw of a large image takes millions of numbers from its stream.
    long = portable_noise(0, 0, 0, (300_000,))
    following = portable_noise(0, 1, 0, (64,))
    windows = np.lib.stride_tricks.sliding_window_view(long, 2)
    assert not (windows == following[:2]).all(axis=1).any()


def test_moments_of_the_standard_normal():
    sample = portable_noise(7, 0, 0, (200_000,)).astype(np.float64)
    n = sample.size
    assert abs(sample.mean()) <= 4 / np.sqrt(n)
    assert abs(sample.var() - 1) <= 4 * np.sqrt(2 / n)
    assert abs((sample**4).mean() - 3) <= 4 * np.sqrt(96 / n)


@pytest.mark.parametrize("seed", [0, 2**31, 2**63, 2**64 - 1])
def test_seeds_up_to_64_bits(seed):
    draw = portable_noise(seed, 0, 0, (8,))
    assert np.isfinite(draw).all()
    assert np.abs(draw - portable_noise(seed ^ 1, 0, 0, (8,))).max() > 0.1
