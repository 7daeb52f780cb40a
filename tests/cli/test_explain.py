"""`polyattr explain` of the user's own modules: closed forms, names, targets, filters, files."""

import numpy as np
import pytest
from users import BIAS, TABLE, WEIGHTS, X, write_module, write_table

import polyattr


@pytest.fixture
def linear(folder, backend_name):
    """A linear model in the module `mine`, and a table."""
    write_module(folder, backend_name)
    return "mine:model", write_table(folder)


def scores(target):
    return X @ WEIGHTS[:, target] + BIAS[target]


def test_a_linear_model_has_its_closed_form(run, linear, backend_name):
    told = run("explain", *linear, "--id-column", "id", "--target", 1, "--json").json
    assert told["schema"] == 1
    assert told["command"] == "explain"
    assert told["backend"] == backend_name
    assert told["versions"]["polyattr"] == polyattr.__version__
    assert told["versions"][backend_name]
    assert told["settings"]["steps"] == 50
    assert told["methods"][0].startswith("IntegratedGradients(steps=50")
    assert [sample["name"] for sample in told["samples"]] == ["Ann", "Bob", "Cy"]
    for sample, x, score in zip(told["samples"], X, scores(1), strict=True):
        assert sample["score"] == pytest.approx(score, rel=1e-5)
        assert sample["baseline_score"] == pytest.approx(BIAS[1], rel=1e-5)
        assert (sample["target"], sample["class"], sample["converged"]) == (1, "1", True)
        assert abs(sample["gap"]) < 1e-5
        assert sample["error"] < 1e-5
        assert sample["evaluations"] == 50
        values = {entry["feature"]: entry["value"] for entry in sample["top"]}
        shares = dict(zip(["age", "dose", "rate"], x * WEIGHTS[:, 1], strict=True))
        assert values == pytest.approx(shares, rel=1e-5)
        sizes = [abs(entry["value"]) for entry in sample["top"]]
        assert sizes == sorted(sizes, reverse=True)


def test_the_table_says_it_too(run, linear):
    done = run("explain", *linear, "--id-column", "id", "--target", 0)
    assert done.code == 0
    for text in ("Ann", "Bob", "Cy", "-3.5", "rate -9", "dose +4", "yes", "steps=50"):
        assert text in done.out
    assert "what to distrust: nothing stands out." in done.out
    assert "printed by" not in done.out


@pytest.mark.parametrize("name", ["make", "make_for"])
def test_a_function_that_needs_no_argument_makes_the_model(run, linear, name):
    options = ("--drop", "id", "--json")
    made = run("explain", f"mine:{name}", linear[1], *options).json
    assert made["samples"] == run("explain", *linear, *options).json["samples"]


def test_a_baseline_of_ones(run, linear):
    told = run("explain", *linear, "--drop", "id", "--target", 0, "--baseline", 1, "--json").json
    for sample, x in zip(told["samples"], X, strict=True):
        values = {entry["feature"]: entry["value"] for entry in sample["top"]}
        shares = (x - 1) * WEIGHTS[:, 0]
        expected = dict(zip(["age", "dose", "rate"], shares, strict=True))
        assert values == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_baseline_from_a_file_and_one_by_word(run, folder, linear):
    np.save(folder / "start.npy", np.array([1.0, 0.0, 2.0], np.float32))
    options = ("--drop", "id", "--target", 0, "--json")
    told = run("explain", *linear, *options, "--baseline", "start.npy").json
    starts = [1.0, 0.0, 2.0] @ WEIGHTS[:, 0] + BIAS[0]
    assert told["samples"][0]["baseline_score"] == pytest.approx(starts, rel=1e-5)
    mean = run("explain", *linear, *options, "--baseline", "mean").json
    starts = X.mean(axis=1) * WEIGHTS[:, 0].sum() + BIAS[0]
    found = [sample["baseline_score"] for sample in mean["samples"]]
    assert found == pytest.approx(starts.tolist(), rel=1e-4)


def test_the_predicted_class_is_the_default(run, linear):
    told = run("explain", *linear, "--drop", "id", "--json").json
    assert [s["target"] for s in told["samples"]] == (X @ WEIGHTS + BIAS).argmax(1).tolist()
    assert [sample["sample"] for sample in told["samples"]] == [0, 1, 2]
    assert "name" not in told["samples"][0]


def test_a_class_by_its_name(run, folder, linear):
    (folder / "classes.txt").write_text("cat\n<i>dog</i>\n", encoding="utf-8")
    asked = ("--drop", "id", "--classes", "classes.txt", "--target", "<i>dog</i>")
    told = run("explain", *linear, *asked, "--json").json
    assert {(s["target"], s["class"]) for s in told["samples"]} == {(1, "<i>dog</i>")}
    assert "<i>dog</i>" in run("explain", *linear, *asked).out
    (folder / "classes.json").write_text('{"1": "hound"}', encoding="utf-8")
    asked = ("--drop", "id", "--classes", "classes.json", "--target", "hound", "--json")
    assert run("explain", *linear, *asked).json["samples"][0]["class"] == "hound"


def test_a_filter_cuts_the_result_and_its_files(run, folder, linear):
    done = run("explain", *linear, "--id-column", "id", "--target", 0, "--json", "--out", "a.npz",
               "--where", "score < 0 and name != 'Bob'")  # fmt: skip
    assert [sample["name"] for sample in done.json["samples"]] == ["Ann"]
    assert done.json["files"] == ["a.npz"]
    loaded = polyattr.load(folder / "a.npz")
    assert loaded.names.rows == ("Ann",)
    assert loaded.names.features == ("age", "dose", "rate")
    np.testing.assert_allclose(loaded.values, X[:1] * WEIGHTS[:, 0], rtol=1e-5)
    np.testing.assert_allclose(loaded.inputs, X[:1])


def test_a_filter_that_is_true_of_none_writes_nothing(run, folder, linear):
    options = ("--drop", "id", "--where", "score > 1e9", "--out", "a.npz")
    done = run("explain", *linear, *options, "--json")
    assert done.json["samples"] == done.json["files"] == []
    assert "no sample of 3" in done.err
    assert not (folder / "a.npz").exists()
    assert run("explain", *linear, *options).code == 0


def test_arrays_and_their_names(run, folder, linear):
    np.save(folder / "x.npy", X.astype(np.float32))
    np.savez(folder / "x.npz", train=X[:1], test=X)
    np.savez(folder / "one.npz", X)
    options = ("--target", 0, "--json")
    found = [run("explain", "mine:model", *source, *options).json["samples"] for source in
             (["x.npy"], ["x.npz", "--array", "test"], ["one.npz"])]  # fmt: skip
    assert found[0] == found[1] == found[2]
    assert [s["score"] for s in found[0]] == pytest.approx(scores(0).tolist(), rel=1e-5)
    assert found[0][0]["top"][0]["feature"] == "2"
    run("explain", "mine:model", "x.npz").refused(2, "2 arrays: train, test", "--array")
    run("explain", "mine:model", "x.npz", "--array", "tset").refused(2, "Did you mean 'test'?")


def test_columns_are_chosen_and_ordered(run, folder, linear):
    text = TABLE.replace("id,age,dose,rate", "rate,dose,age,id")
    table = [line.split(",")[::-1] for line in TABLE.splitlines()[1:]]
    text = "\n".join(["rate;dose;age;id", *(";".join(line) for line in table)])
    write_table(folder, "\ufeff" + text, "other.csv")
    options = ("--target", 0, "--json", "--columns", "age,dose,rate")
    told = run("explain", "mine:model", "other.csv", *options).json
    assert [s["score"] for s in told["samples"]] == pytest.approx(scores(0).tolist(), rel=1e-5)


def test_a_table_without_names(run, folder, linear):
    write_table(folder, "1,2,3\n0.5,-1,2\n", "bare.csv")
    run("explain", "mine:model", "bare.csv").refused(3, "holds numbers", "--no-header")
    told = run("explain", "mine:model", "bare.csv", "--no-header", "--target", 0, "--json").json
    assert [s["score"] for s in told["samples"]] == pytest.approx(scores(0)[:2].tolist(), rel=1e-5)
    assert told["samples"][0]["top"][0]["feature"] == "column 3"


def test_preprocessing_has_the_last_word(run, linear):
    options = ("--drop", "id", "--target", 0, "--json", "--preprocess")
    told = run("explain", *linear, *options, "mine:doubled").json
    doubled = 2 * X @ WEIGHTS[:, 0] + BIAS[0]
    assert [s["score"] for s in told["samples"]] == pytest.approx(doubled.tolist(), rel=1e-5)
    wrong = run("explain", *linear, *options, "mine:shorter")
    wrong.refused(3, "shorter returned shape (1, 3)", "of 3 samples")
    run("explain", *linear, *options, "mine:number").refused(4, "expected a function")


def test_methods_have_their_settings(run, linear):
    options = ("--drop", "id", "--target", 0, "--json")
    told = run("explain", *linear, *options, "-m", "smooth-grad", "--nb-samples", 3, "--noise", 0.5,
               "--seed", 4, "--set", "antithetic=False").json  # fmt: skip
    assert told["seed"] == 4
    assert told["settings"]["nb_samples"] == 3
    assert told["settings"]["antithetic"] is False
    assert told["samples"][0]["top"][0]["value"] == pytest.approx(-3.0, rel=1e-5)
    assert "gap" not in told["samples"][0]
    auto = run("explain", *linear, *options, "--steps", "auto", "--tolerance", 0.001).json
    assert auto["settings"] | {"steps": "auto", "tolerance": 0.001} == auto["settings"]
    own = run("explain", *linear, *options, "-m", "ExpectedGradients", "--background", linear[1])
    starts = scores(0).mean()
    assert own.json["samples"][0]["baseline_score"] == pytest.approx(starts, rel=1e-4)
    run("explain", *linear, *options, "-m", "eg").refused(2, "--background FILE")
    run("explain", *linear, *options, "-m", "saliency", "--steps", 3).refused(2, "no steps")
    run("explain", *linear, *options, "--steps", 1).refused(2, "at least 2 points")
    run("explain", *linear, *options, "--set", "colour").refused(2, "NAME=VALUE")


def test_what_was_read_is_never_written_over(run, folder, linear):
    run("explain", *linear, "--out", "table.csv").refused(2, "expected .npz")
    np.savez(folder / "x.npz", X)
    before = (folder / "x.npz").read_bytes()
    asked = ("explain", "mine:model", "x.npz", "--out", "x.npz", "--force")
    run(*asked).refused(5, "is read by this command")
    assert (folder / "x.npz").read_bytes() == before


def test_files_are_replaced_only_when_asked(run, folder, linear):
    (folder / "a.npz").write_bytes(b"theirs")
    asked = ("explain", *linear, "--drop", "id", "--out", "a.npz", "--out", "a.png")
    run(*asked).refused(5, "'a.npz' is there already", "--force")
    assert (folder / "a.npz").read_bytes() == b"theirs"
    assert not (folder / "a.png").exists()
    done = run(*asked, "--force")
    assert "written: a.npz" in done.out
    assert len(polyattr.load(folder / "a.npz")) == 3
    assert (folder / "a.png").read_bytes().startswith(b"\x89PNG")
    names = {path.name for path in folder.iterdir()} - {"__pycache__"}
    assert names == {"a.npz", "a.png", "mine.py", "table.csv"}


def test_what_to_distrust_is_said(run, folder, linear):
    options = ("--drop", "id", "--target", 0, "--baseline", "start.npy")
    np.save(folder / "start.npy", X[:1].repeat(3, axis=0))
    done = run("explain", *linear, *options)
    assert "what to distrust: maps of zeros (1 of 3)." in done.out
    doubts = run("explain", *linear, *options, "--json").json["distrust"]
    assert doubts == ["maps of zeros (1 of 3)"]
