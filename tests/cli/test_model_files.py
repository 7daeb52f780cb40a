"""Files that hold models, each in the framework that wrote it: numbers, trust, and what is none."""

import importlib
import pickle
import re
import sys
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest
from users import BIAS, WEIGHTS, check_linear, write_table

from polyattr.backend.model_files import declared_files, recognised

OPTIONS = ("--id-column", "id", "--target", "0", "--json")


@pytest.fixture
def table(folder):
    return write_table(folder)


@pytest.fixture
def torch(backend_name):
    if backend_name != "torch":
        pytest.skip("a file of PyTorch")
    return importlib.import_module("torch")


@pytest.fixture
def tensorflow(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("a file of TensorFlow")
    return importlib.import_module("tensorflow")


def linear(torch):
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor(WEIGHTS.T))
        model.bias.copy_(torch.tensor(BIAS))
    return model


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of TorchScript, in new releases
@pytest.mark.parametrize("how", ["script", "trace"])
def test_torchscript(run, folder, table, torch, how):
    model = linear(torch).train()
    made = torch.jit.script(model) if how == "script" else torch.jit.trace(model, torch.ones(2, 3))
    made.save("model.pt")
    assert recognised(folder / "model.pt")[0] == "torch"
    asked = ("explain", "model.pt", table, *OPTIONS)
    run(*asked).refused(4, "a TorchScript file", "is a program", "--trust")
    told = run(*asked, "--trust").json
    check_linear(told)
    assert told["model"] == {"name": "model.pt", "kind": "a TorchScript file"}


def test_torch_export(run, folder, table, torch):
    shapes = ({0: torch.export.Dim("n")},)
    program = torch.export.export(linear(torch), (torch.ones(4, 3),), dynamic_shapes=shapes)
    torch.export.save(program, "model.pt2")
    asked = ("explain", "model.pt2", table, *OPTIONS)
    run(*asked).refused(4, "a torch.export file", "--trust")
    check_linear(run(*asked, "--trust").json)
    write_table(folder, "a,b\n1,2\n", "narrow.csv")
    narrow = run("explain", "model.pt2", "narrow.csv", "--trust")
    narrow.refused(3, "the model takes (N, 3), and the input is (N, 2)", "--drop")


def test_a_saved_model(run, folder, table, tensorflow):
    class Linear(tensorflow.Module):
        @tensorflow.function(input_signature=[tensorflow.TensorSpec((None, 3))])
        def __call__(self, x):
            return x @ WEIGHTS.astype("float32") + BIAS.astype("float32")

    tensorflow.saved_model.save(Linear(), "saved")
    asked = ("explain", "saved", table, *OPTIONS)
    run(*asked).refused(4, "a SavedModel", "read and write files", "--trust")
    check_linear(run(*asked, "--trust").json)
    write_table(folder, "a,b\n1,2\n", "narrow.csv")
    narrow = run("explain", "saved", "narrow.csv", "--trust")
    narrow.refused(3, "the model takes (N, 3), and the input is (N, 2)")


class Hostile:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return (exec, ("open('hacked', 'w').close()",))


def test_a_pickle_is_never_loaded(run, folder, table):
    for protocol in (2, 4, 5):
        (folder / "model.pth").write_bytes(pickle.dumps(Hostile(), protocol=protocol))
        done = run("explain", "model.pth", table, *OPTIONS, "--trust")
        done.refused(4, "a pickled file", "never loaded", "module:function")
    with zipfile.ZipFile("new.pt", "w") as archive:  # as torch.save writes today
        archive.writestr("new/data.pkl", pickle.dumps(Hostile(), protocol=2))
        archive.writestr("new/version", "3\n")
    run("explain", "new.pt", table, *OPTIONS, "--trust").refused(
        4, "a pickled file", "never loaded"
    )
    assert not (folder / "hacked").exists()


def test_a_pickle_in_the_clothes_of_others_runs_nothing_untrusted(run, folder, table):
    content = pickle.dumps(Hostile(), protocol=2)
    for name, parts in {
        "script.pt": ["m/data.pkl", "m/constants.pkl", "m/code/__torch__.py"],
        "export.pt2": ["m/data.pkl", "m/archive_format", "m/models/model.json"],
        "model.keras": ["metadata.json", "config.json", "model.weights.h5"],
    }.items():
        with zipfile.ZipFile(name, "w") as archive:
            for part in parts:
                archive.writestr(part, "pt2" if part.endswith("format") else content)
        done = run("explain", name, table, *OPTIONS)
        assert done.code in (1, 4), done.err
        assert done.err.count("\n") == 1
    assert not (folder / "hacked").exists()


def test_a_torchscript_that_is_broken(run, folder, table, torch):
    with zipfile.ZipFile("script.pt", "w") as archive:
        for part in ("m/data.pkl", "m/constants.pkl", "m/code/x.py"):
            archive.writestr(part, pickle.dumps(Hostile(), protocol=2))
    done = run("explain", "script.pt", table, *OPTIONS, "--trust")
    done.refused(4, "looks like a TorchScript file, and cannot be loaded")
    assert not (folder / "hacked").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.h5", b"\x89HDF\r\n\x1a\n rest", "an HDF5 file; Keras loads it without safe mode"),
        ("model.onnx", b"\x08\x07\x12", "is no model that can be loaded; expected module:object"),
        ("model.pt", b"no model", "is no model that can be loaded"),
        ("model.keras", b"", "is no model that can be loaded"),
        ("model.keras", b"PK\x03\x04 cut", "is no model that can be loaded"),
        ("missing.pt", None, "there is no model 'missing.pt'"),
        ("empty", {}, "is no model that can be loaded"),
    ],
)
def test_what_is_no_model(run, folder, table, name, content, said):
    if isinstance(content, dict):
        (folder / name).mkdir()
    elif content is not None:
        (folder / name).write_bytes(content)
    run("explain", name, table, "--drop", "id", "--trust").refused(4, said)


@pytest.mark.parametrize(
    ("reference", "code", "said"),
    [
        ("nowhere:model", 4, "there is no module 'nowhere'"),
        ("nowhere.deep:model", 4, "there is no module 'nowhere'"),
        ("json:dumpz", 4, "json has no 'dumpz'. Did you mean 'dump"),
        ("json:JSONDecoder", 4, "is a class; expected a model with its weights"),
        ("json:decoder", 4, "is a module; expected a model"),
        ("wrong:model", 4, "importing it failed: ZeroDivisionError"),
        ("needy:model", 4, "needy imports not_there_at_all, which is not installed"),
    ],
)
def test_what_is_no_object(run, folder, table, reference, code, said):
    (folder / "wrong.py").write_text("1 / 0\n")
    (folder / "needy.py").write_text("import not_there_at_all\n")
    run("explain", reference, table, "--drop", "id").refused(code, said)


def test_a_framework_that_is_missing_is_named(run, folder, table, monkeypatch):
    with zipfile.ZipFile("script.pt", "w") as archive:
        for part in ("m/constants.pkl", "m/code/x.py"):
            archive.writestr(part, b"")
    monkeypatch.setattr("polyattr.backend.entry_points.is_installed", lambda _: False)
    monkeypatch.setattr("polyattr.backend.registry._registered", lambda _: None)
    done = run("explain", "script.pt", table, *OPTIONS, "--trust")
    done.refused(1, 'pip install "polyattr[torch]"')


def test_a_plugin_that_is_broken_is_left_out(monkeypatch):
    class Point:
        name, value, dist = "odd", "nowhere:FILES", None

        def load(self):
            raise ModuleNotFoundError("nowhere")

    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [Point()])
    with pytest.warns(UserWarning, match="entry point 'nowhere:FILES' cannot be loaded"):
        assert list(declared_files()) == []


def test_a_plugin_brings_kinds_of_its_own(run, folder, table, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "write-a-backend.md").read_text(encoding="utf-8")
    (code,) = [c for c in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "ModelFile" in c]
    names = {}
    exec(compile(code, "docs/write-a-backend.md", "exec"), names)

    class Point:
        name, value, dist = "autograd", "polyattr_autograd_files:FILES", None

        def load(self):
            return names["FILES"]

    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [Point()])
    (folder / "model.txt").write_text("# tanh-1\n1 2 3\n")
    name, kind = recognised(folder / "model.txt")
    assert (name, kind.name, kind.risk(folder)) == ("autograd", "a tanh file", None)
    assert recognised(folder / table) is None
    assert recognised(folder / "model.txt", "torch") is None
    assert all(f"`{field.name}" in page for field in fields(kind) if field.name != "name")


def test_recognising_imports_no_framework(folder, table):
    (folder / "saved").mkdir()
    (folder / "saved" / "saved_model.pb").write_bytes(b"")
    before = set(sys.modules)
    name, kind = recognised(folder / "saved")
    assert (name, kind.name) == ("tensorflow", "a SavedModel")
    new = {module.partition(".")[0] for module in set(sys.modules) - before}
    assert not new & {"torch", "tensorflow", "jax", "keras"}
