"""Pictures divided by scikit-image, which the session without frameworks installs."""

import numpy as np
import pytest

import polyattr
from polyattr.regions import segments, xrai

pytest.importorskip("skimage", reason="scikit-image, of the extra 'regions', is not installed")

RNG = np.random.default_rng(1231)


def picture():
    """A bright square on a dark ground, and a little noise."""
    image = np.full((40, 50, 3), 40.0) + 0.01 * RNG.standard_normal((40, 50, 3))
    image[10:25, 20:40] = 200.0
    return image


def test_segments_have_what_the_picture_shows():
    masks = segments(picture(), dilation=2)
    assert masks.dtype == bool
    assert masks.shape[1:] == (40, 50)
    assert masks.any(axis=0).all()
    square = np.zeros((40, 50), bool)
    square[10:25, 20:40] = True
    overlap = (masks & square).sum(axis=(1, 2)) / (masks | square).sum(axis=(1, 2))
    assert overlap.max() > 0.8


def test_dilation_makes_them_larger_and_channels_may_come_first():
    image = picture()
    small, large = segments(image, dilation=0), segments(image, dilation=2)
    assert len(small) == len(large)
    assert ((small & large) == small).all()
    assert large.sum() > small.sum()
    np.testing.assert_array_equal(segments(np.moveaxis(image, -1, 0), dilation=0), small)
    np.testing.assert_array_equal(segments(5 * image - 7, dilation=0), small)


def test_the_region_of_the_evidence_is_the_best():
    image = picture()
    values = 0.1 * RNG.standard_normal((1, 40, 50))
    values[0, 10:25, 20:40] += 1.0
    found = xrai(values, image[None])
    best = found.top(0.01)[0]
    square = np.zeros((40, 50), bool)
    square[10:25, 20:40] = True
    assert (best & square).sum() > 0.9 * square.sum()
    assert found.heat[0][square].mean() > 0.4 > found.heat[0][~best].mean()


def test_a_picture_of_one_colour_is_one_segment():
    assert segments(np.ones((12, 12)), scales=(100,), dilation=0).all()


def test_wrong_arguments_are_told():
    with pytest.raises(polyattr.InputError, match="scales is"):
        segments(picture(), scales=())
    with pytest.raises(polyattr.InputError, match="dilation is -1"):
        segments(picture(), dilation=-1)
    with pytest.raises(polyattr.InputError, match="channel_axis is 2"):
        segments(picture(), channel_axis=1)
