"""Maps have the right sign, place and scale, and say what they cannot show."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import attribution, cells, said

from polyattr import InputError, InputTypeError, plots
from polyattr.plots.drawing.colours import INFINITE, NAN

RNG = np.random.default_rng(0)


def rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def saturation(colours):
    return colours.max(axis=-1) - colours.min(axis=-1)


def test_sign_place_and_scale_are_in_the_pixels():
    values = np.zeros((4, 6))
    values[0, 1], values[2, 4], values[3, 0] = 2.0, -2.0, 1.0
    axes = plots.image(values)
    shown = cells(axes, values.shape)
    red, blue, half = shown[0, 1], shown[2, 4], shown[3, 0]
    assert red[0] > 0.75 > 0.2 > red[1]
    assert blue[2] > 0.5 > 0.2 > blue[0]
    assert red[0] - 0.1 < half[0]
    assert 0.2 < half[1] < 0.8
    others = np.ones(values.shape, bool)
    others[0, 1] = others[2, 4] = others[3, 0] = False
    np.testing.assert_array_equal(shown[others], 1.0)  # zero is white, exactly
    assert axes.images[0].get_clim() == (-2.0, 2.0)


@pytest.mark.parametrize("cmap", [None, "coolwarm", "PuOr"])
def test_zero_is_in_the_middle_though_all_values_are_positive(cmap):
    values = RNG.random((5, 5)) + 0.5
    image = plots.image(attribution(values[None]), cmap=cmap).images[0]
    assert image.get_clim() == (-values.max(), values.max())
    magnitudes = plots.image(attribution(values[None], signed=False), cmap=cmap).images[0]
    assert magnitudes.get_clim() == (0.0, values.max())
    np.testing.assert_allclose(magnitudes.cmap(0.0)[:3], magnitudes.cmap(0)[:3])


@pytest.mark.parametrize("signed", [True, False])
def test_zero_is_white_in_our_colours(signed):
    image = plots.image(np.eye(3), signed=signed).images[0]
    assert image.cmap(image.norm(0.0)) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("values", "words"), [(np.zeros((4, 4)), "all zero"), (np.full((4, 4), np.nan), "nothing fin")]
)
def test_a_map_with_nothing_to_see_says_so(values, words):
    assert words in said(plots.image(values).figure)


def test_what_is_not_finite_has_colours_of_its_own():
    values = RNG.normal(size=(8, 8))
    values[1, 2], values[3, 4], values[5, 6] = np.nan, np.inf, -np.inf
    axes = plots.image(values)
    shown = cells(axes, values.shape)
    np.testing.assert_allclose(shown[1, 2], rgb(NAN), atol=0.01)
    np.testing.assert_allclose(shown[3, 4], rgb(INFINITE), atol=0.01)
    np.testing.assert_allclose(shown[5, 6], rgb(INFINITE), atol=0.01)
    words = said(axes.figure)
    assert "1 NaN" in words
    assert "1 +inf" in words
    assert "1 \N{MINUS SIGN}inf" in words
    finite = values[np.isfinite(values)]
    assert axes.images[0].get_clim() == (-np.abs(finite).max(), np.abs(finite).max())
    # Three signs, each on its pixel.
    places = {tuple(row) for drawn in axes.collections for row in drawn.get_offsets().tolist()}
    assert places == {(2.0, 1.0), (4.0, 3.0), (6.0, 5.0)}


def test_outliers_are_clipped_and_marked():
    values = np.linspace(-1, 1, 900).reshape(30, 30)
    values[2, 3], values[5, 7] = 50.0, -80.0
    axes = plots.image(values)
    low, high = axes.images[0].get_clim()
    expected = np.percentile(np.abs(values), 99.5, method="higher")
    assert (low, high) == (-expected, expected)
    words = said(axes.figure)
    above, below = (values > high).sum(), (values < low).sum()
    assert f"{above} above" in words
    assert f"{below} below" in words
    shown = cells(axes, values.shape)
    ends = [np.array(axes.images[0].cmap(end)[:3]) for end in (0.0, 1.0)]
    assert shown[2, 3].sum() < ends[1].sum() - 0.2  # darker than the end of the scale, on its side
    assert shown[2, 3].argmax() == 0
    assert shown[5, 7].sum() < ends[0].sum() - 0.2
    assert shown[5, 7].argmax() == 2
    whole = plots.image(values, percentile=100)
    assert whole.images[0].get_clim() == (-80.0, 80.0)
    assert "above" not in said(whole.figure)


def test_what_is_no_outlier_is_not_clipped():
    values = np.linspace(-1, 1, 10_000).reshape(100, 100)
    axes = plots.image(values)
    assert axes.images[0].get_clim() == (-1.0, 1.0)
    assert "above" not in said(axes.figure)
    few = np.zeros((40, 40))
    few[3, 3] = 7.0  # more than 99.5 per cent are zero
    assert plots.image(few).images[0].get_clim() == (-7.0, 7.0)


def test_uncertain_values_fade_to_grey():
    values = np.tile([2.0, -2.0, 0.5, 0.0], (4, 1))
    errors = np.repeat([0.0, 0.2, 2.0, np.nan], 4).reshape(4, 4)
    axes = plots.image(values, standard_error=errors)
    shown = cells(axes, values.shape)
    sure = cells(plots.image(values), values.shape)
    np.testing.assert_allclose(shown[0], sure[0], atol=0.01)  # exact
    np.testing.assert_allclose(shown[3], sure[3], atol=0.01)  # nothing is known of the error
    np.testing.assert_allclose(shown[1, :2], sure[1, :2], atol=0.01)  # ten errors from zero
    assert saturation(shown)[2, :2].max() < 0.75 * saturation(sure)[2, :2].min()
    assert saturation(shown)[2, 2] < 0.06
    assert 0.5 < shown[2, 3].mean() < 0.8  # a zero that is not known is grey, and no longer white
    assert "31% within 2 s.e. of 0" in said(axes.figure)  # 5 of 16


@pytest.mark.parametrize(("seed", "error"), [(0, 2.0 * np.sqrt(3)), (None, 6.0)])
def test_channels_are_summed_and_errors_too_in_squares_where_they_are_of_draws(seed, error):
    values, errors = 9 * RNG.normal(size=(1, 3, 6, 7)), np.full((1, 3, 6, 7), 2.0)
    axes = plots.image(attribution(values, standard_error=errors, seed=seed))
    total = values[0].sum(axis=0)
    np.testing.assert_allclose(axes.images[0].get_array(), total)
    far = np.abs(total) >= 2 * error
    np.testing.assert_array_equal(np.asarray(axes.images[1].get_array())[..., 3] == 0, far)
    assert 0 < far.sum() < far.size
    blocks = plots.image(attribution(values, standard_error=errors, seed=seed), pool=2)
    pooled = np.asarray(blocks.images[0].get_array())[:2, :3]
    part = np.asarray(blocks.images[1].get_array())[:2, :3, 3]
    size = error * 2  # of four pixels, in squares
    np.testing.assert_allclose(part, 1 - np.clip(np.abs(pooled) / (2 * size), 0, 1))


@pytest.mark.parametrize("shape", [(6, 7, 3), (3, 6, 7), (1, 6, 7), (6, 7, 1), (6, 7, 4)])
def test_channels_are_found_on_either_end(shape):
    values = RNG.normal(size=shape)
    image = plots.image(values).images[0]
    np.testing.assert_allclose(image.get_array(), values.sum(axis=shape.index(min(shape))))


@pytest.mark.parametrize(("shape", "axis"), [((64, 7, 7), 0), ((7, 7, 64), 2), ((6, 5, 5), 0)])
def test_sides_of_hidden_layers_are_alike(shape, axis):
    values = RNG.normal(size=shape)
    image = plots.image(values).images[0]
    np.testing.assert_allclose(image.get_array(), values.sum(axis=axis))


@pytest.mark.parametrize("axis", [0, -1])
def test_channels_are_where_they_are_said_to_be(axis):
    values = RNG.normal(size=(4, 4, 3) if axis == 0 else (3, 4, 4))
    image = plots.image(values, channel_axis=axis).images[0]
    np.testing.assert_allclose(image.get_array(), values.sum(axis=axis))


def test_blocks_are_summed_and_lie_on_the_picture():
    values = np.ones((5, 6))
    values[4, 5] = -7.0
    axes = plots.image(values, np.zeros((5, 6)), pool=2, mode="overlay")
    drawn = axes.images[-1]
    np.testing.assert_allclose(drawn.get_array(), [[4, 4, 4], [4, 4, 4], [2, 2, -6]])
    assert tuple(drawn.get_extent()) == (-0.5, 5.5, 5.5, -0.5)
    assert axes.get_xlim() == (-0.5, 5.5)
    assert axes.get_ylim() == (4.5, -0.5)  # not beyond the picture
    errors = np.full((5, 6), 3.0)
    hazy = plots.image(values, pool=2, standard_error=errors, mode="map")
    assert "within 2 s.e." in said(hazy.figure)
    assert plots.image(values, pool=2).images[0].get_array().sum() == values.sum()


def test_halves_have_the_scale_of_the_whole():
    values = np.array([[3.0, -1.0], [0.5, -2.0]])
    for mode, sign in (("positive", 1), ("negative", -1)):
        image = plots.image(values, mode=mode).images[0]
        np.testing.assert_array_equal(image.get_array(), np.where(sign * values > 0, values, 0))
        assert image.get_clim() == (-3.0, 3.0)


def test_an_overlay_lets_the_input_through_where_nothing_is():
    values, picture = np.zeros((4, 4)), np.tile([0.0, 1.0], (4, 2))
    values[0, 0], values[3, 3] = 1.0, -1.0
    shown = cells(plots.image(values, picture, mode="overlay"), (4, 4))
    assert shown[0, 0].argmax() == 0
    assert shown[3, 3].argmax() == 2
    rest = np.ones((4, 4), bool)
    rest[0, 0] = rest[3, 3] = False
    assert saturation(shown[rest]).max() < 0.02
    assert shown[1, 1].mean() > shown[1, 0].mean() + 0.4


def test_a_mask_shows_the_input_where_the_map_is_largest():
    values = np.arange(100.0).reshape(10, 10)
    photo = np.zeros((10, 10, 3))
    photo[..., 1] = 1.0
    photo[0, 0] = 0.0  # something to stretch over
    axes = plots.image(values, photo, mode="masked")
    shown = cells(axes, (10, 10))
    np.testing.assert_allclose(shown[8:], np.tile([0, 1, 0], (2, 10, 1)), atol=0.02)
    assert saturation(shown[:8]).max() < 0.02
    assert "20%" in said(axes.figure)


def test_the_scale_is_as_tall_as_the_picture():
    for shape in ((4, 30), (30, 4), (8, 8)):
        axes = plots.image(RNG.normal(size=shape))
        axes.figure.draw_without_rendering()
        (beside,) = axes.child_axes
        outer, inner = axes.get_window_extent(), beside.get_window_extent()
        assert inner.y0 == pytest.approx(outer.y0, abs=1)
        assert inner.y1 == pytest.approx(outer.y1, abs=1)
        assert not plots.image(RNG.normal(size=shape), colorbar=False).child_axes


def test_the_title_says_what_how_much_and_how_exact():
    result = attribution(RNG.normal(size=(3, 4, 4)), converged=np.array([True, False, True]))
    title = plots.image(result, sample=1).get_title(loc="left")
    assert title == "class 1, f(x) = 2\ngap +0.25, error 3.1%, not converged"
    assert plots.image(result, sample=-1).get_title(loc="left").startswith("class 2")
    assert plots.image(result, title="mine").get_title(loc="left") == "mine"


def test_samples_of_several_targets():
    values = RNG.normal(size=(2, 3, 4, 4))
    both = np.arange(6.0).reshape(2, 3)
    known = dict.fromkeys(("scores", "baseline_scores", "completeness_gap", "error"), both)
    known["converged"] = known["evaluations"] = np.ones((2, 3), int)
    result = attribution(values, targets=np.array([[5] * 3, [7] * 3]), **known)
    axes = plots.image(result, sample=(1, 2))
    np.testing.assert_allclose(axes.images[0].get_array(), values[1, 2])
    assert axes.get_title(loc="left").startswith("class 7, f(x) = 5")


def test_one_of_several_inputs():
    values = {"photo": RNG.normal(size=(2, 4, 4)), "ids": None, "age": np.ones((2, 1))}
    result = replace(attribution(np.zeros((2, 1))), values=values)
    drawn = plots.image(result, which="photo", sample=1).images[0]
    np.testing.assert_allclose(drawn.get_array(), values["photo"][1])
    with pytest.raises(InputError, match=r"which= one of its inputs: values\['photo'\], values"):
        plots.image(result)
    with pytest.raises(InputError, match="which is 'ids'; expected one of the inputs"):
        plots.image(result, which="ids")


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.uint8, bool])
def test_every_dtype_is_drawn(dtype):
    values = np.arange(16).reshape(4, 4).astype(dtype)
    image = plots.image(values, values, mode="overlay").images[-1]
    np.testing.assert_array_equal(image.get_array(), values.astype(float))


MAP = np.eye(4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "heat"}, InputError, "mode is 'heat'.*Expected one of map, overlay"),
        ({"mode": "overlay"}, InputError, "no inputs; expected inputs="),
        ({"mode": "negative", "signed": False}, InputError, 'magnitudes; expected "map"'),
        ({"inputs": np.eye(5)}, InputError, r"\(5, 5\) and attribution of shape \(4, 4\) differ"),
        ({"standard_error": np.eye(5)}, InputError, r"shape \(5, 5\), and the values \(4, 4\)"),
        ({"percentile": 0}, InputError, "percentile is 0; expected more than 0"),
        ({"percentile": "all"}, InputTypeError, "percentile is 'all'; expected a number"),
        ({"cmap": "viridiss"}, InputError, "cmap is 'viridiss'. Did you mean 'viridis'"),
        ({"cmap": 3}, InputTypeError, "cmap is a int; expected a matplotlib colormap"),
        ({"ax": "left"}, InputTypeError, "ax is a str; expected matplotlib axes"),
        ({"pool": 0}, InputError, "pool is 0; expected at least 1"),
    ],
)
def test_wrong_arguments(options, error, message):
    with pytest.raises(error, match=message):
        plots.image(MAP, **options)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.zeros((2, 3, 4, 4)), InputError, r"\(2, 3, 4, 4\) cannot.*such as attribution\[0\]"),
        (np.zeros(4), InputError, r"shape \(4,\) cannot be drawn"),
        (np.zeros((0, 4)), InputError, "cannot be drawn"),
        ([["a"]], InputTypeError, "attribution is a list; expected an Attribution or an array"),
        (MAP * 1j, InputTypeError, "of real numbers"),
    ],
)
def test_what_is_no_map(values, error, message):
    with pytest.raises(error, match=message):
        plots.image(values)


@pytest.mark.parametrize(
    ("sample", "error", "message"),
    [
        (2, InputError, "there is no sample 2; expected one of 2"),
        ((1, 0), InputError, "there is no target 1; expected one of 1"),
        ("first", InputTypeError, "sample is 'first'; expected the number"),
        (True, InputTypeError, "sample is True"),
    ],
)
def test_samples_that_are_not_there(sample, error, message):
    with pytest.raises(error, match=message):
        plots.image(attribution(np.zeros((2, 4, 4))), sample=sample)
