"""One worker for every engine: dicts, tables, arrays, loaders, iterators; checked first."""

import pickle

import numpy as np
import pytest
from made_models import Dense, data, doubled
from stored import COLUMNS, library

import polyattr


@pytest.fixture
def work(lab):
    model = Dense(lab.name)
    return polyattr.worker(
        model, "IntegratedGradients", backend=lab.name, steps=5, inputs="x", ids="row", targets=1
    )


def of(method, x, **call):
    return method.attribute(x, **call).to_numpy()


def test_a_dict_of_columns_gives_columns(work, method, x):
    found = work({"x": x, "row": np.arange(7, 7 + len(x)), "other": x[:, 0]})
    told = of(method, x, targets=1)
    assert sorted(found) == sorted(COLUMNS)
    assert np.array_equal(found["attribution"], told.values)
    assert np.array_equal(found["score"], told.scores)
    assert np.array_equal(found["baseline_score"], told.baseline_scores)
    assert np.array_equal(found["gap"], told.completeness_gap)
    assert np.array_equal(found["error"], told.error)
    assert np.array_equal(found["converged"], told.converged)
    assert (found["target"] == 1).all()
    assert found["id"].tolist() == list(range(7, 7 + len(x)))


def test_lists_as_datasets_hands_them_over_and_indices_of_rows(lab, method, x):
    work = polyattr.worker(Dense(lab.name), "IntegratedGradients", backend=lab.name, steps=5,
                           inputs="x", targets=1)  # fmt: skip
    found = work({"x": x.tolist()}, list(range(len(x))))
    assert np.array_equal(found["attribution"], of(method, x, targets=1).values)
    assert found["id"].tolist() == list(range(len(x)))
    assert "id" not in work({"x": x})


def test_tables_give_tables_and_iterators_iterators(lab, method, x):
    pandas = library("pandas")
    frame = pandas.DataFrame(x, columns=list("abcdef"), index=[f"r{i}" for i in range(len(x))])
    work = polyattr.worker(Dense(lab.name), "IntegratedGradients", backend=lab.name, steps=5,
                           targets=1)  # fmt: skip
    told = of(method, x, targets=1).values
    found = work(frame)
    assert isinstance(found, pandas.DataFrame)
    assert np.array_equal(np.stack(found["attribution"]), told)
    assert found.index.tolist() == found["id"].tolist() == frame.index.tolist()
    spark = work(iter([frame[:100], frame[100:]]))
    assert not isinstance(spark, list)
    joined = pandas.concat(list(spark))
    assert joined["id"].tolist() == frame.index.tolist()
    assert np.allclose(np.stack(joined["attribution"]), told, rtol=1e-5, atol=1e-6)


def test_columns_are_chosen_stacked_and_missed_by_name(lab, x):
    model = Dense(lab.name)
    table = {name: x[:, i] for i, name in enumerate("abcdef")} | {"label": np.arange(len(x)) % 3}
    given = {"backend": lab.name, "targets": "label"}
    found = polyattr.worker(model, "Saliency", inputs=list("abcdef"), **given)(table)
    whole = polyattr.worker(model, "Saliency", **given)(table)
    assert np.array_equal(found["attribution"], whole["attribution"])
    assert found["target"].tolist() == (np.arange(len(x)) % 3).tolist()
    with pytest.raises(polyattr.InputError, match=r"no column 'labels'.*Did you mean 'label'"):
        polyattr.worker(model, "Saliency", backend=lab.name, targets="labels")(table)
    with pytest.raises(polyattr.InputError, match="several columns may be the inputs: x, y"):
        polyattr.worker(model, "Saliency", backend=lab.name)({"x": x, "y": x})


def test_batches_of_a_loader_are_inputs_and_targets(lab, method, x):
    work = polyattr.worker(Dense(lab.name), "IntegratedGradients", backend=lab.name, steps=5)
    labels = np.arange(len(x)) % 3
    found = work([lab.tensor(x), labels])
    assert np.array_equal(found["attribution"], of(method, x, targets=labels).values)
    assert np.array_equal(work.values(lab.tensor(x)), work(x)["attribution"])


def test_a_worker_travels_as_its_question_and_makes_its_model_once(lab, named, x):
    work = polyattr.worker("made_models:named_model", "Saliency", backend=lab.name, targets=0)
    sent = pickle.dumps(work)
    assert len(sent) < 2000  # no weights
    first, second = pickle.loads(sent), pickle.loads(sent)
    assert first.work.method is second.work.method
    assert repr(first) == repr(work)
    assert np.array_equal(first(x)["attribution"], work(x)["attribution"])
    finished = polyattr.worker("made_models:made_method")
    assert "IntegratedGradients" in repr(finished.work.method)
    weighed = pickle.loads(pickle.dumps(polyattr.worker(Dense(lab.name), "Saliency")))
    assert isinstance(weighed.work.method.model, Dense)


def test_a_row_that_is_not_finite_is_marked_and_changes_nothing_else(work, x):
    clean = work({"x": x, "row": np.arange(len(x))})
    spoilt = x.copy()
    spoilt[3, 2], spoilt[5, 0] = np.nan, np.inf
    found = work({"x": spoilt, "row": np.arange(len(x))})
    rest = np.setdiff1d(np.arange(len(x)), [3, 5])
    for name in ("attribution", "score", "gap", "error"):
        assert np.isnan(found[name][[3, 5]]).all()
        assert np.array_equal(found[name][rest], clean[name][rest])
    assert not found["converged"][[3, 5]].any()


def test_prepared_inputs(lab, x):
    plain = polyattr.worker(Dense(lab.name), "Saliency", backend=lab.name, targets=0)
    work = polyattr.worker(
        Dense(lab.name), "Saliency", backend=lab.name, targets=0, prepare=doubled
    )
    assert np.array_equal(work(x)["attribution"], plain(2 * x)["attribution"])


NEVER = "made_models:never_called"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"stepz": 3}, r"IntegratedGradients has no argument 'stepz'.*Did you mean 'steps'"),
        ({"steps": 0}, "steps is 0; the trapezoid rule needs at least 2"),
        ({"target": 1}, "Here it is 'targets'"),
        ({"inputs": 3}, "inputs is 3; expected the name of a column"),
        ({"ids": [1]}, "ids is .*expected the name of a column"),
        ({"dtype": "int8"}, "dtype is 'int8'; expected 'float16'"),
        ({"prepare": 3}, "prepare is 3; expected a function"),
        ({"forward_args": 3}, "forward_args"),
    ],
)
def test_wrong_settings_are_refused_before_there_is_a_model(named, given, said):
    with pytest.raises(polyattr.PolyattrError, match=said):
        polyattr.worker(NEVER, "IntegratedGradients", **given)


@pytest.mark.parametrize(
    ("factory", "method", "said"),
    [
        ("made_models", "Saliency", "expected 'module:function'"),
        ("no_such_module:f", "Saliency", "there is no module 'no_such_module'"),
        (NEVER, "Salience", "Did you mean 'Saliency'"),
        (NEVER, 3, "method is 3; expected a class"),
        (None, "Saliency", "factory is None"),
        (dict, None, "there is no method"),
        (lambda x: x, "Saliency", "cannot be sent to another process.*'module:function'"),
    ],
)
def test_wrong_factories(named, factory, method, said):
    with pytest.raises(polyattr.PolyattrError, match=said):
        polyattr.worker(factory, method)


def test_a_factory_that_is_not_there_is_named_where_it_is_missed(named, lab):
    work = polyattr.worker(NEVER, "Saliency", backend=lab.name)
    with pytest.raises(polyattr.InputError, match="made_models has no never_called"):
        work(data(2))


def test_draws_of_each_row_belong_to_its_id(lab, x):
    given = {"backend": lab.name, "nb_samples": 4, "shared_draws": False, "targets": 0}
    work = polyattr.worker(Dense(lab.name), "SmoothGrad", inputs="x", ids="i", **given)
    ids = np.arange(len(x))
    whole = work({"x": x, "i": ids})["attribution"]
    back = work({"x": x[::-1], "i": ids[::-1]})["attribution"][::-1]
    assert np.allclose(whole, back, rtol=1e-5, atol=1e-6)
    assert not np.allclose(whole, work({"x": x, "i": ids + 1})["attribution"], rtol=1e-3)
    with pytest.raises(polyattr.InputError, match=r"draws of its own.*name their column"):
        work({"x": x, "i": [f"r{i}" for i in ids]})


def test_several_maps_of_a_row_are_refused(lab, x):
    work = polyattr.worker(
        Dense(lab.name), "Saliency", backend=lab.name, targets=polyattr.each([0, 1])
    )
    with pytest.raises(polyattr.InputError, match="several maps for a row"):
        work(x)
