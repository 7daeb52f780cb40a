"""The script for accelerators runs through without one, and places what it makes where it says.

Its figures are those of a CPU here. What needs no accelerator to be proved is: that the suite and
the networks follow the device they are told, and that the loop's own copies are found.
"""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import polyattr
from polyattr.testing.harness import Harness

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("accelerator")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def found(script, backend_name, tmp_path_factory):
    """What the file holds after all parts, as small as they can be, and the exit code."""
    out = tmp_path_factory.mktemp("found") / "found.json"
    asked = ["--framework", backend_name, "--device", "cpu", "--tiny", "--out", str(out)]
    return script.main(asked), json.loads(out.read_text(encoding="utf-8"))


@pytest.fixture
def place(script, backend_name):
    return script.PLACES[backend_name]("cpu")


def test_every_part_runs(script, found, backend_name):
    code, file = found
    assert code == 0, file["parts"]
    assert len(file["parts"]) == len(script.PARTS)
    assert (file["framework"], file["device"], file["accelerated"]) == (backend_name, "cpu", False)
    assert {"card", "date", "python", "machine", "versions"} <= set(file)
    assert backend_name in file["versions"]


def test_figures_are_sane(found):
    memory, suite, loop, ratio, recurrent, answers = (p["figures"] for p in found[1]["parts"])
    assert all(mib >= 0 for each in memory["MiB"].values() for mib in each)
    assert (suite["passed"], suite["failed"]) == (2, [])
    assert [case["tiles"] for case in loop.values()] == [2, 16, 24, 16, 16, 80]
    assert not any(case["inside"]["read by the host"] for case in loop.values())
    assert loop["portable noise"]["inside"]["sent to the device"] > 0
    for cell in ratio.values():
        assert min(cell["auto"], cell["best"]) > 0.2
        assert set(cell["milliseconds"]) == {"bare", "auto", "best"}
    assert all(off["close"] <= off["all"] < 1e-4 for off in answers.values())
    assert all((off["kinked"], off["scores"]) == (0, 0) for off in answers.values())
    assert "mlp GradientInput N=1" in ratio
    assert all(isinstance(off, float | str) for off in recurrent.values())


@pytest.mark.parametrize(
    ("off", "passes"),
    [
        ({}, True),
        ({3: 1e-3, 7: 1.9e-2, 8: 5e-4}, True),
        ({3: 1e-3, 7: 2.1e-2}, False),
        (dict.fromkeys(range(8), 1e-3), True),
        (dict.fromkeys(range(9), 1e-3), False),
        ({3: np.nan}, False),
    ],
)
def test_few_samples_may_have_met_a_kink(script, place, monkeypatch, off, passes):
    """Eight of 32, by 2e-2 of their own largest entry; the others are as close as rounding is."""
    part = sys.modules["accelerator_answers"]
    wanted = np.random.default_rng(5).standard_normal((32, 2, 3)) * np.arange(1, 33)[:, None, None]
    found = wanted * (1 + 1e-6)
    for sample, apart in off.items():
        found[sample, 0, 0] += apart * np.abs(wanted[sample]).max()
    told = iter([(found, np.ones(32)), (wanted, np.ones(32))])
    monkeypatch.setattr(part, "_answer", lambda *_: next(told))
    monkeypatch.setattr(part, "methods", lambda _: {"GradientInput": {}})
    sizes = replace(script.TINY, counts={"mlp": 32})
    result = part.answers(place, sizes)
    assert result.passed is passes
    figures = result.figures["mlp GradientInput"]
    assert figures["kinked"] == sum(apart > 1e-4 for apart in off.values())
    if passes:
        assert figures["all"] == pytest.approx(max([1e-6, *off.values()]), rel=1e-2)
        assert figures["close"] == pytest.approx(1e-6, rel=1e-2)


def test_processes_share_the_suite(script, place, monkeypatch):
    suite = sys.modules["accelerator_suite"]
    monkeypatch.setattr(suite, "processes", lambda: 3)
    found = suite.conformance(place, script.TINY)
    assert found.passed, found.said
    assert (found.figures["passed"], found.figures["failed"]) == (2, [])
    assert len(found.figures["slowest"]) == 2
    assert "in 3 processes" in found.said


def test_a_suite_that_does_not_end_or_breaks_says_how_far_it_came(script, place, tmp_path):
    suite = sys.modules["accelerator_suite"]
    notes = [tmp_path / "one", tmp_path / "other"]
    case = {"name": "test_fold", "outcome": "passed", "seconds": 1.5, "said": ""}
    wrong = {"name": "test_sums", "outcome": "failed", "seconds": 3.0, "said": "off by 1\nand more"}
    lines = [[{"tests": 2}, case], [{"tests": 7}, wrong]]
    for path, told in zip(notes, lines, strict=True):
        path.write_text("".join(json.dumps(line) + "\n" for line in told))
    late = suite._read(notes, [None, ""], 60.0, script.TINY)
    assert late.passed is False
    assert late.said.startswith("not finished in 60 s: 2 of 9; 1 checks pass, 1 fail")
    assert late.figures["failed"] == ["test_sums: off by 1"]
    assert list(late.figures["slowest"]) == ["test_sums", "test_fold"]
    assert suite._read(notes[:1], [""], 1.0, script.TINY).passed is True
    broken = suite._read(notes[:1], ["no such device"], 1.0, script.TINY)
    assert (broken.passed, broken.said.endswith("no such device")) == (False, True)


def test_shares_are_all_tests_once(script):
    share = BENCHMARKS / "accelerator_share.py"
    own = {"POLYATTR_SHARE": "1/3", "POLYATTR_NOTES": os.devnull}
    code = f"""
import runpy, types
found = runpy.run_path({str(share)!r})
items, left = list(range(8)), []
hook = types.SimpleNamespace(pytest_deselected=lambda items: left.extend(items))
found["pytest_collection_modifyitems"](types.SimpleNamespace(hook=hook), items)
print(items, left)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[1, 4, 7] [0, 2, 3, 5, 6]"


def test_a_page_is_made_of_the_files(script, found, tmp_path, capsys):
    page = importlib.import_module("accelerator_page")
    file = found[1]
    late = {**file, "parts": [{**file["parts"][1], "passed": False, "said": "not finished"}]}
    for name, contents in (("all.json", file), ("late.json", late)):
        (tmp_path / name).write_text(json.dumps(contents))
    page.main([str(tmp_path / "all.json"), str(tmp_path / "late.json")])
    printed = capsys.readouterr().out
    assert printed.startswith(
        f"**{file['framework']}** on {file['card']}, NO ACCELERATOR: polyattr"
    )
    assert "| suite | FAILS | not finished |" in printed
    assert "| nothing in the loop | passes |" in printed
    (row,) = [line for line in printed.splitlines() if line.startswith("| mlp GradientInput N=1")]
    cell = file["parts"][3]["figures"]["mlp GradientInput N=1"]
    bare, auto = (cell["milliseconds"][kind] for kind in ("bare", "auto"))
    assert row.split(" | ")[1:3] == [f"{bare:.2f}", f"{auto:.2f} ({cell['auto']:.1f})"]
    assert {line.count("|") for line in printed.splitlines() if line[:5] == "| mlp"} == {6}
    target = tmp_path / "page.md"
    target.write_text(f"before\n{page.BEGINS}\nearlier\n{page.ENDS}\nafter\n")
    page.main([str(tmp_path / "all.json"), "--into", str(target)])
    text = target.read_text()
    assert text.startswith(f"before\n{page.BEGINS}\n\n**{file['framework']}**")
    assert text.endswith(f"\n\n{page.ENDS}\nafter\n")
    assert "earlier" not in text
    (tmp_path / "other.md").write_text("nothing")
    with pytest.raises(SystemExit, match="holds no"):
        page.main([str(tmp_path / "all.json"), "--into", str(tmp_path / "other.md")])


def test_a_part_that_fails_keeps_no_other_from_running(script, place, monkeypatch, capsys):
    def broken(place, sizes):
        raise ValueError("no such thing\nand more")

    monkeypatch.setitem(script.PARTS, "memory", broken)
    monkeypatch.setitem(script.PARTS, "ratio", lambda *_: script.Result("ratio", None, "said", {}))
    first, second = script.run(place, ["memory", "ratio"], script.TINY)
    assert (first.passed, second.passed) == (False, None)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" [")[0] for line in lines] == [
        "FAIL memory: ValueError: no such thing",
        "---- ratio: said",
    ]


def test_no_accelerator_is_said_to_be_none(script, backend_name, monkeypatch):
    kind = script.PLACES[backend_name]
    monkeypatch.setattr(kind, "found", lambda self: "cpu")
    assert kind().device == "cpu"
    places = sys.modules["accelerator_places"]
    assert "--device cpu" in places.nothing_found("JAX")


def test_what_a_loop_reads_is_found(script, place):
    """A recipe of several rounds is told of its scores in between."""
    loop = sys.modules["accelerator_loop"]
    case = loop.Case("told", "IDGI", {"steps": 9})
    read = loop._loop(place, case)
    assert read["inside"][loop.READ] == 1
    assert not loop._clean(place, case, read)
    refused = {"refused": "waits", "inside": {loop.READ: 0, loop.SENT: 0}}
    assert not loop._clean(place, case, refused)


def test_a_guard_surrounds_the_loop_alone(script, place):
    loop, networks = sys.modules["accelerator_loop"], sys.modules["accelerator_networks"]
    record = loop.Record(place.backend)
    model, x = networks.network_on(place, "mlp"), networks.samples(place, "mlp", 2)
    made = polyattr.IntegratedGradients(model, steps=4, backend=record.backend, batch_size=2)
    made.explain(x, 1)

    class Guard:
        def __enter__(self):
            record.events.append("begins")

        def __exit__(self, *_):
            record.events.append("ends")

    record.of(lambda: made.explain(x, 1), Guard)
    begins, ends = map(record.events.index, ("begins", "ends"))
    assert record.events[begins + 1 : ends] == [loop.TILE] * 4
    assert loop.READ in record.events[:begins]
    assert loop.READ in record.events[ends:]


def test_every_network_has_scores_and_a_gradient(script, place):
    networks = sys.modules["accelerator_networks"]
    assert set(networks.NETWORKS) == set(script.FULL.counts) == {"mlp", "cnn", "transformer"}
    for network in networks.NETWORKS:
        model, x = networks.network_on(place, network), networks.samples(place, network, 2)
        scores = place.host(model(x))
        assert scores.shape == (2, 10)
        assert np.isfinite(scores).all()
        gradient = place.gradient(model)(x, place.put(networks.classes(2)))
        assert tuple(gradient.shape) == tuple(x.shape)


def test_the_suite_goes_where_it_is_told(backend_name):
    if backend_name != "torch":
        pytest.skip("the meta device, which needs no accelerator, is PyTorch's")
    import torch

    from polyattr_torch import backend as torch_backend

    class Anywhere(Harness):
        backend = torch_backend

    class OnMeta(Anywhere):
        def like(self):
            return torch.empty(1, device="meta")

    for suite, device in ((Anywhere(), "cpu"), (OnMeta(), "meta")):
        assert suite.native([[1.0]]).device.type == suite.index([1, 0]).device.type == device


ON_THE_SECOND_DEVICE = """
import jax, sys
sys.path.insert(0, sys.argv[1])
import accelerator
from accelerator_networks import network_on, samples, classes
place = accelerator.PLACES["jax"]("cpu:1")
home = jax.devices()[1]
for network in ("mlp", "transformer"):
    x = samples(place, network, 2)
    made = accelerator.polyattr.GradientInput(network_on(place, network))
    assert x.devices() == made.explain(x, classes(2)).devices() == {home}
    assert place.gradient(network_on(place, network))(x, place.put(classes(2))).devices() == {home}
print(accelerator.conformance(place, accelerator.TINY))
"""


def test_the_script_stays_on_its_device(backend_name):
    if backend_name != "jax":
        pytest.skip("a CPU counts as several devices in JAX alone")
    flags = os.environ.get("XLA_FLAGS", ""), "--xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_SECOND_DEVICE, str(BENCHMARKS)],
        env=os.environ | {"XLA_FLAGS": " ".join(flags)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PASS suite: 2 checks pass")
