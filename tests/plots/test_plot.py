"""`Attribution.plot` chooses a picture by shape and names, and lays out one for each sample."""

import sys

import numpy as np
import pytest
from drawn import attribution, pixels, said

from polyattr import InputError, InputTypeError, MissingExtraError, Names, plots

choice = sys.modules["polyattr.plots.choice"]
RNG = np.random.default_rng(0)


def images(figure):
    return [image for axes in figure.axes for image in axes.images]


def titles(figure):
    found = [axes.get_title(loc=loc) for axes in figure.axes for loc in ("left", "right")]
    return [title for title in found if title]


HOT = np.eye(4)[RNG.integers(0, 4, (2, 30))]


@pytest.mark.parametrize(
    ("shape", "changes", "kind"),
    [
        ((2, 5), {}, "tabular"),
        ((2,), {}, "tabular"),
        ((17, 5), {}, "summary"),
        ((2, 8, 8), {}, "image"),
        ((2, 3, 20, 20), {}, "image"),
        ((2, 20, 16), {}, "image"),
        ((2, 100, 6), {}, "timeseries"),
        ((2, 6, 100), {}, "timeseries"),
        ((2, 20, 16), {"names": Names(channels=list("abcdefghijklmnop"))}, "timeseries"),
        ((2, 30, 4), {"inputs": HOT}, "logo"),
        ((2, 3), {"names": Names(tokens=[list("abc"), list("def")])}, "text"),
        ((2, 3, 20), {"names": Names(tokens=[list("abc"), list("def")])}, "text"),
        ((2, 6, 6), {"method": "SmoothHess(features=None)"}, "interactions"),
    ],
)
def test_the_picture_fits_shape_and_names(shape, changes, kind, monkeypatch):
    drawn = []
    result = attribution(RNG.normal(size=shape), **changes)
    plain = choice._chosen
    monkeypatch.setattr(choice, "_chosen", lambda *asked: drawn.append(plain(*asked)) or drawn[-1])
    pixels(result.plot(), dpi=30)
    assert drawn == [kind]


def test_kinds_can_be_asked_for():
    result = attribution(RNG.normal(size=(2, 8, 8)))
    assert len(images(result.plot())) == 2
    assert "62 others" in said(result.plot(kind="tabular", max_features=2))
    assert len(result.plot(kind="timeseries").axes) == 16
    assert "2 samples, 52 more features" in said(result.plot(kind="summary"))
    overlay = result.plot(np.zeros((2, 8, 8)), mode="overlay")
    assert len(overlay.axes) == 2
    words = said(result.plot(kind="text", tokens=[f"w{i}" for i in range(8)]))
    assert "w0" in words
    assert "w7" in words


def test_each_sample_has_its_scale_and_the_method_says_whether_it_has_signs():
    values = RNG.random((3, 8, 9)) + 1
    for image, sample in zip(images(attribution(values).plot()), values, strict=True):
        assert image.get_clim() == (-sample.max(), sample.max())
        assert image.cmap(image.norm(0.0)) == (1, 1, 1, 1)
    for image, sample in zip(images(attribution(values, signed=False).plot()), values, strict=True):
        assert image.get_clim() == (0, sample.max())


@pytest.mark.parametrize("values", [(3, 6, 7), (6, 7, 3), (6, 7), (1, 6, 7)])
@pytest.mark.parametrize("photo", [(3, 6, 7), (6, 7, 3), (6, 7)])
def test_a_photo_may_have_its_channels_on_the_other_end(values, photo):
    maps, photos = RNG.normal(size=(2, *values)), RNG.random((2, *photo))
    found = images(attribution(maps).plot(photos))
    shown = np.asarray(found[0].get_array())
    expected = np.moveaxis(photos[0], 0, -1) if photo == (3, 6, 7) else photos[0]
    low, high = expected.min(), expected.max()
    np.testing.assert_allclose(shown, (expected - low) / (high - low))
    assert found[1].get_array().shape == (6, 7)
    alone = images(attribution(maps[:1]).plot(photos[0]))
    np.testing.assert_allclose(np.asarray(alone[0].get_array()), shown)


def test_kept_inputs_are_drawn_and_titles_are_the_users_or_ours():
    values, inputs = RNG.normal(size=(2, 5, 6, 7))
    figure = attribution(values, inputs=inputs).plot()
    assert len(images(figure)) == 10
    assert titles(figure)[4] == "class 4, f(x) = 5\ngap +0.25, error 3.1%"
    assert titles(attribution(values).plot(titles=list("abcde"))) == list("abcde")


@pytest.mark.parametrize(
    "kept",
    [
        np.arange(6).reshape(2, 3),  # ids, of whose embeddings the map is
        {"ids": np.arange(6).reshape(2, 3), "mask": np.ones((2, 3))},
        np.array(["a text", "another"]),
    ],
)
def test_inputs_that_were_kept_and_are_not_what_values_are_of(kept):
    names = Names(tokens=[list("abc")] * 2)
    result = attribution(RNG.normal(size=(2, 3, 8)), inputs=kept, names=names)
    assert {"a", "b", "c"} <= set(said(result.plot()).split("\n"))
    assert len(images(result.plot(kind="image"))) == 2


def test_samples_of_several_targets_are_all_drawn():
    both = np.arange(6.0).reshape(2, 3)
    known = dict.fromkeys(("scores", "baseline_scores", "completeness_gap", "error"), both)
    known["converged"] = known["evaluations"] = np.ones((2, 3), int)
    targets = np.array([[5] * 3, [7] * 3])
    values = RNG.normal(size=(2, 3, 4, 4))
    figure = attribution(values, targets=targets, **known).plot(RNG.random((3, 4, 4)))
    assert len(images(figure)) == 12
    assert [title.split(",")[0] for title in titles(figure)] == ["class 5"] * 3 + ["class 7"] * 3
    np.testing.assert_allclose(images(figure)[9].get_array(), values[1, 1])


@pytest.mark.parametrize(
    ("shape", "kind", "shown"), [((40, 5, 5), "image", 16), ((6, 40, 3), "timeseries", 4)]
)
def test_only_some_samples_are_drawn_and_it_says_so(shape, kind, shown):
    figure = attribution(RNG.normal(size=shape)).plot(kind=kind)
    assert figure.get_suptitle() == f"the first {shown} of {shape[0]} samples"
    assert len(titles(figure)) == shown


@pytest.mark.parametrize("shape", [(3,), (2, 5000), (1, 1), (1, 1, 1), (16, 2, 2)])
def test_one_feature_and_very_many_features_are_drawn(shape):
    pixels(attribution(RNG.normal(size=shape)).plot(), dpi=30)


def test_rows_are_called_by_their_names():
    result = attribution(np.array([1.0, -3.0]), names=Names(rows=["Ann", "Bob"]))
    (axes,) = result.plot().axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Bob", "Ann"]


# -- figures --------------------------------------------------------------------------------------


def test_a_figure_shows_itself_in_a_notebook_and_can_be_written(tmp_path):
    figure = attribution(RNG.normal(size=(1, 5, 5))).plot()
    figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1000
    assert figure._repr_png_().startswith(b"\x89PNG")
    axes = plots.image(np.eye(3))
    assert axes._repr_png_().startswith(b"\x89PNG")


def test_pyplot_is_left_alone():
    import matplotlib.pyplot as plt

    mine = plt.figure()
    mine.add_subplot()
    before = plt.get_fignums(), plt.get_backend(), dict(plt.rcParams)
    attribution(RNG.normal(size=(1, 5, 5))).plot()
    plots.tabular(np.ones(3))
    plots.timeseries(np.ones(3), np.ones(3))
    plots.compare([attribution(RNG.normal(size=(1, 5, 5)))])
    assert (plt.get_fignums(), plt.get_backend(), dict(plt.rcParams)) == before
    assert plt.gcf() is mine
    assert plt.gca() is mine.axes[0]
    plt.close(mine)


def test_axes_of_pyplot_are_drawn_on():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 6)
    given = (np.eye(4), np.ones(3), np.ones((3, 2)), np.eye(4), np.eye(4))
    kinds = (plots.image, plots.tabular, plots.summary, plots.logo, plots.interactions)
    for draw, values, ax in zip(kinds, given, axes, strict=False):
        assert draw(values, ax=ax) is ax
        assert ax.has_data()
    assert plots.text(np.ones(2), ["a", "b"], ax=axes[5]) is axes[5]
    pixels(figure, dpi=40)
    plt.close(figure)


def test_a_figure_can_be_handed_to_pyplot():
    """`plt.show()` shows what pyplot knows; matplotlib takes figures of others from 3.11 on."""
    import matplotlib
    import matplotlib.pyplot as plt

    if tuple(map(int, matplotlib.__version__.split(".")[:2])) < (3, 11):
        pytest.skip("matplotlib is older than 3.11")
    figure = attribution(RNG.normal(size=(1, 5, 5))).plot()
    plt.figure(figure)
    assert plt.gcf() is figure
    plt.close(figure)


def test_missing_matplotlib_says_what_to_install(monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    for draw in (plots.image, plots.tabular, plots.summary, plots.timeseries, plots.interactions):
        with pytest.raises(MissingExtraError, match=r'pip install "polyattr\[plots\]"'):
            draw(np.zeros((4, 4)))
    with pytest.raises(MissingExtraError, match=r'pip install "polyattr\[plots\]"'):
        attribution(np.zeros((1, 4, 4))).plot()


# -- wrong calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "options", "error", "message"),
    [
        ((1, 2, 3, 4, 5), {}, InputError, r"shape \(1, 2, 3, 4, 5\) cannot be drawn"),
        ((0, 4, 4), {}, InputError, r"shape \(0, 4, 4\) cannot be drawn"),
        (
            (2, 4, 4),
            {"inputs": np.zeros((2, 4, 5))},
            InputError,
            r"\(2, 4, 5\).*\(2, 4, 4\) differ",
        ),
        ((2, 3, 4, 4), {"inputs": np.zeros((1, 4, 4, 3))}, InputError, "differ; .*first or last"),
        ((2, 3, 4, 4), {"inputs": np.zeros((2, 5, 4, 3))}, InputError, "differ; .*first or last"),
        ((2, 5), {"inputs": np.zeros((2, 4))}, InputError, "differ; expected what was explained"),
        ((2, 4, 4), {"titles": ["one"]}, InputError, "1 titles for 2 samples"),
        ((2, 4, 4), {"titles": "ab"}, InputTypeError, "titles is 'ab'; expected one text for each"),
        ((2, 4, 4), {"kind": "pie"}, InputError, "kind is 'pie'.*Expected one of image, tabular"),
        ((2, 4, 4), {"mod": "map"}, InputTypeError, "no option 'mod' for kind='image'.*'mode'"),
        ((2, 4), {"kind": "beeswarm"}, InputError, "'beeswarm'. Here it is 'summary'. Expected"),
        ((2, 4), {"kind": "waterfall"}, InputError, "'waterfall'. Here it is 'tabular'. Expected"),
        ((2, 4), {"sample": 1}, InputTypeError, r"'tabular': result\[3\].plot\(\) draws one.* Its"),
        ((20, 4), {"ax": 1}, InputTypeError, r"'summary': .*plots.tabular\(result, ax=...\), draw"),
        ((2, 4), {"figsize": (3, 3)}, InputTypeError, "set_size_inches of the figure it returns"),
        ((2, 4, 4), {"sign": "all"}, InputTypeError, "'image': mode='positive' and mode="),
        ((2, 4, 4), {"kind": "text"}, InputError, "no words for 4 tokens"),
        ((2,), {"kind": "image"}, InputError, "kind is 'image', and values have one number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values, options, error, message):
    with pytest.raises(error, match=message):
        attribution(RNG.normal(size=values)).plot(**options)
