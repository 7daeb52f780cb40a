"""Methods beside each other: rows, columns, and what stands around each map."""

import numpy as np
import pytest
from drawn import attribution, pixels, said, texts

from polyattr import InputError, InputTypeError, Names, plots

RNG = np.random.default_rng(0)


def results(n=3, shape=(5, 6), **changes):
    first = attribution(RNG.normal(size=(n, *shape)), **changes)
    second = attribution(
        RNG.random((n, *shape)),
        method="Saliency()",
        completeness_gap=None,
        error=np.zeros(n),
        signed=False,
        **changes,
    )
    return {"IG\nalong a path": first, "Saliency": second}


def test_every_method_of_every_sample_has_its_map_gap_and_error():
    found = results()
    figure = plots.compare(found, RNG.random((3, 5, 6)), heading="Why", subheading="because")
    drawn = [image for axes in figure.axes for image in axes.images]
    maps = [image for image in drawn if image.get_array().shape == (5, 6)]
    np.testing.assert_allclose(maps[3].get_array(), found["IG\nalong a path"].values[0])
    np.testing.assert_allclose(maps[8].get_array(), found["Saliency"].values[2])
    assert maps[3].get_clim()[0] < 0 == maps[6].get_clim()[0]
    words = texts(figure)
    assert words.count("+0.250 (3.1%)") == 3
    assert words.count("exact") == 3
    assert {"class 0", "class 2", "f(x) = 3", "IG", "along a path", "Why", "because"} <= set(words)
    assert "red: error above the tolerance" not in words


def test_errors_above_the_tolerance_are_red_and_marks_are_explained():
    values, errors = RNG.normal(size=(2, 5, 6)), np.full((2, 5, 6), 0.4)
    values[0, 0, 0] = np.nan
    result = attribution(values, standard_error=errors, converged=np.array([True, False]))
    figure = plots.compare([result])
    red = [text for text in figure.texts if text.get_text() == "+0.250 (3.1%)"]
    assert [text.get_color() for text in red] == ["#222222", "#d01c1f"]
    words = texts(figure)
    assert {"within 2 s.e. of 0", "NaN", "red: error above the tolerance"} <= set(words)
    assert "IntegratedGradients" in words


def test_labels_say_which_are_wrong():
    result = attribution(RNG.normal(size=(3, 4, 4)), names=Names(classes={1: "cat", 5: "dog"}))
    figure = plots.compare([result], labels=np.array([0, 5, 2]))
    words = texts(figure)
    assert "cat, is dog" in words
    assert [word for word in words if word in {"right", "wrong"}] == ["right", "wrong", "right"]
    assert "shown" in texts(plots.compare([result], captions=["shown", "too", "three"]))


def test_methods_of_one_name_are_told_apart_by_their_settings():
    first = attribution(RNG.normal(size=(1, 4, 4)))
    second = attribution(RNG.normal(size=(1, 4, 4)), method="IntegratedGradients(steps=9)")
    words = texts(plots.compare([first, second]))
    assert {"steps=50", "steps=9"} <= set(words)


def test_another_target_is_named_below_its_map():
    first, second = (attribution(np.ones((1, 4, 4)), targets=np.array([t])) for t in (0, 3))
    assert "class 3: +0.250 (3.1%)" in texts(plots.compare([first, second]))


def test_chosen_samples_tables_and_many():
    found = results(n=40)
    assert said(plots.compare(found, samples=[7, -1])).count("(3.1%)") == 2
    assert said(plots.compare(found)).count("(3.1%)") == 16
    figure = plots.compare(results(shape=(9,)))
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert len(heights) == 9
    pixels(figure, dpi=40)


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ({}, {}, InputError, "results is empty"),
        (3, {}, InputTypeError, "results is 3; expected a dict of attributions"),
        ([np.ones((2, 4, 4))], {}, InputTypeError, "expected an Attribution"),
        (None, {"labels": [1, 2]}, InputError, r"labels have shape \(2,\).*expected 3 classes"),
        (None, {"captions": ["a"]}, InputError, "1 captions for 3 samples"),
        (None, {"samples": [3]}, InputError, "there is no sample 3; expected one of 3"),
        (None, {"samples": []}, InputError, "samples is empty"),
        (None, {"samples": "all"}, InputTypeError, "samples is 'all'; expected numbers"),
        (None, {"inputs": np.ones((2, 5, 6))}, InputError, "are not 3 samples"),
    ],
)
def test_what_cannot_be_compared(given, options, error, message):
    with pytest.raises(error, match=message):
        plots.compare(results() if given is None else given, **options)


def test_results_of_other_samples():
    with pytest.raises(InputError, match=r"'b' have shape \(2, 4, 4\), those of 'a' \(3, 4, 4\)"):
        plots.compare({"a": attribution(np.ones((3, 4, 4))), "b": attribution(np.ones((2, 4, 4)))})


def test_samples_of_other_names_are_not_compared():
    """As after `worst` of each: other samples would stand below each other."""
    whole = attribution(np.ones((3, 4, 4))).named(rows=["a", "b", "c"])
    with pytest.raises(InputError, match="sample 0 of 'other' is called 'b', that of 'one' 'a'; "):
        plots.compare({"one": whole[[0, 1]], "other": whole[[1, 0]]})
    unnamed = attribution(np.ones((2, 4, 4)))
    assert plots.compare({"one": whole[:2], "other": whole[:2], "more": unnamed}).axes
