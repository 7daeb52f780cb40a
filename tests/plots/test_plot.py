"""Pictures of attributions."""

import sys

import numpy as np
import pytest
from polyattr.plots.maps import heat, plot_attribution

from polyattr.errors import InputError, MissingExtraError

RNG = np.random.default_rng(0)


def _images(figure):
    return [image for axes in figure.axes for image in axes.images]


def test_signed_maps_are_centred_on_zero():
    values = RNG.normal(size=(3, 8, 9)) + 1
    images = _images(plot_attribution(values))
    assert len(images) == 3
    for image, sample in zip(images, values, strict=True):
        assert image.get_clim() == (-np.abs(sample).max(), np.abs(sample).max())
        assert image.cmap(image.norm(0.0)) == (1, 1, 1, 1)


def test_maps_without_negative_values_start_at_zero():
    values = RNG.random((2, 8, 9)) + 1
    for image, sample in zip(_images(plot_attribution(values)), values, strict=True):
        assert image.get_clim() == (0, sample.max())
        assert image.cmap(image.norm(0.0)) == (1, 1, 1, 1)


@pytest.mark.parametrize("shape", [(6, 7, 3), (3, 6, 7), (1, 6, 7), (6, 7, 1), (6, 7, 4)])
def test_channels_are_summed_wherever_they_are(shape):
    axis = shape.index(min(shape))
    values = RNG.normal(size=(2, *shape))
    image = _images(plot_attribution(values))[1]
    np.testing.assert_allclose(image.get_array(), values[1].sum(axis=axis))
    assert heat(values[0]).shape == (6, 7)


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3), (3, 6, 7), (6, 7, 1)])
def test_inputs_stand_beside_their_maps(shape):
    values, inputs = RNG.normal(size=(2, 5, *shape))
    figure = plot_attribution(values, inputs=inputs, titles=list("abcde"))
    assert len(_images(figure)) == 10
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [t for t in titles if t] == list("abcde")
    assert _images(figure)[0].get_array().shape[:2] == (6, 7)


@pytest.mark.parametrize("values", [(3, 6, 7), (6, 7, 3), (6, 7), (1, 6, 7)])
@pytest.mark.parametrize("photo", [(3, 6, 7), (6, 7, 3), (6, 7)])
def test_a_photo_may_have_its_channels_on_the_other_end(values, photo):
    maps, photos = RNG.normal(size=(2, *values)), RNG.random((2, *photo))
    images = _images(plot_attribution(maps, inputs=photos))
    shown = np.asarray(images[0].get_array())
    expected = np.moveaxis(photos[0], 0, -1) if photo == (3, 6, 7) else photos[0]
    low, high = expected.min(), expected.max()
    np.testing.assert_allclose(shown, (expected - low) / (high - low))
    assert images[1].get_array().shape == (6, 7)
    alone = _images(plot_attribution(maps[:1], inputs=photos[0]))
    np.testing.assert_allclose(np.asarray(alone[0].get_array()), shown)


def test_features_are_bars():
    figure = plot_attribution(np.array([[1.0, -2.0, 0.5]]))
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [1.0, -2.0, 0.5]
    assert len({bar.get_facecolor() for bar in axes.patches}) == 2


@pytest.mark.parametrize("shape", [(3,), (2, 5000)])
def test_one_feature_and_very_many_features_are_drawn(shape):
    assert plot_attribution(RNG.normal(size=shape)).axes


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.uint8])
def test_every_dtype_is_drawn(dtype):
    values = np.arange(32).reshape(2, 4, 4).astype(dtype)
    plot_attribution(values, inputs=values)._repr_png_()


def test_zeros_are_white():
    (image,) = _images(plot_attribution(np.zeros((1, 4, 4))))
    assert image.cmap(image.norm(0.0)) == (1, 1, 1, 1)


def test_only_sixteen_samples_are_drawn_and_it_says_so():
    figure = plot_attribution(RNG.normal(size=(40, 5, 5)), titles=[str(i) for i in range(40)])
    assert len(_images(figure)) == 16
    assert figure.get_suptitle() == "the first 16 of 40 samples"


def test_a_figure_shows_itself_in_a_notebook_and_can_be_written(tmp_path):
    figure = plot_attribution(RNG.normal(size=(1, 5, 5)))
    figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1000
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_pyplot_is_left_alone():
    import matplotlib.pyplot as plt

    before = plt.get_fignums(), plt.get_backend()
    plot_attribution(RNG.normal(size=(1, 5, 5)))
    assert (plt.get_fignums(), plt.get_backend()) == before


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.zeros((1, 2, 3, 4, 5)), {}, r"shape \(1, 2, 3, 4, 5\) cannot be drawn"),
        (np.zeros((0, 4, 4)), {}, r"shape \(0, 4, 4\) cannot be drawn"),
        (np.float64(3), {}, r"shape \(\) cannot be drawn"),
        (np.full((1, 2, 2), np.nan), {}, "NaN or infinity"),
        (np.zeros((2, 4, 4)), {"inputs": np.zeros((2, 4, 5))}, r"\(2, 4, 5\).*\(2, 4, 4\) differ"),
        (np.zeros((2, 3, 4, 4)), {"inputs": np.zeros((1, 4, 4, 3))}, r"differ; .*first or last"),
        (np.zeros((2, 3, 4, 4)), {"inputs": np.zeros((2, 5, 4, 3))}, r"differ; .*first or last"),
        (np.zeros((2, 5)), {"inputs": np.zeros((2, 4))}, "differ; expected what was explained"),
        (np.zeros((2, 4, 4)), {"titles": ["one"]}, "1 titles for 2 samples"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values, options, message):
    with pytest.raises(InputError, match=message):
        plot_attribution(values, **options)


def test_missing_matplotlib_says_what_to_install(monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r'pip install "polyattr\[plots\]"'):
        plot_attribution(np.zeros((1, 4, 4)))
