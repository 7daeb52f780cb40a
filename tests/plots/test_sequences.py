"""Series, words and letters: each in its place, with its colour or height."""

from itertools import pairwise

import numpy as np
import pytest
from drawn import attribution, pixels, said

from polyattr import InputError, InputTypeError, Names, plots
from polyattr.plots.drawing.colours import NAN

RNG = np.random.default_rng(0)


def behind(axes):
    """The colours (T, 4) behind a series."""
    axes.figure.draw_without_rendering()
    return axes.collections[0].get_facecolors()


def test_moments_are_coloured_by_what_they_add():
    values = np.array([[0.0, 2.0, -2.0, 1.0], [0.0, 0.0, 0.0, -0.5]])
    series = np.arange(8.0).reshape(2, 4)
    figure = plots.timeseries(values, series, channel_axis=0, names=["x", "y"])
    first, second = figure.axes[:2]
    np.testing.assert_array_equal(first.lines[0].get_ydata(), series[0])
    np.testing.assert_array_equal(behind(first)[0], 1.0)
    assert behind(first)[1].argmax() == 0 or behind(first)[1][0] > 0.75 > behind(first)[1][2]
    assert behind(first)[2][2] > behind(first)[2][0]
    np.testing.assert_array_equal(behind(second)[:3], 1.0)
    # One scale for both channels: half a quarter of the largest is pale.
    assert 0.75 < behind(second)[3][0] < 1.0
    assert [axes.get_ylabel() for axes in (first, second)] == ["x", "y"]


@pytest.mark.parametrize("shape", [(50, 3), (3, 50)])
def test_the_shorter_axis_has_the_channels(shape):
    values = RNG.normal(size=shape)
    figure = plots.timeseries(values)
    rows = values if shape[0] == 3 else values.T
    for axes, row in zip(figure.axes, rows, strict=True):
        np.testing.assert_allclose(axes.lines[-1].get_ydata(), row)


def test_named_channels_say_which_axis_they_are():
    result = attribution(RNG.normal(size=(1, 4, 3)), names=Names(channels=list("abcd")))
    figure = plots.timeseries(result)
    assert [axes.get_ylabel() for axes in figure.axes] == list("abcd")
    assert figure.axes[0].get_title(loc="left").startswith("class 0, f(x) = 1")


def test_uncertain_moments_fade_and_lines_have_a_band():
    values, errors = np.array([1.0, -1.0, 1.0]), np.array([0.0, 1.0, 0.1])
    figure = plots.timeseries(values, values, standard_error=errors)
    colours = behind(figure.axes[0])
    assert np.ptp(colours[0][:3]) > 0.6
    assert np.ptp(colours[1][:3]) < 0.4
    assert "33% within 2 s.e. of 0" in said(figure)
    band = plots.timeseries(values, standard_error=errors).axes[0].collections[0]
    assert band.get_paths()[0].get_extents().ymin == pytest.approx(-3.0)  # -1 - 2


def test_channels_that_are_left_out_are_counted():
    values = np.arange(1.0, 13.0)[:, None] * np.ones(40)
    figure = plots.timeseries(values, max_channels=2)
    assert [axes.get_ylabel() for axes in figure.axes] == ["channel 10", "channel 11"]
    assert "10 channels with smaller" in said(figure)


def test_moments_stand_where_time_says():
    figure = plots.timeseries(np.ones(3), np.ones(3), time=[0.0, 1.0, 5.0])
    assert figure.axes[0].get_xlim() == (-0.5, 7.0)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [0, 1, 5])


@pytest.mark.parametrize("shape", [(5000,), (1,), (2, 3), (1, 1)])
def test_series_of_any_length(shape):
    values = RNG.normal(size=shape)
    values.flat[0] = np.nan
    pixels(plots.timeseries(values, values), dpi=30)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"time": [0, 2, 1]}, InputError, r"time has shape \(3,\); expected 3 finite, ascending"),
        ({"time": [0, 1]}, InputError, "expected 3 finite, ascending"),
        ({"inputs": np.ones(4)}, InputError, "differ; expected the series"),
        ({"channel_axis": 4}, InputError, "channel_axis is 4 of a series"),
        ({"channel_axis": "last"}, InputTypeError, "channel_axis is 'last'"),
        ({"names": ["a", "b"]}, InputError, "2 names for 1 channels"),
    ],
)
def test_wrong_series(options, error, message):
    with pytest.raises(error, match=message):
        plots.timeseries(np.ones(3), **options)


def test_a_picture_is_no_series():
    with pytest.raises(InputError, match=r"expected one series \(T,\)"):
        plots.timeseries(np.ones((2, 3, 4)))


# -- words ----------------------------------------------------------------------------------------

WORDS = ["[CLS]", "not", "un", "##kind", "$5", "\u2581at", "[PAD]"]


def boxes(axes):
    return {word.get_text(): word.get_bbox_patch().get_facecolor() for word in axes.texts}


def test_words_stand_on_their_colours():
    values = np.array([0.0, -2.0, 1.0, 2.0, np.nan, 0.5, 9.0])
    axes = plots.text(values, WORDS, skip=["[PAD]"])
    found = boxes(axes)
    assert list(found) == ["[CLS]", "not", "un", "kind", "$5", "at"]
    assert found["[CLS]"] == (1, 1, 1, 1)
    assert found["not"][2] > found["not"][0]
    assert found["kind"][0] > 0.75 > 0.2 > found["kind"][1]
    np.testing.assert_allclose(found["$5"][:3], [int(NAN[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    words = said(axes.figure)
    assert "+2" in words  # the scale is that of the words that are drawn
    assert "1 NaN" in words


def test_words_do_not_overlap_and_stay_in_line():
    words = [f"word{i}" for i in range(60)]
    figure = plots.text(RNG.normal(size=60), words).figure
    figure.draw_without_rendering()
    spans = [word.get_bbox_patch().get_window_extent() for word in figure.axes[0].texts]
    lines = {round(span.y0) for span in spans}
    assert len(lines) > 3
    for a, b in pairwise(spans):
        assert b.x0 >= a.x1 - 1 or b.y1 <= a.y0 + 1
    assert max(span.x1 for span in spans) <= figure.bbox.x1
    assert min(span.y0 for span in spans) >= 0


def test_embeddings_are_summed_and_their_errors_of_draws_in_squares():
    values = np.stack([np.full((2, 16), 0.5), np.full((2, 16), -0.25)])
    errors = np.full((2, 2, 16), [[[1.25]], [[0.1]]])
    names = Names(tokens=[["a", "b"]] * 2)
    result = attribution(values, standard_error=errors, names=names, seed=3)
    shown = boxes(plots.text(result))  # 8 with error 5: not told from zero
    assert np.ptp(shown["a"][:3]) < 0.6
    sure = boxes(plots.text(result, sample=1))
    assert sure["a"][2] > 0.5 > 0.2 > sure["a"][0]  # -4 with error 0.4
    assert "100% within 2 s.e." in said(plots.text(result).figure)
    plain = boxes(plots.text(values[0].sum(axis=1), ["a", "b"]))
    assert np.ptp(plain["a"][:3]) > 0.6


def test_html_is_escaped_and_has_the_same_colours():
    page = plots.text_html(
        np.array([2.0, -1.0, 0.5]), ["<b>", "a", "##b"], standard_error=[1, 0, 0]
    )
    assert page._repr_html_() == page.text == str(page)
    assert "<b>" not in page.text
    assert "&lt;b&gt;</span> <span" in page.text
    assert ">a</span><span" in page.text  # a part of the same word
    assert 'title="2 \u00b1 1"' in page.text
    blue = boxes(plots.text(np.array([2.0, -1.0]), ["x", "y"]))["y"]
    assert "#{:02x}{:02x}{:02x}".format(*(round(255 * part) for part in blue[:3])) in page.text


@pytest.mark.parametrize("count", [1, 3, 300])
def test_texts_of_any_length(count):
    figure = plots.text(RNG.normal(size=count), ["word"] * count).figure
    pixels(figure, dpi=30)
    assert figure.get_figheight() < 12


@pytest.mark.parametrize(
    ("values", "tokens", "error", "message"),
    [
        (np.ones(3), ["a", "b"], InputError, "2 tokens for 3 tokens; expected one for each"),
        (np.ones(3), None, InputError, "no words for 3 tokens; expected tokens="),
        (np.ones(3), "abc", InputTypeError, "tokens is 'abc'; expected one text"),
        (np.ones(()), ["a"], InputError, r"expected \(L,\), or \(L, E\)"),
    ],
)
def test_wrong_words(values, tokens, error, message):
    with pytest.raises(error, match=message):
        plots.text(values, tokens)


# -- letters --------------------------------------------------------------------------------------


def heights(axes):
    """Where each letter stands and how high: {(place, bottom, top)}."""
    found = []
    for patch in axes.patches:
        path = patch.get_path()
        vertices = path.vertices[path.codes != path.CLOSEPOLY]
        for place in np.unique(np.round(vertices[:, 0])):
            own = vertices[np.abs(vertices[:, 0] - place) <= 0.45 + 1e-9]
            found.append((int(place), round(own[:, 1].min(), 6), round(own[:, 1].max(), 6)))
    return sorted(found)


def test_letters_are_as_tall_as_their_values():
    hot = np.eye(4)[[0, 3, 2]]
    axes = plots.logo(hot * [[2.0], [-1.0], [0.5]], hot)
    assert heights(axes) == [(0, 0.0, 2.0), (1, -1.0, 0.0), (2, 0.0, 0.5)]
    low, high = axes.get_ylim()
    assert low < -1
    assert high > 2


def test_one_letter_stands_for_all_of_its_place_where_the_sequence_is_known():
    values = np.array([[1.0, 0.5, -0.25, 0.0]])
    (one,) = heights(plots.logo(values, np.eye(4)[[2]]))
    assert one == (0, 0.0, 1.25)
    # Without it each letter has its own, the largest outermost.
    assert heights(plots.logo(values)) == [(0, -0.25, 0.0), (0, 0.0, 0.5), (0, 0.5, 1.5)]


def test_letters_within_two_errors_are_pale_and_have_whiskers():
    hot = np.eye(4)[[0, 0]]
    axes = plots.logo(hot * [[2.0], [1.0]], hot, standard_error=hot * 0.6)
    assert sorted(patch.get_alpha() < 1 for patch in axes.patches) == [False, True]
    np.testing.assert_allclose(axes.collections[0].get_segments()[1], [[1, -0.2], [1, 2.2]])


def test_parts_and_other_alphabets():
    values = RNG.normal(size=(200, 20))
    axes = plots.logo(values, alphabet="ACDEFGHIKLMNPQRSTVWY", start=50, stop=60)
    assert {place for place, *_ in heights(axes)} == set(range(50, 60))
    turned = plots.logo(values.T, alphabet="ACDEFGHIKLMNPQRSTVWY", start=50, stop=60)
    assert heights(turned) == heights(axes)


def test_places_that_are_not_finite_are_marked():
    values = np.array([[np.nan, 0, 0, 0], [1.0, 0, 0, 0]])
    axes = plots.logo(values, np.eye(4)[[0, 0]])
    assert "not finite: 1" in said(axes.figure)
    assert "all zero" in said(plots.logo(np.zeros((3, 4))).figure)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones((5, 3)), {}, r"expected one sequence \(L, 4\) or \(4, L\)"),
        (np.ones((5, 4)), {"inputs": np.full((5, 4), 0.25)}, "not one-hot: place 0"),
        (np.ones((5, 4)), {"inputs": np.eye(4)}, "differ; expected the sequence"),
        (np.ones((5, 4)), {"start": 5}, "places of a sequence of length 5"),
        (np.ones((5, 4)), {"alphabet": ["AB"]}, "expected one letter for each entry"),
    ],
)
def test_wrong_sequences(values, options, message):
    with pytest.raises(InputError, match=message):
        plots.logo(values, **options)


def test_lines_say_whether_they_are_attributions_or_the_series():
    values = RNG.normal(size=(2, 30, 10))
    alone, beside = (attribution(values).plot(x, kind="timeseries") for x in (None, values))
    words = "lines: attributions; 2 channels with smaller attributions are not drawn"
    assert said(alone).count(words) == 2
    assert "lines:" not in said(beside)
