"""Regions over any map: the order of the paper, by hand."""

import sys

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.regions import Regions, xrai

RNG = np.random.default_rng(1230)


def by_hand(values, masks, least):
    """The paper's loop over all segments, pixel by pixel."""
    heat, rank = np.full(values.shape, np.nan), np.full(values.shape, -1)
    number = 0
    while True:
        best, gain = None, -np.inf
        for mask in masks:
            new = mask & (rank < 0)
            if new.sum() >= least and values[new].mean() > gain:
                best, gain = new, values[new].mean()
        if best is None:
            break
        heat[best], rank[best] = gain, number
        number += 1
    rest = rank < 0
    heat[rest], rank[rest] = values[rest].mean() if rest.any() else 0, number
    return heat, rank


@pytest.mark.parametrize("least", [1, 5])
def test_regions_come_in_the_order_of_what_they_add(least):
    values = RNG.standard_normal((3, 9, 11))
    masks = [RNG.random((k, 9, 11)) < 0.2 for k in (6, 25, 12)]
    found = xrai(values, segments=masks, min_pixels=least)
    for i in range(3):
        heat, rank = by_hand(values[i], masks[i], least)
        assert_close(found.heat[i], heat, 1e-12)
        np.testing.assert_array_equal(found.rank[i], rank)
    # What the regions have in all is what the map has.
    assert_close(found.heat.sum(axis=(1, 2)), values.sum(axis=(1, 2)), 1e-10)


def test_channels_are_summed_wherever_they_are():
    values = RNG.standard_normal((2, 3, 6, 7))
    masks = [RNG.random((5, 6, 7)) < 0.4] * 2
    first = xrai(values, segments=masks)
    assert_close(first.heat, xrai(values.sum(axis=1), segments=masks).heat, 1e-12)
    last = xrai(np.moveaxis(values, 1, -1), segments=masks)
    assert_close(last.heat, first.heat, 1e-12)


def test_the_best_regions_cover_a_fraction():
    rank = np.array([[[0, 0, 1, 2], [0, 1, 2, 2]]])
    found = Regions(-rank.astype(float), rank)
    assert found.top(0.0).sum() == 0
    np.testing.assert_array_equal(found.top(0.2), rank == 0)
    np.testing.assert_array_equal(found.top(3 / 8), rank == 0)
    np.testing.assert_array_equal(found.top(0.5), rank <= 1)
    assert found.top(1.0).all()
    with pytest.raises(polyattr.InputError, match="fraction is 2; expected"):
        found.top(2)


def test_attributions_are_taken_as_they_are(lab):
    def squares(ops, x):
        return ops.sum(x * x)

    x = RNG.standard_normal((2, 5, 6, 3)).astype(np.float32)
    masks = [RNG.random((4, 5, 6)) < 0.5] * 2
    method = polyattr.GradientInput(lab.function(squares), backend=lab.name)
    result = method.attribute(lab.tensor(x))
    assert_close(xrai(result, segments=masks).heat, xrai(2 * x**2, segments=masks).heat)


MAPS = np.zeros((2, 5, 6))
MASKS = [np.ones((1, 5, 6), bool)] * 2
WRONG = [
    ({}, "images and segments are None"),
    ({"segments": MASKS[:1]}, "segments has 1 entries; expected one per map, 2"),
    ({"segments": [mask[:, 1:] for mask in MASKS]}, r"masks of shape \(1, 4, 6\)"),
    ({"segments": [mask.astype(int) for mask in MASKS]}, "segments holds int64; expected masks"),
    ({"images": np.zeros((2, 5, 7))}, r"images has pictures \(2, 5, 7\)"),
    ({"images": np.zeros((2, 3, 6, 3))}, "which axis has its channels cannot be told"),
    ({"segments": MASKS, "min_pixels": 0}, "min_pixels is 0"),
    ({"segments": MASKS, "attribution": np.zeros(3)}, r"attribution has shape \(3,\)"),
    ({"segments": MASKS, "attribution": "map"}, "attribution is a str"),
    ({"segments": MASKS, "attribution": MAPS + np.nan}, "empty or not finite"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[said for _, said in WRONG])
def test_wrong_arguments_are_told(given, said):
    with pytest.raises((polyattr.InputError, polyattr.InputTypeError), match=said):
        xrai(**{"attribution": MAPS, **given})


def test_without_scikit_image_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    monkeypatch.setitem(sys.modules, "skimage.morphology", None)
    with pytest.raises(polyattr.MissingExtraError, match=r'pip install "polyattr\[regions\]"'):
        xrai(MAPS, MAPS)
