"""`polyattr demo`: what it finds, prints and draws, and what it says when it cannot."""

import sys

import click.testing
import matplotlib.image
import numpy as np
import pytest

import polyattr
from polyattr.cli import command as cli
from polyattr.demo import choice, run
from polyattr.demo.choice import METHODS, choose_digits, choose_methods
from polyattr.errors import InputError, MissingExtraError

ANY = "polyattr-demo.png"


@pytest.fixture(scope="module")
def tours():
    """Full runs of this file by backend: one is enough for all tests that only look at it."""
    return {}


@pytest.fixture
def tour(backend_name, tours, tmp_path_factory):
    if backend_name not in tours:
        said = []
        found = run(
            backend_name, out=tmp_path_factory.mktemp("out"), progress=False, announce=said.append
        )
        assert any(found.framework in sentence for sentence in said)
        tours[backend_name] = found
    return tours[backend_name]


@pytest.fixture
def invoke(tmp_path):
    def call(*arguments):
        runner = click.testing.CliRunner()
        return runner.invoke(
            cli.build(), ["demo", "--out", str(tmp_path / "new" / "dir"), *arguments]
        )

    return call


def _picture(path):
    assert path.read_bytes().startswith(b"\x89PNG")
    return matplotlib.image.imread(path)[..., :3]


def test_the_demo_explains_twelve_digits_with_all_methods(backend_name, tour):
    assert [e.method for e in tour.explained] == list(METHODS)
    for entry in tour.explained:
        values = entry.attribution.values
        assert values.shape == (12, 28, 28)
        assert np.isfinite(values).all()
        assert values.any(axis=(1, 2)).all()
        assert bool((values < 0).any()) == entry.attribution.signed
        np.testing.assert_array_equal(entry.attribution.targets, tour.shown.predicted)
    gaps = {e.method.name: e.attribution.completeness_gap for e in tour.explained}
    whole = [name for name in gaps if getattr(polyattr, name)(abs).recipe().complete]
    assert [name for name, gap in gaps.items() if gap is not None] == whole
    assert np.abs(gaps["IntegratedGradients"]).max() < 0.3
    assert backend_name in tour.framework


def test_misread_digits_come_first(tour):
    shown = tour.shown
    wrong = shown.predicted != shown.labels
    assert 0 < wrong.sum() == min(12, len(shown.misread))
    assert not wrong[wrong.sum() :].any()
    assert set(shown.places[wrong]) <= set(shown.misread)


def test_the_picture_is_worth_looking_at(tour):
    pixels = _picture(tour.picture)
    height, width, _ = pixels.shape
    assert width > 1500
    assert height > 1000
    red = (pixels[..., 0] > 0.6) & (pixels[..., 1:].max(axis=-1) < 0.3)
    blue = pixels[..., 2] - pixels[..., 0] > 0.3
    white = pixels.min(axis=-1) == 1
    assert red.mean() > 0.002
    assert blue.mean() > 0.002
    assert 0.3 < white.mean() < 0.9
    # No row of maps is blank: every tenth of the page but the last holds marks.
    for band in np.array_split(white, 10)[:-1]:
        assert (~band).mean() > 0.02


def test_our_own_picture_is_replaced_and_others_are_left(backend_name, tmp_path):
    (tmp_path / ANY).write_bytes(b"old")
    (tmp_path / "other.png").write_bytes(b"theirs")
    _picture(run(backend_name, "Saliency", tmp_path, progress=False).picture)
    assert (tmp_path / "other.png").read_bytes() == b"theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.png", ANY]


def test_the_command_prints_a_table_and_where_the_picture_is(backend_name, invoke, tmp_path):
    result = invoke("--backend", backend_name, "--method", "integrated-gradients")
    assert result.exit_code == 0, result.output
    for text in ("IntegratedGradients", "600", "largest gap", "Misread", backend_name, ANY):
        assert text in result.output
    assert "SmoothGrad" not in result.stdout
    _picture(tmp_path / "new" / "dir" / ANY)


def test_the_command_shows_progress(backend_name, invoke):
    result = invoke("--backend", backend_name, "--method", "saliency")
    assert "100%" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "tourch"], "unknown backend 'tourch'. Did you mean 'torch'?"),
        (["--method", "smothgrad"], "unknown method 'smothgrad'. Did you mean 'SmoothGrad'?"),
        (["--method", "tea"], "Known: Saliency, GradientInput, IntegratedGradients"),
    ],
)
def test_a_wrong_name_is_one_line(invoke, tmp_path, arguments, message):
    result = invoke(*arguments)
    assert not list(tmp_path.iterdir())
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


def test_a_file_in_place_of_the_folder_is_one_line(backend_name, invoke, tmp_path):
    (tmp_path / "file").write_text("")
    result = invoke("--backend", backend_name, "--out", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert "cannot be a folder" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_picture_that_cannot_be_written_is_one_line(backend_name, invoke, tmp_path):
    (tmp_path / "new" / "dir" / ANY).mkdir(parents=True)
    result = invoke("--backend", backend_name, "--method", "saliency")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output


@pytest.mark.parametrize("package", ["matplotlib", "mlxtend", "tqdm", "rich"])
def test_a_missing_extra_is_one_line_before_any_work(invoke, monkeypatch, package):
    for name in [n for n in sys.modules if n.split(".")[0] == package] + [package]:
        monkeypatch.setitem(sys.modules, name, None)
    result = invoke()
    assert result.exit_code == 1
    assert 'pip install "polyattr[demo]"' in result.stderr
    assert result.output.count("\n") == 1


def test_without_click_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit, match=r'pip install "polyattr\[cli\]"'):
        cli.main()
    with pytest.raises(MissingExtraError):
        cli.build()


def test_methods_are_found_whatever_the_spelling():
    assert choose_methods() == METHODS
    for name in ("SmoothGrad", "smoothgrad", "SMOOTH-GRAD", "smooth_grad", "smooth grad"):
        assert [m.name for m in choose_methods(name)] == ["SmoothGrad"]
    with pytest.raises(InputError, match="unknown method ''"):
        choose_methods("")


def test_digits_are_the_misread_ones_and_a_spread_of_classes():
    labels = np.tile(np.arange(10), 20)
    predicted = labels.copy()
    predicted[[7, 31]] = 0  # a 7 and a 1
    chosen = choose_digits(predicted, labels)
    assert chosen[:2].tolist() == [7, 31]
    assert len(set(chosen.tolist())) == 12
    assert set(labels[chosen]) == set(range(10))


def test_a_poor_network_fills_the_page_with_misread_digits():
    labels = np.arange(10).repeat(5)
    assert choose_digits((labels + 1) % 10, labels).tolist() == list(range(12))


def test_few_digits_are_all_shown():
    assert sorted(choice.choose_digits(np.arange(5), np.arange(5))) == [0, 1, 2, 3, 4]
