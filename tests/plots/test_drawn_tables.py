"""Bars of one sample and swarms of all: order, names, whiskers, and what is left out."""

import numpy as np
import pytest
from drawn import attribution, pixels, said

from polyattr import InputError, InputTypeError, Names, plots

RNG = np.random.default_rng(0)


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def lengths(axes):
    return [bar.get_width() for bar in axes.patches]


def test_bars_are_ranked_and_named_with_what_they_were():
    axes = plots.tabular(np.array([0.5, -2.0, 1.0]), [10.0, 20.0, 30.25], names=["a", "b", "c"])
    assert labels(axes) == ["b = 20", "c = 30.2", "a = 10"]
    assert lengths(axes) == [-2.0, 1.0, 0.5]
    colours = [bar.get_facecolor() for bar in axes.patches]
    assert colours[0][2] > colours[0][0]  # blue
    assert colours[1] == colours[2]
    assert colours[1][0] > colours[1][2]  # red
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top


def test_the_rest_is_one_bar_with_its_error():
    values, errors = np.array([5.0, -4, 1, 1, -3, 0.5]), np.array([0, 0, 0.3, 0.4, 0, 0])
    result = attribution(values[None], standard_error=errors[None], seed=0)
    axes = plots.tabular(result, max_features=3)
    assert labels(axes) == ["feature 0", "feature 1", "feature 4", "3 others"]
    assert lengths(axes) == [5, -4, -3, 2.5]
    # Whiskers where there is an error: two errors of 0.5, that of the rest together.
    (whisker,) = axes.collections[0].get_segments()
    np.testing.assert_allclose(whisker, [[1.5, 3], [3.5, 3]])
    assert sum(lengths(axes)) == values.sum()
    # Those of a path go together: 0.3 and 0.4 are 0.7.
    path = plots.tabular(values, max_features=3, standard_error=errors)
    np.testing.assert_allclose(path.collections[0].get_segments()[0][:, 0], [1.1, 3.9])
    # A rest of one is drawn by itself.
    assert labels(plots.tabular(values[:4], max_features=3))[-1] == "feature 3"


def test_whiskers_reach_two_errors_and_bars_within_them_are_pale():
    values, errors = np.array([3.0, 1.0]), np.array([0.5, 0.6])
    axes = plots.tabular(values, standard_error=errors)
    np.testing.assert_allclose(
        axes.collections[0].get_segments(), [[[2, 0], [4, 0]], [[-0.2, 1], [2.2, 1]]]
    )
    sure, pale = (bar.get_facecolor() for bar in axes.patches)
    assert min(pale) > min(sure) + 0.3


def test_a_result_brings_names_and_title():
    result = attribution(
        RNG.normal(size=(2, 3)),
        names=Names(features=["age", "dose", "$x$"], classes={1: "ill"}, rows=["Ann", "Bob"]),
        standard_error=np.full((2, 3), 0.1),
        inputs=np.ones((2, 3)),
    )
    axes = plots.tabular(result, sample=1)
    assert {name.split(" = ")[0] for name in labels(axes)} == {"age", "dose", r"\$x\$"}
    assert all(name.endswith(" = 1") for name in labels(axes))
    assert axes.get_title(loc="right").splitlines() == [
        "Bob, ill, f(x) = 2",
        "gap +0.25, error 3.1%",
    ]
    pixels(axes.figure)  # dollars are written as they are, and no formula


def test_what_is_not_finite_is_written():
    axes = plots.tabular(np.array([1.0, np.nan, -np.inf]), standard_error=np.ones(3))
    assert labels(axes) == ["feature 1", "feature 2", "feature 0"]
    assert lengths(axes) == [0, 0, 1]
    assert "NaN" in said(axes.figure)
    assert "\N{MINUS SIGN}inf" in said(axes.figure)
    assert np.isfinite(axes.get_xlim()).all()


def test_nothing_says_so():
    axes = plots.tabular(np.zeros(3))
    assert "all zero" in said(axes.figure)
    assert axes.get_xlim()[0] <= -1.0


def test_samples_of_any_shape_are_counted_through():
    axes = plots.tabular(np.array([[1.0, 2.0], [3.0, 4.0]]), max_features=2)
    assert labels(axes) == ["(1, 1)", "(1, 0)", "2 others"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"names": ["a"]}, InputError, "1 names for 3 features"),
        ({"names": "abc"}, InputTypeError, "names is 'abc'; expected one text for each feature"),
        ({"inputs": np.ones(4)}, InputError, r"inputs of shape \(4,\).*differ"),
        ({"max_features": 0}, InputError, "max_features is 0; expected at least 1"),
        ({"max_features": 2.5}, InputTypeError, "max_features is 2.5"),
    ],
)
def test_wrong_tables(options, error, message):
    with pytest.raises(error, match=message):
        plots.tabular(np.arange(3.0), **options)


# -- the whole data set ---------------------------------------------------------------------------


def test_a_summary_says_what_samples_were_explained_for():
    """What is red for one class is blue for another: predicted classes are mixed in one swarm."""
    values = RNG.normal(size=(20, 3))
    mixed = attribution(values, targets=np.repeat([0, 1], [5, 15]))
    named = mixed.named(classes=["ill", "well"])
    for drawn in (named.plot(), plots.summary(named).figure, named.plot(style="bar")):
        assert "20 samples\neach for its own target: well (15), ill (5)" in said(drawn)
    many = attribution(values, targets=np.arange(20) % 5)
    assert "target: class 0 (4), class 1 (4), class 2 (4), 2 more" in said(many.plot())
    assert "15 samples\nfor well" in said(named[5:].plot(kind="summary"))
    for without in (mixed.values, attribution(values, targets=None)):
        assert "for " not in said(plots.summary(without).figure)


def test_a_swarm_has_a_dot_for_each_sample_at_its_value():
    values, errors = RNG.normal(size=(50, 3)) * [1, 3, 2], np.full((50, 3), 0.5)
    values[4, 1] = np.nan
    inputs = RNG.normal(size=(50, 3))
    axes = plots.summary(values, inputs, standard_error=errors)
    assert labels(axes) == ["feature 1", "feature 2", "feature 0"]
    dots = np.concatenate([drawn.get_offsets() for drawn in axes.collections])
    for row, feature in enumerate([1, 2, 0]):
        of_row = np.abs(dots[:, 1] - row) < 0.45
        own = values[:, feature]
        np.testing.assert_allclose(np.sort(dots[of_row, 0]), np.sort(own[np.isfinite(own)]))
    hollow = [len(d.get_offsets()) for d in axes.collections if not len(d.get_facecolors())]
    assert sum(hollow) == (np.abs(values) < 1.0).sum()
    assert "hollow: within 2 s.e. of 0; 1 not finite" in said(axes.figure)
    assert {"low", "high"} <= set(said(axes.figure).split("\n"))
    # The dot of the largest input has the warm end of the colours, that of the smallest the cold.
    top = max(axes.collections[0:2], key=lambda d: len(d.get_offsets()))
    at = np.asarray(top.get_offsets())[:, 0]
    colours = top.get_facecolors() if len(top.get_facecolors()) else top.get_edgecolors()
    where = [int(np.abs(at - v).argmin()) for v in (values[inputs[:, 1].argmax(), 1],)]
    assert colours[where[0], 0] > colours[where[0], 2]


def test_mean_magnitudes_and_their_mean_errors():
    values, errors = np.array([[1.0, -3.0], [1.0, 5.0]]), np.array([[0.1, 0.2], [0.3, 0.4]])
    axes = plots.summary(values, style="bar", standard_error=errors, names=["a", "b"])
    assert labels(axes) == ["b", "a"]
    assert lengths(axes) == [4.0, 1.0]
    np.testing.assert_allclose(
        axes.collections[0].get_segments(), [[[3.4, 0], [4.6, 0]], [[0.6, 1], [1.4, 1]]]
    )
    assert axes.get_title(loc="left") == "2 samples"


@pytest.mark.parametrize("style", ["swarm", "bar"])
@pytest.mark.parametrize("shape", [(1, 4), (3000, 2), (5, 40), (3, 4, 5)])
def test_data_sets_of_any_size(style, shape):
    figure = plots.summary(RNG.normal(size=shape), RNG.normal(size=shape), style=style).figure
    words = said(figure)
    assert f"{shape[0]:,} sample{'s' * (shape[0] > 1)}" in words
    features = int(np.prod(shape[1:]))
    assert (f"{features - 12} more features" in words) == (features > 12)
    pixels(figure, dpi=40)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones(3), {}, r"shape \(3,\); expected \(N, F\)"),
        (np.ones((3, 2)), {"style": "pie"}, "style is 'pie'.*Expected one of swarm, bar"),
        (np.ones((3, 2)), {"inputs": np.ones((2, 2))}, "differ; expected what was explained"),
    ],
)
def test_wrong_data_sets(values, options, message):
    with pytest.raises(InputError, match=message):
        plots.summary(values, **options)


# -- pairs ----------------------------------------------------------------------------------------


def test_interactions_are_named_and_centred_on_zero():
    values = np.array([[0.0, 2.0], [2.0, -1.0]])
    axes = plots.interactions(values, names=["age", "dose"])
    image = axes.images[0]
    np.testing.assert_array_equal(image.get_array(), values)
    assert image.get_clim() == (-2.0, 2.0)
    assert image.cmap(image.norm(0.0)) == (1, 1, 1, 1)
    assert labels(axes) == [label.get_text() for label in axes.get_xticklabels()] == ["age", "dose"]
    assert "2.0" in said(axes.figure)


def test_the_largest_interactions_are_kept_in_order():
    values = np.diag([1.0, 5.0, 2.0, 4.0])
    axes = plots.interactions(values, max_features=2, standard_error=np.full((4, 4), 0.1))
    np.testing.assert_array_equal(axes.images[0].get_array(), np.diag([5.0, 4.0]))
    assert labels(axes) == ["feature 1", "feature 3"]
    assert "2 more features" in said(axes.figure)
    assert "grey: 50% within 2 s.e. of 0" in said(axes.figure)


def test_no_matrix():
    with pytest.raises(InputError, match=r"shape \(2, 3\); expected one matrix \(F, F\)"):
        plots.interactions(np.zeros((2, 3)))
