"""Names are checked where a result takes them, and follow what they name."""

from dataclasses import replace

import numpy as np
import pytest
from results import made, same

import polyattr


def test_whatever_turns_into_text_is_a_name():
    names = polyattr.Names(
        features=np.array(["a", "b"]), channels=(1, 2), rows=range(2), tokens=[["x"], iter("yz")]
    )
    assert names.features == ("a", "b")
    assert names.channels == ("1", "2")
    assert names.rows == ("0", "1")
    assert names.tokens == (("x",), ("y", "z"))
    assert names.classes is None


def test_classes_by_index():
    assert polyattr.Names(classes=["no", "yes"]).classes == {0: "no", 1: "yes"}
    names = polyattr.Names(classes={np.int64(3): "cat"})
    assert names.class_name(np.int32(3)) == "cat"
    assert names.class_name(2) == "class 2"
    assert polyattr.Names().class_name(1) == "class 1"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"features": "abc"}, "names.features is 'abc'; expected a sequence"),
        ({"rows": 3}, "names.rows is 3"),
        ({"tokens": "words"}, "names.tokens is 'words'"),
        ({"tokens": ["one", "two"]}, r"names.tokens\[0\] is 'one'"),
        ({"classes": "ab"}, "names.classes is 'ab'"),
        ({"classes": {"a": 1}}, "has the key 'a'"),
        ({"classes": {-1: "a"}}, "has the key -1; expected indices from 0"),
        ({"classes": {True: "a"}}, "has the key True"),
    ],
)
def test_wrong_names(fields, said):
    with pytest.raises(polyattr.PolyattrError, match=said):
        polyattr.Names(**fields)


def shaped(*shape):
    return made(shape[0], values=np.ones(shape), standard_error=None, names=None, inputs=None)


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ((2, 3), {"features": ["a", "b"]}),
        ((2, 3, 4, 4), {"features": ["a", "b", "c"]}),
        ((2, 3), {"channels": ["a", "b", "c"]}),
        ((2, 4, 5, 6), {"channels": ["a", "b", "c", "d", "e"]}),
        ((2, 3), {"tokens": [["a", "b", "c"]]}),
        ((2, 3, 8), {"tokens": [["a", "b", "c"], ["a", "b"]]}),
        ((2, 3), {"rows": ["a"]}),
    ],
)
def test_more_or_fewer_names_than_entries(shape, fields):
    with pytest.raises(polyattr.InputError, match=r"names\.\w+(\[1\])? has \d+ (entries|words)"):
        shaped(*shape).named(**fields)


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ((2, 3), {"features": ["a", "b", "c"], "rows": ["p", "q"]}),
        ((2, 3, 3), {"features": ["a", "b", "c"]}),  # interactions
        ((2, 3, 8, 8), {"channels": ["r", "g", "b"]}),
        ((2, 8, 8, 3), {"channels": ["r", "g", "b"]}),
        ((2, 3), {"tokens": [["a", "b", "c"]] * 2}),
        ((2, 3, 8), {"tokens": [["a", "b", "c"]] * 2}),
    ],
)
def test_as_many_names_as_entries(shape, fields):
    named = shaped(*shape).named(**fields)
    for name, given in fields.items():
        expected = tuple(map(tuple, given)) if name == "tokens" else tuple(given)
        assert getattr(named.names, name) == expected


def test_named_keeps_what_it_is_not_given():
    result = made().named(classes={0: "no"})
    result = result.named(polyattr.Names(rows=list("vwxyz")), classes=["u", "v"])
    assert result.names.features == ("a", "b", "c")
    assert result.names.classes == {0: "u", 1: "v"}
    assert result.names.rows == tuple("vwxyz")


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_names_of_any_script_are_saved(tmp_path, suffix):
    words = [["[CLS]", "größe", "\u202e</td>"], ["日本", "", '"']]
    result = made(2).named(tokens=words, classes={7: "né\n", 123: "x"})
    result.save(tmp_path / f"a.{suffix}")
    same(polyattr.load(tmp_path / f"a.{suffix}"), result)


def test_words_are_cut_with_their_samples():
    result = made(2).named(tokens=[["a", "b", "c"], ["d", "e", "f"]])
    assert result[1].names.tokens == (("d", "e", "f"),)


# -- given to a call ----------------------------------------------------------------------------

X = np.random.default_rng(8).standard_normal((4, 3)).astype(np.float32)


def method_of(lab, **settings):
    model = lab.function(lambda ops, x: x * x)
    return polyattr.GradientInput(model, backend=lab.name, **settings)


def test_given_to_a_call(lab):
    for names in (polyattr.Names(features=list("abc")), {"features": list("abc")}):
        result = method_of(lab).attribute(lab.tensor(X), 0, names=names)
        assert result.names.features == ("a", "b", "c")
        assert result.inputs is None


def test_given_for_all_batches_of_a_dataset(lab):
    names = {"rows": list("pqrs"), "features": list("abc"), "classes": ["no", "yes", "so"]}
    batches = [(lab.tensor(X[:3]), np.array([0, 1, 2])), (lab.tensor(X[3:]), np.array([1]))]
    result = method_of(lab).attribute(batches, names=names, keep_inputs=True)
    at_once = {"names": names, "keep_inputs": True}
    same(result, method_of(lab).attribute(lab.tensor(X), [0, 1, 2, 1], **at_once))
    assert result.names.rows == tuple("pqrs")
    assert lab.is_native(result.inputs)
    parts = list(method_of(lab).attribute_batches(batches, names=names))
    assert [part.names.rows for part in parts] == [tuple("pqr"), ("s",)]


@pytest.mark.parametrize("rows", ["pqr", "pqrst"])
def test_more_or_fewer_rows_than_a_dataset_has(lab, rows):
    batches = [(lab.tensor(X[:3]), np.array([0, 1, 2])), (lab.tensor(X[3:]), np.array([1]))]
    with pytest.raises(polyattr.InputError, match=f"names.rows has {len(rows)} entries"):
        method_of(lab).attribute(batches, names={"rows": list(rows)})


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"features": ["a"]}, "names.features has 1 entries for 4 samples"),
        ({"rows": ["a"]}, "names.rows has 1"),
        ({"feature": ["a"]}, r"a dict with \['feature'\]; expected polyattr.Names"),
        (["a", "b", "c"], r"names is \['a', 'b', 'c'\]; expected polyattr.Names"),
    ],
)
def test_wrong_names_are_told_of_before_anything_is_computed(lab, names, said):
    model, counter = lab.counting(lambda ops, x: ops.sum(x * x))
    method = polyattr.GradientInput(model, backend=lab.name)
    with pytest.raises(polyattr.PolyattrError, match=said):
        method.attribute(lab.tensor(X), names=names)
    assert counter.calls == 0


def test_inputs_are_kept_as_they_were(lab):
    given = X.copy()
    result = method_of(lab).attribute(given, 0, keep_inputs=True)
    given[:] = 7
    assert np.array_equal(result.inputs, X)
    native = lab.tensor(X)
    kept = method_of(lab).attribute(native, 0, keep_inputs=True).inputs
    assert lab.is_native(kept)
    assert np.array_equal(lab.numpy(kept), X)
    if lab.name == "torch":  # whose tensors can be changed
        native[:] = 7
        assert np.array_equal(lab.numpy(kept), X)


def test_what_all_samples_share_is_not_kept(lab):
    model = lab.function(lambda ops, x, scale: ops.sum(x))
    method = polyattr.GradientInput(model, backend=lab.name)
    shared = np.array([1, 2, 3])
    with pytest.raises(polyattr.InputError, match=r"keep_inputs is True, but .*inputs\[1\] has"):
        method.attribute((lab.tensor(X), shared), keep_inputs=True)


def test_features_of_another_place_have_no_names_of_columns(lab):
    class Frame:  # what a DataFrame can do
        columns, dtypes, index = ["a", "b", "c"], [X.dtype] * 3, list("wxyz")

        def to_numpy(self):
            return X

    plain = method_of(lab).attribute(Frame(), 0)
    assert plain.names == polyattr.Names(features=list("abc"), rows=list("wxyz"))
    assert np.array_equal(lab.numpy(plain.values), np.asarray(method_of(lab).attribute(X, 0)))
    moved = method_of(lab, domain=polyattr.domains.Fourier()).attribute(Frame(), 0)
    assert moved.names == polyattr.Names(rows=list("wxyz"))


def test_values_alone_keep_nothing(lab):
    method, x = method_of(lab), lab.tensor(X)
    for given in ({"names": {"features": list("abc")}}, {"keep_inputs": True}):
        for call in (method.explain, method):
            with pytest.raises(
                polyattr.InputTypeError, match=f"no argument .{min(given)}.*attribute"
            ):
                call(x, 0, **given)
        with pytest.raises(polyattr.InputTypeError, match=f"no argument .{min(given)}.*attribute"):
            method.explain_batches([(x, 0)], **given)


def test_a_flag_is_a_flag(lab):
    with pytest.raises(polyattr.InputTypeError, match="keep_inputs is 'yes'"):
        method_of(lab).attribute(lab.tensor(X), 0, keep_inputs="yes")
    with pytest.raises(polyattr.InputError, match="features has 3 entries"):
        replace(made(), values=np.ones((5, 2)), standard_error=None)
