"""What metrics return: means, tables, pictures."""

import numpy as np
import pytest

import polyattr
from polyattr.metrics import Curve, Measurement, Randomisation

VALUES = np.array([3.0, 1.0, 2.0, np.nan])
ERRORS = np.array([0.3, 0.1, 0.2, np.nan])


def measurement(**changed):
    return Measurement("gap", "Saliency(batch_size=3)", VALUES, ERRORS, {"seed": 0}, **changed)


def test_means_leave_out_what_has_no_value():
    found = measurement()
    assert len(found) == 4
    assert found.mean == 2.0
    assert found.mean_standard_error == pytest.approx(1 / np.sqrt(3))
    one = Measurement("gap", "Saliency()", np.array([5.0]))
    assert one.mean == 5.0
    assert np.isnan(one.mean_standard_error)
    assert np.isnan(Measurement("gap", "Saliency()", np.array([np.nan])).mean)


def test_its_repr_says_what_was_found_and_which_way_is_better():
    text = repr(measurement())
    assert text == "<gap of Saliency: 2 \N{PLUS-MINUS SIGN} 0.58 on 4 samples, lower is better>"
    assert "best near 0" in repr(measurement(better="zero"))


def test_a_table_has_a_row_for_each_sample():
    pytest.importorskip("pandas")
    frame = measurement().to_frame()
    assert frame.columns.tolist() == ["sample", "gap", "standard_error"]
    np.testing.assert_array_equal(frame["gap"], VALUES)
    assert frame.attrs["method"] == "Saliency(batch_size=3)"
    plain = Measurement("gap", "Saliency()", VALUES).to_frame()
    assert plain["standard_error"].isna().all()


def test_values_are_drawn_in_their_order_with_the_mean():
    ax = measurement().plot()
    drawn = ax.collections[-1] if len(ax.collections) == 1 else ax.collections[1]
    np.testing.assert_array_equal(drawn.get_offsets()[:3, 1], [1.0, 2.0, 3.0])
    line = ax.lines[-1]
    assert set(line.get_ydata()) == {2.0}
    assert ax.get_title(loc="left").startswith("Saliency\ngap 2")


def test_a_curve_is_drawn_above_those_of_its_samples():
    scores = np.array([[4.0, 2.0, 0.0], [2.0, 2.0, 0.0]])
    fractions = np.array([0, 0.5, 1])
    found = Curve(
        "deletion", "Saliency()", np.array([2.0, 1.5]), scores=scores, fractions=fractions,
        tied=np.zeros(2),
    )  # fmt: skip
    ax = found.plot()
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), [3.0, 2.0, 0.0])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), scores[0])
    edge = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert edge.max() == 4.0  # the mean and its standard error, 3 + 1
    assert ax.get_xlabel() == "fraction of features removed"


def test_similarity_is_drawn_from_the_model_as_it_is():
    similarity = np.array([[0.5, 0.0], [0.7, 0.2]])
    found = Randomisation(
        "randomisation", "Saliency()", similarity.mean(1), settings={"mode": "cascading"},
        similarity=similarity, layers=("head", "stem"),
    )  # fmt: skip
    ax = found.plot()
    np.testing.assert_allclose(ax.containers[0].lines[0].get_ydata(), [1.0, 0.6, 0.1])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["as it is", "head", "stem"]


def test_axes_may_be_given():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert measurement().plot(ax) is ax
    with pytest.raises(polyattr.InputTypeError, match="ax is a int"):
        measurement().plot(3)
