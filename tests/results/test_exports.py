"""A result as objects of pandas, xarray and shap: the same numbers under their names."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from results import library, made

import polyattr

FACTS = ["class", "score", "baseline_score", "completeness_gap", "error", "converged"]


def several():
    values = {"left": np.arange(6.0).reshape(2, 3), "right": np.arange(8.0).reshape(2, 2, 2)}
    errors = {name: array / 10 for name, array in values.items()}
    return made(2, values=values, standard_error=errors, names=None, inputs=values)


# -- pandas -----------------------------------------------------------------------------------


def test_a_table_has_a_row_for_each_sample():
    pandas = library("pandas")
    result = made()
    frame = result.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.columns.tolist() == [*FACTS, "evaluations", "a", "b", "c"]
    assert frame.index.tolist() == [f"row {i}" for i in range(5)]
    assert np.array_equal(frame[["a", "b", "c"]].to_numpy(), result.values)
    assert frame["a"].dtype == np.float32
    for column, field in [("score", "scores"), ("error", "error"), ("converged", "converged")]:
        assert np.array_equal(frame[column], getattr(result, field))
    assert frame["class"].tolist() == [result.names.class_name(t) for t in result.targets]
    assert frame.loc["row 3", "b"] == result.values[3, 1]


def test_a_table_without_names():
    library("pandas")
    frame = made(names=None, completeness_gap=None, baseline_scores=None).to_frame()
    assert frame.columns.tolist()[-3:] == ["feature_0", "feature_1", "feature_2"]
    assert "completeness_gap" not in frame
    assert frame.index.tolist() == list(range(5))
    assert frame["class"].dtype.kind == "i"


def test_several_targets_have_a_row_for_each_and_each_sample():
    library("pandas")
    result = made(targets=2)
    frame = result.to_frame()
    assert frame.index.names == ["target", "sample"]
    assert np.array_equal(frame.loc[1][["a", "b", "c"]], result.values[1])
    assert frame.loc[(0, "row 2"), "b"] == result.values[0, 2, 1]
    asked = np.array([[2] * 5, [0] * 5])
    named = replace(result, targets=asked).to_frame()
    assert named.index.get_level_values("target").unique().tolist() == ["z", "x"]


def test_any_other_shape_has_a_row_for_each_number():
    library("pandas")
    values = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    names = polyattr.Names(channels=["r", "g", "b"], rows=["p", "q"])
    result = made(2, values=values, standard_error=values / 7, names=names)
    frame = result.to_frame()
    assert frame.columns.tolist() == [
        *("sample", "channel", "axis_2", "axis_3", "value", "standard_error"),
    ]
    assert len(frame) == values.size
    back = frame.set_index(["sample", "channel", "axis_2", "axis_3"])
    assert back.loc[("q", "g", 2, 3), "value"] == values[1, 1, 2, 3]
    assert np.array_equal(frame["value"].to_numpy().reshape(values.shape), values)
    assert np.array_equal(frame["standard_error"].to_numpy().reshape(values.shape), values / 7)


def test_words_stand_beside_their_numbers():
    library("pandas")
    values = np.arange(2 * 3 * 2.0).reshape(2, 3, 2)
    names = polyattr.Names(tokens=[["a", "b", "c"], ["d", "e", "f"]])
    frame = made(2, values=values, standard_error=None, names=names).to_frame()
    sums = frame.groupby(["sample", "word"])["value"].sum()
    assert sums.loc[(1, "e")] == values[1, 1].sum()
    assert frame.columns.tolist() == ["sample", "token", "axis_2", "word", "value"]


def test_several_inputs_are_told_apart():
    library("pandas")
    frame = several().to_frame()
    assert frame["input"].unique().tolist() == ["['left']", "['right']"]
    left = frame[frame["input"] == "['left']"]
    assert left["value"].tolist() == list(range(6))
    assert np.allclose(left["standard_error"], np.arange(6) / 10)
    assert frame.columns.tolist()[-2:] == ["value", "standard_error"]


def test_a_feature_called_like_a_fact():
    library("pandas")
    with pytest.raises(polyattr.InputError, match="feature 'score' is called like a column"):
        made().named(features=["a", "score", "c"]).to_frame()


# -- xarray -----------------------------------------------------------------------------------


def test_a_dataset_has_the_names_for_coordinates():
    xarray = library("xarray")
    result = made()
    dataset = result.to_xarray()
    assert isinstance(dataset, xarray.Dataset)
    assert dataset["values"].dims == ("sample", "feature")
    assert dataset["feature"].to_numpy().tolist() == ["a", "b", "c"]
    assert np.array_equal(dataset["values"], result.values)
    assert np.array_equal(dataset["standard_error"], result.standard_error)
    assert np.array_equal(dataset["inputs"], result.inputs)
    assert dataset["values"].sel(sample="row 4", feature="b").item() == result.values[4, 1]
    assert dataset["score"].sel(sample="row 4").item() == result.scores[4]
    assert dataset["class"].to_numpy().tolist() == [
        result.names.class_name(t) for t in result.targets
    ]
    assert "IntegratedGradients(steps=9)" in dataset.attrs["method"]


def test_a_dataset_comes_back_as_inputs(lab):
    library("xarray")
    model = lab.function(lambda ops, x: x * x)
    method = polyattr.GradientInput(model, backend=lab.name)
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    names = {"features": list("abc"), "rows": list("vwxyz")}
    result = method.attribute(x, 0, keep_inputs=True, names=names)
    again = method.attribute(result.to_xarray()["inputs"], 0)
    assert np.array_equal(lab.numpy(again.values), lab.numpy(result.values))
    assert again.names == result.names
    library("pandas")
    table = result.to_frame()[list("abc")]
    assert method.attribute(table, 0).names == result.names


def test_a_dataset_of_several_targets_and_words():
    library("xarray")
    names = polyattr.Names(tokens=[["p", "q", "r"]] * 5, classes=["x", "y", "z"])
    result = made(targets=2, names=names)
    dataset = result.to_xarray()
    assert dataset["values"].dims == ("target", "sample", "token")
    assert dataset["word"].dims == ("sample", "token")
    assert dataset["word"].to_numpy()[3].tolist() == ["p", "q", "r"]
    assert np.array_equal(dataset["values"], result.values)
    assert dataset["inputs"].dims == ("sample", "token")


def test_a_dataset_of_several_inputs():
    library("xarray")
    result = several()
    dataset = result.to_xarray()
    assert np.array_equal(dataset["values['left']"], result.values["left"])
    assert np.array_equal(dataset["values['right']"], result.values["right"])
    assert np.array_equal(dataset["standard_error['right']"], result.standard_error["right"])
    assert np.array_equal(dataset["inputs['right']"], result.inputs["right"])


# -- what is not there ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pandas", "xarray", "shap"])
def test_a_library_that_is_not_installed(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    what = {"pandas": "to_frame", "xarray": "to_xarray", "shap": "to_shap"}[name]
    with pytest.raises(polyattr.MissingExtraError, match=rf'"polyattr\[{name}\]"') as told:
        getattr(made(), what)()
    assert str(told.value).startswith(what)
