"""The pictures of a report show what was explained and what was found, and say it in words."""

import numpy as np
import pytest
from report_page import attribution, pixels, written

import polyattr
from polyattr import InputError, InputTypeError, Names

RNG = np.random.default_rng(3)


def images(page, sample=0):
    return page.card(sample).all("img")


def test_a_map_has_a_pixel_for_each_value_red_for_it_and_blue_against_it(tmp_path):
    values = np.zeros((2, 8, 8))
    values[0, 1, 2], values[0, 6, 5] = 2.0, -2.0
    inputs = np.zeros((2, 8, 8))
    inputs[0, 3] = 1.0
    page = written(attribution(values, inputs=inputs), tmp_path)
    digit, found = images(page)
    shown = pixels(found)
    red, blue = shown[1, 2], shown[6, 5]
    assert red[0] > 0.7 > 0.3 > red[2]
    assert blue[2] > 0.5 > 0.2 > blue[0]
    rest = np.ones((8, 8), bool)
    rest[1, 2] = rest[6, 5] = False
    assert (shown[rest] == 1).all()
    assert "upper left" in found.attrs["alt"]
    ink = pixels(digit)
    assert (ink[3] == 0).all()
    assert (np.delete(ink, 3, axis=0) == 1).all()
    assert "sum to 0: +2 for the score, -2 against it" in page.card(0).text
    assert "All zero." in page.card(1).text


def test_what_is_not_finite_has_its_colours_and_is_counted(tmp_path):
    values = RNG.normal(size=(1, 8, 8))
    values[0, 0, 0], values[0, 7, 7] = np.nan, np.inf
    page = written(attribution(values), tmp_path)
    shown = pixels(images(page)[0])
    assert np.abs(shown[0, 0] - np.array([242, 194, 48]) / 255).max() < 0.05
    assert np.abs(shown[7, 7] - np.array([12, 156, 134]) / 255).max() < 0.05
    assert "1 NaN" in page.card(0).text
    assert "1 +inf" in page.card(0).text
    lost = written(attribution(np.full((1, 8, 8), np.nan)), tmp_path)
    assert "No value is finite." in lost.card(0).text


def test_values_that_may_be_nothing_are_grey_and_counted(tmp_path):
    values = np.full((1, 8, 8), 1.0)
    errors = np.zeros((1, 8, 8))
    errors[0, :2] = 0.9
    page = written(attribution(values, standard_error=errors), tmp_path)
    shown = pixels(images(page)[0])
    assert np.ptp(shown[0, 0]) < 0.7 * np.ptp(shown[5, 5])
    assert "25% of the values are within two standard errors of 0" in page.card(0).text


def test_magnitudes_have_colours_of_their_own(tmp_path):
    values = RNG.random((1, 8, 8)) + 0.5
    page = written(attribution(values, signed=False), tmp_path)
    assert page.all("i", of="size")
    assert not page.all("i", of="signed")
    assert f"Values sum to {values.sum():.4g}." in page.card(0).text
    assert "without a sign" in page.one(id="reading").text


def test_bars_are_as_long_as_values_and_whiskers_two_errors(tmp_path):
    values = np.array([[1.0, -2.0, 0.0, 0.5]])
    errors = np.array([[0.1, 0.5, 0.0, 0.4]])
    names = Names(features=["a", "b", "c", "d"])
    result = attribution(
        values, standard_error=errors, inputs=np.array([[5.0, 6.0, 7.0, 8.0]]), names=names
    )
    rows = written(result, tmp_path).card(0).one("table", of="bars").all("tr")[1:]
    assert [row.one("th").text for row in rows] == ["b", "a", "d", "c"]
    assert [row.all("td")[0].text for row in rows] == ["6", "5", "8", "7"]
    assert [row.all("td")[-1].text for row in rows][:2] == ["-2 \u00b1 0.5", "+1 \u00b1 0.1"]
    unit = 100 / 3  # the longest reaches 2 + 2 * 0.5
    bars = [row.one("rect").attrs for row in rows]
    ends = [(float(b["x"]), float(b["width"])) for b in bars]
    np.testing.assert_allclose(
        ends, [(-2 * unit, 2 * unit), (0, unit), (0, unit / 2), (0, 0)], atol=0.06
    )
    assert [b["class"] for b in bars] == ["against", "for", "for unsure", "for"]
    drawn = rows[0].one("path").attrs["d"].removeprefix("M").split(" 5H")
    np.testing.assert_allclose([float(x) for x in drawn], [-100, -unit], atol=0.06)
    assert not rows[3].all("path")


def test_features_beyond_the_first_stand_in_one_bar(tmp_path):
    values = RNG.normal(size=(1, 40))
    rows = written(attribution(values), tmp_path).card(0).one("table", of="bars").all("tr")[1:]
    assert len(rows) == 11
    rest = np.sort(np.abs(values[0]))[:30]
    assert rows[-1].one("th").text == "30 others together"
    others = [v for v in values[0] if abs(v) in rest]
    assert rows[-1].all("td")[-1].text == f"{sum(others):+.4g}"


def test_words_are_the_texts_with_their_values(tmp_path):
    tokens = [["so", "<b>good", "##ness", "[SEP]"]]
    values = np.array([[0.5, -2.0, 1.0, 0.0]])
    errors = np.full((1, 4), 0.125)
    names = Names(tokens=tokens)
    page = written(attribution(values, standard_error=errors, names=names), tmp_path)
    text = page.card(0).one("p", of="words")
    assert text.text == "so <b>goodness [SEP]"
    spans = text.all("span")
    assert [span.attrs["title"] for span in spans][:2] == ["0.5 \u00b1 0.12", "-2 \u00b1 0.12"]
    assert spans[1].attrs["style"] == "background:#1b4b9c"
    assert spans[1].attrs["class"] == "d"
    assert "Strongest: '<b>good' -2, 'ness' +1, 'so' +0.5." in page.card(0).text


@pytest.mark.parametrize(
    ("shape", "at", "changes", "said"),
    [
        ((2, 2, 40), (1, 17), {"names": Names(channels=["left", "right"])}, "of right at 17"),
        ((2, 40, 2), (34, 0), {"inputs": np.zeros((2, 40, 2))}, "of channel 0 at 34"),
        ((2, 20, 4), (14, 2), {"inputs": np.eye(4)[np.zeros((2, 20), int)]}, "of G at place 14"),
        ((2, 5, 5), (2, 1), {"method": "SmoothHess(features=None)"}, "of feature 2 and feature 1"),
    ],
)
def test_series_sequences_and_pairs_are_drawn(shape, at, changes, said, tmp_path):
    values = RNG.normal(size=shape)
    values[(0, *at)] = 9.5
    page = written(attribution(values, **changes), tmp_path)
    (drawn,) = images(page)
    assert f"The largest is +9.5, {said}." in drawn.attrs["alt"]
    shown = pixels(drawn)
    assert shown.std() > 0.02
    assert shown.shape[1] >= 200


def test_several_inputs_have_a_picture_each(tmp_path):
    values = {"age": RNG.normal(size=(3, 4)), "photo": RNG.normal(size=(3, 8, 8)), "mask": None}
    inputs = {"age": RNG.normal(size=(3, 4)), "photo": RNG.random((3, 8, 8)), "mask": np.ones(3)}
    page = written(attribution(values, inputs=inputs), tmp_path)
    card = page.card(1)
    assert [p.text for p in card.all("p", of="input")] == ["input 'age'", "input 'photo'"]
    assert len(card.all("table", of="bars")) == 1
    assert len(card.all("img")) == 2
    pair = (RNG.normal(size=(3, 4)), RNG.normal(size=(3, 5)))
    card = written(attribution(pair), tmp_path).card(0)
    assert [p.text for p in card.all("p", of="input")] == ["input 0", "input 1"]


@pytest.mark.parametrize("shape", [(2, 3, 5, 5, 2), (2,), (2, 1), (2, 1, 1, 1), (2, 16, 7, 7)])
def test_any_shape_has_a_picture(shape, tmp_path):
    card = written(attribution(RNG.normal(size=shape)), tmp_path).card(1)
    assert card.all("img") or card.all("rect")


def test_maps_of_hidden_layers_keep_their_sides_and_stand_beside_the_photo(tmp_path):
    photos = RNG.random((2, 3, 32, 32))
    for shape in ((2, 16, 7, 7), (2, 7, 7, 16)):
        values = RNG.normal(size=shape)
        photo, found = images(written(attribution(values, inputs=photos), tmp_path))
        assert (photo.attrs["width"], found.attrs["width"], found.attrs["height"]) == (
            "32", "7", "7",
        )  # fmt: skip


def test_what_is_too_much_for_a_picture_says_so(tmp_path):
    card = written(attribution(np.ones((1, 40, 40, 50, 3))), tmp_path).card(0)
    assert "Maps of 40 x 40 x 50 x 3 numbers have no picture here." in card.text


def test_all_samples_are_drawn_in_one_picture(tmp_path):
    values = RNG.normal(size=(20, 3)) * [1, 5, 0.1]
    names = Names(features=["low", "high", "least"])
    page = written(attribution(values, names=names), tmp_path)
    said = page.one(id="all").text
    mean = np.abs(values).mean(axis=0)
    assert f"high ({mean[1]:.4g}), low ({mean[0]:.4g}), least ({mean[2]:.4g})" in said
    maps = np.zeros((4, 9, 9))
    maps[:, 7, 7] = [1, -1, 1, -1]
    page = written(attribution(maps), tmp_path)
    assert "lower right" in page.one(id="all").text
    assert not written(attribution(values[:1]), tmp_path).all(id="all")


# -- inputs ---------------------------------------------------------------------------------------


def test_given_inputs_stand_in_place_of_kept_ones(lab, tmp_path):
    x = RNG.normal(size=(2, 3))
    method = polyattr.GradientInput(lab.function(lambda ops, x: ops.sum(x)), backend=lab.name)
    result = method.attribute(lab.tensor(x))
    for given in (lab.tensor(x), x):
        rows = written(result, tmp_path, inputs=given).card(1).one("table", of="bars").all("tr")
        shown = {row.one("th").text: row.all("td")[0].text for row in rows[1:]}
        assert shown == {f"feature {k}": f"{np.float32(x[1, k]):.4g}" for k in range(3)}
    one = result[0].report(tmp_path / "one.html", inputs=x[0])
    assert f"{np.float32(x[0, 0]):.4g}" in one.read_text(encoding="utf-8")


def test_half_precision_is_read(lab, tmp_path):
    for dtype in ("float16", "bfloat16"):
        model = lab.function(lambda ops, x: ops.sum(x * x))
        method = polyattr.IntegratedGradients(model, backend=lab.name, steps=8)
        result = method.attribute(
            lab.tensor(np.array([[1.0, 2.0], [0.5, 4.0]]), dtype), keep_inputs=True
        )
        rows = written(result, tmp_path).card(1).one("table", of="bars").all("tr")
        shown = [float(row.all("td")[-1].text.split()[0]) for row in rows[1:]]
        np.testing.assert_allclose(shown, [16, 0.25], rtol=0.02)
        assert [row.all("td")[0].text for row in rows[1:]] == ["4", "0.5"]


@pytest.mark.parametrize("inputs", [np.ones((3, 4)), np.ones((2, 5)), np.ones(4), [[1], [2]]])
def test_inputs_that_do_not_fit_are_refused(inputs, tmp_path):
    result = attribution(RNG.normal(size=(2, 4)))
    with pytest.raises(InputError, match="expected what was explained"):
        result.report(tmp_path / "a", inputs=inputs)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("inputs", [["a", "b"], object()])
def test_inputs_that_are_no_numbers_are_refused(inputs, tmp_path):
    with pytest.raises((InputTypeError, InputError), match="inputs"):
        attribution(RNG.normal(size=(2, 4))).report(tmp_path / "a", inputs=inputs)


@pytest.mark.parametrize(
    "kept", [np.array(["a text", "another"]), np.arange(6).reshape(2, 3), {"ids": np.ones((2, 3))}]
)
def test_kept_inputs_that_values_are_not_of_are_left_out(kept, tmp_path):
    page = written(attribution(RNG.normal(size=(2, 4)), inputs=kept), tmp_path)
    assert len(page.card(0).one("table", of="bars").all("tr")[0].all("th")) == 3


def test_each_sample_stands_beside_its_own_input(tmp_path):
    inputs = RNG.normal(size=(3, 4)).round(3)
    page = written(attribution(RNG.normal(size=(3, 4)), inputs=inputs), tmp_path)
    for k in range(3):
        rows = page.card(k).one("table", of="bars").all("tr")[1:]
        shown = {row.one("th").text: float(row.all("td")[0].text) for row in rows}
        assert shown == {f"feature {f}": inputs[k, f] for f in range(4)}
    pictures = np.zeros((2, 8, 8))
    pictures[0, 0], pictures[1, 5] = 1.0, 1.0
    page = written(attribution(RNG.normal(size=(2, 8, 8)), inputs=pictures), tmp_path)
    for k, row in enumerate((0, 5)):
        assert (pixels(images(page, k)[0])[row] == 0).all()
