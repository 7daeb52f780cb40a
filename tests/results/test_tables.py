"""DataFrames and labelled arrays as inputs: their numbers, and the names they bring."""

import numpy as np
import pytest
from results import library

import polyattr

pandas = library("pandas", whole=True)

X = np.array([[1.0, 0.5, 1.0], [2.0, 1.5, 0.0], [3.0, 2.0, 1.0]])
MIXED = pandas.DataFrame(
    {"age": [1, 2, 3], "income": [0.5, 1.5, 2.0], "member": [True, False, True]},
    index=["Ann", "Bob", "Cy"],
)


def method_of(lab, kind=polyattr.IntegratedGradients, **settings):
    model = lab.function(lambda ops, x: x * x * x)
    return kind(model, backend=lab.name, **settings)


def equal(lab, left, right):
    assert lab.is_native(left)
    assert np.array_equal(lab.numpy(left), lab.numpy(right))


@pytest.mark.parametrize(
    "frame",
    [
        MIXED,
        MIXED.astype({"age": "Int64", "member": "boolean"}),
        MIXED.astype("float32"),
        MIXED.astype("float64"),
        MIXED.astype({"age": "int8", "income": "Float32"}),
    ],
    ids=["mixed", "nullable", "float32", "float64", "small"],
)
def test_a_table_is_its_numbers_and_its_names(lab, frame):
    method = method_of(lab)
    result = method.attribute(frame, 0, keep_inputs=True)
    kind = np.float32 if (frame.dtypes == "float32").all() else np.float64
    plain = method.attribute(X.astype(kind), 0)
    equal(lab, result.values, plain.values)
    equal(lab, method.explain(frame, 0), plain.values)
    assert result.names.features == ("age", "income", "member")
    assert result.names.rows == ("Ann", "Bob", "Cy")
    assert np.array_equal(result.inputs, X)
    assert plain.names is None


def test_a_column_is_the_targets(lab):
    labels = pandas.Series([2, 0, 1], index=MIXED.index)
    result = method_of(lab).attribute(MIXED, labels)
    assert result.targets.tolist() == [2, 0, 1]
    equal(lab, result.values, method_of(lab).attribute(X, [2, 0, 1]).values)
    weights = pandas.DataFrame(np.eye(3, dtype=np.float32)[[2, 0, 1]])
    equal(lab, method_of(lab).attribute(MIXED, weights).values, result.values)


def test_names_that_are_given_come_first(lab):
    result = method_of(lab).attribute(MIXED, 0, names={"features": ["abc"][0:0] or None})
    assert result.names.features == ("age", "income", "member")
    given = {"features": ["a", "b", "c"], "classes": ["no", "yes"]}
    result = method_of(lab).attribute(MIXED, 0, names=given)
    assert result.names.features == ("a", "b", "c")
    assert result.names.rows == ("Ann", "Bob", "Cy")
    assert result.names.classes == {0: "no", 1: "yes"}


def test_tables_in_parts(lab):
    parts = [MIXED.iloc[:2], MIXED.iloc[2:]]
    result = method_of(lab).attribute(iter(parts), 0, keep_inputs=True)
    equal(lab, result.values, method_of(lab).attribute(MIXED, 0).values)
    assert result.names.rows == ("Ann", "Bob", "Cy")
    assert np.array_equal(result.inputs, X)
    parts[1] = parts[1][["income", "age", "member"]]
    for call in (method_of(lab).attribute, method_of(lab).explain):
        with pytest.raises(polyattr.InputError, match=r"columns of a batch .*'income', 'age'"):
            call(iter(parts), 0)


def test_a_table_among_several_inputs(lab):
    method = polyattr.GradientInput(
        lab.function(lambda ops, inputs: ops.sum(inputs["table"] * inputs["table"])),
        backend=lab.name,
    )
    result = method.attribute({"table": MIXED})
    assert result.names.features == ("age", "income", "member")
    equal(lab, result.values["table"], lab.tensor(2 * X * X))


def test_refining_takes_the_table_again(lab):
    method = method_of(lab, steps=5)
    result = method.attribute(MIXED, 0)
    refined = method.refine(result, MIXED, tolerance=1e-3)
    assert refined.converged.all()
    assert refined.names == result.names
    assert (refined.evaluations > 5).all()


def test_tables_as_baselines(lab):
    method = method_of(lab, steps=5)
    baselines = MIXED * 0.1 + 0.2
    numbers = baselines.to_numpy().astype(np.float32)
    result = method.attribute(MIXED, 0, baselines=baselines)
    np.testing.assert_allclose(
        lab.numpy(result.values),
        lab.numpy(method.attribute(MIXED, 0, baselines=numbers).values),
        rtol=1e-5,
    )
    limit = float(np.sort(result.error)[-2] * 1.01)
    refined = method.refine(result, MIXED, baselines=baselines, tolerance=limit)
    assert refined.converged.all()
    assert (refined.evaluations > 5).sum() == 1


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (["a", "b", "c"], r"extra \((object|str|string)\)"),
        (pandas.Categorical(["a", "b", "a"]), r"extra \(category\)"),
        (pandas.Timestamp("2020-01-01"), r"extra \(datetime64\[\w+\]\)"),
        ([1 + 2j] * 3, r"extra \(complex128\)"),
        ([None, 1, "x"], r"extra \(object\)"),
    ],
)
def test_columns_that_are_no_numbers(lab, column, said):
    frame = MIXED.assign(extra=column)
    with pytest.raises(polyattr.InputTypeError, match=f"1 of 4 columns .* numbers: {said}.*encode"):
        method_of(lab).attribute(frame, 0)


def test_a_missing_number(lab):
    frame = MIXED.assign(age=pandas.array([1, None, 2], dtype="Int64"))
    with pytest.raises(polyattr.InputError, match=r"nan at index \(1, 0\)"):
        method_of(lab).attribute(frame, 0)


def test_a_single_column_is_no_table(lab):
    with pytest.raises(polyattr.InputTypeError, match=r"Series.*to_numpy"):
        method_of(lab).attribute(MIXED["age"], 0)


# -- xarray and polars --------------------------------------------------------------------------


def test_a_labelled_array(lab):
    xarray = library("xarray")
    coords = {"person": ["Ann", "Bob", "Cy"], "column": ["age", "income", "member"]}
    array = xarray.DataArray(X.astype(np.float32), coords=coords, dims=("person", "column"))
    result = method_of(lab).attribute(array, 0)
    equal(lab, result.values, method_of(lab).attribute(X.astype(np.float32), 0).values)
    assert result.names == polyattr.Names(rows=coords["person"], features=coords["column"])
    bare = xarray.DataArray(X.astype(np.float32))
    assert method_of(lab).attribute(bare, 0).names is None


@pytest.mark.parametrize("place", [1, 3])
def test_channels_of_a_labelled_array(lab, place):
    xarray = library("xarray")
    dims = ["time", "y", "x"]
    dims.insert(place, "band")
    shape = tuple({"time": 2, "y": 4, "x": 5, "band": 3}[name] for name in dims)
    array = xarray.DataArray(
        np.ones(shape, np.float32),
        coords={"band": ["red", "green", "blue"], "time": [10, 20], "x": range(5)},
        dims=dims,
    )
    model = lab.function(lambda ops, x: ops.sum(x * x))
    result = polyattr.Saliency(model, backend=lab.name).attribute(array)
    assert result.names == polyattr.Names(channels=["red", "green", "blue"], rows=["10", "20"])


def test_a_table_of_polars(lab):
    polars = library("polars")
    frame = polars.DataFrame({"age": [1, 2, 3], "income": X[:, 1], "member": [True, False, True]})
    result = method_of(lab).attribute(frame, polars.Series([2, 0, 1]))
    equal(lab, result.values, method_of(lab).attribute(X, [2, 0, 1]).values)
    assert result.names == polyattr.Names(features=["age", "income", "member"])
    with pytest.raises(polyattr.InputTypeError, match=r"extra \(String\)"):
        method_of(lab).attribute(frame.with_columns(extra=polars.lit("a")), 0)


def test_whatever_can_do_what_a_table_can(lab):
    class Table:
        columns, dtypes = ["a", "b", "c"], [np.dtype(float)] * 3

        def to_numpy(self):
            return X

    result = method_of(lab).attribute(Table(), 0)
    equal(lab, result.values, method_of(lab).attribute(X, 0).values)
    assert result.names == polyattr.Names(features=["a", "b", "c"])
