"""Whole pictures, as coarse as a glance: what changes their looks on purpose changes these hashes.

Brighter or darker than the neighbour on the left, for each of 16 by 16 parts and three colours:
fonts and releases of matplotlib move a few of these 768 bits, another scale or place many.
``python tests/plots/test_hashes.py`` prints the hashes of the pictures as they are now.
"""

import numpy as np
import pytest
from drawn import attribution, pixels

from polyattr import plots

PARTS, ALIKE = 16, 0.045


def bump(x, y, size=24):
    rows, columns = np.mgrid[:size, :size]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 20)


def heat(sign=1):
    values = sign * (bump(8, 7) - 0.8 * bump(16, 15))
    return plots.image(values, standard_error=np.full(values.shape, 0.1)).figure


def overlay(sign=1):
    return plots.image(sign * bump(8, 7), bump(14, 14), mode="overlay").figure


def bars(sign=1):
    values = sign * np.array([3.0, -2, 1, 0.5, -0.25])
    return plots.tabular(values, standard_error=np.full(5, 0.3)).figure


def series(sign=1):
    time = np.linspace(0, 20, 120)
    return plots.timeseries(sign * np.sin(time) * time, np.sin(time))


def letters(sign=1):
    hot = np.eye(4)[[0, 1, 2, 3] * 4]
    return plots.logo(sign * hot * np.linspace(-1, 2, 16)[:, None], hot).figure


def methods(sign=1):
    values = sign * (bump(8, 7) - bump(16, 15))[None]
    return plots.compare([attribution(values)] * 2, np.abs(values))


PICTURES = (heat, overlay, bars, series, letters, methods)
HASHES = {
    "heat": (
        "60400000002763481b00002722403b60002712003f64002712003f64002712003f64803712003b64"
        "403f02401b227d3803485903ffbf03401803ff9f0001d803ff8f0001d803ff8f0000f9037c078000"
        "3b204007800000200007038038000000"
    ),
    "overlay": (
        "0340000001e703fe000001f703e8080001ff03c81b0001ff03481b2001ff03401b6001ff03481b60"
        "01fb03c9fb6001f903ffffe001fe03ffffe001ff03ffffe001ff03ffffe001ff000fffe001ff0001"
        "ff0001ff0000000001df0000000001df"
    ),
    "bars": (
        "000000e000001f800000003f1f800000003f000004e000001f80c7e00000000007e000000000000f"
        "80001f80000ffe000000000f80001f80001ff0001f80001c0000000000e000001f8000fc00000000"
        "00e00000e00000e00000000e00e001c0"
    ),
    "series": (
        "e001031e32336391031e7237e011031e72376011031e72376011031e72373011231e32371011231e"
        "32371811231e3237c011031e7237c001831e7237e001831e7233e001831e7233f001831e7233f011"
        "031e7233e000011871e31c0e38e071c0"
    ),
    "letters": (
        "038000000000e38000000000e38000000005e38000000037e380000007746380000007e7e3800002"
        "7767e380000707e7e38000074677606e3826767703c9f800000002ce0000000002fe000000000380"
        "00000000e00e380071c7038e38e071c7"
    ),
    "methods": (
        "000000000fc0000000007fc0000000007ff8e0000700703fe000000001ff00000000003800000000"
        "7ec0c0000780323fe000000001ff0000070001fe0000000076c00000070076fee000070011ffc000"
        "0000013fe000071c6900e000001fe000"
    ),
}


def bits(figure):
    shown = pixels(figure)
    height, width, _ = shown.shape
    rows, columns = (np.linspace(0, size, PARTS + 1).astype(int) for size in (height, width))
    sums = np.add.reduceat(np.add.reduceat(shown, rows[:-1], axis=0), columns[:-1], axis=1)
    size = np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None]
    means = sums / size
    # Steps that a reader would not see are none.
    return (np.diff(means, axis=1, prepend=means[:, -1:]) > 0.01).ravel()


def written(found):
    return np.packbits(found).tobytes().hex()


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_looks_as_it_did(picture):
    known = np.unpackbits(np.frombuffer(bytes.fromhex(HASHES[picture.__name__]), np.uint8))
    moved = (bits(picture()) != known).mean()
    assert moved < ALIKE, f"{moved:.1%} of {picture.__name__} changed: {written(bits(picture()))}"


@pytest.mark.parametrize("picture", PICTURES)
def test_another_sign_is_another_picture(picture):
    """So that the test above could fail."""
    assert (bits(picture(-1)) != bits(picture())).mean() > ALIKE


if __name__ == "__main__":
    for made in PICTURES:
        print(f'    "{made.__name__}": "{written(bits(made()))}",')  # noqa: T201 - to be copied
