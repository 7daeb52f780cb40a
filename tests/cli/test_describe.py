"""What the command says of methods and backends."""

import pytest

import polyattr
from polyattr.cli.asking.methods import every_method

METHODS = every_method()


def test_every_public_method_is_known():
    for name in (*polyattr.methods.__all__, "SmoothHess", "AttributionPatching"):
        assert METHODS[name] is getattr(polyattr, name)


def test_all_are_listed(run):
    out = run("describe").out
    assert [line.split()[0] for line in out.splitlines()] == list(METHODS)
    assert all(METHODS[name].gist in out for name in METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_each_says_what_a_reader_asks(run, name):
    kind = METHODS[name]
    said = " ".join(run("describe", name).out.split())
    for text in (kind.guide.equation, kind.guide.cost, kind.guide.when, kind.guide.when_not):
        assert text.rstrip(".") in said
        assert len(text) < 250
    assert f"https://arxiv.org/abs/{kind.paper.arxiv}" in said
    assert kind.citation().splitlines()[0] in said
    entry = run("describe", name, "--json").json["methods"][0]
    assert entry["name"] == name
    assert entry["equation"] == kind.guide.equation
    assert entry["arxiv"] == kind.paper.arxiv
    assert run("describe", name, "--bibtex").out == f"{kind.citation()}\n"


@pytest.mark.parametrize("name", [n for n in METHODS if "`" in METHODS[n].guide.cost])
def test_the_cost_names_a_setting_there_is(name):
    for setting in METHODS[name].guide.cost.split("`")[1::2]:
        assert hasattr(METHODS[name], setting)


@pytest.mark.parametrize("name", ["ig", "IG", "integrated-gradients", "integrated_gradients"])
def test_a_method_by_another_spelling(run, name):
    assert run("describe", name).out.startswith("IntegratedGradients: ")


def test_an_unknown_name_is_met_with_a_near_one(run):
    run("describe", "integratedgradient").refused(2, "Did you mean 'IntegratedGradients'")
    run("describe", "smothgrad").refused(2, "'SmoothGrad'")
    run("describe", "tea").refused(2, "Known: Saliency, GradientInput")


def test_backends_are_listed(run):
    assert [line.split()[0] for line in run("backends").out.splitlines()] == [*polyattr.backends()]
    rows = {row["name"]: row for row in run("backends", "--json").json["backends"]}
    for name, info in polyattr.backends().items():
        assert rows[name]["installed"] == info.installed
        assert rows[name]["version"] == info.version


def test_devices_are_asked_for(run, backend_name, monkeypatch):
    monkeypatch.setattr("polyattr.cli.commands.backends.known", lambda: {
        backend_name: polyattr.backends()[backend_name]})  # fmt: skip
    (row,) = run("backends", "--devices", "--json").json["backends"]
    assert any("cpu" in device.lower() for device in row["devices"])
