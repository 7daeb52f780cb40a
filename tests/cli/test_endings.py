"""How the command ends: exit codes, interruptions, tracebacks only when asked for."""

import os
import signal
import subprocess
import sys

import click
import pytest
from users import saved_result, write_module, write_table

import polyattr
from polyattr.cli import command


def process(*arguments, cwd, code=None):
    start = [sys.executable, "-m", "polyattr"] if code is None else [sys.executable, "-c", code]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return subprocess.run(
        [*start, *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


def test_python_m_polyattr(folder):
    saved_result(folder / "a.npz")
    done = process("show", "a.npz", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Ann" in done.stdout
    assert process("--version", cwd=folder).stdout == f"polyattr, version {polyattr.__version__}\n"


def test_nothing_but_help_imports_no_framework(folder):
    code = (
        "import sys\nfrom polyattr.cli.command import build\n"
        "try: build().main(['explain', '--help'])\nexcept SystemExit as end: assert not end.code\n"
        "print(sorted({'torch', 'jax', 'tensorflow', 'keras', 'pandas', 'PIL'} & set(sys.modules)))"
    )
    done = process(cwd=folder, code=code)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain"], "Missing argument 'MODEL'"),
        (["explain", "--nope"], "No such option"),
        (["show", "a.npz", "--rows", "0"], "--rows"),
        (["tell"], "No such command 'tell'"),
        (["explain", "mine:model", "x.csv", "--size", "big"], "expected 224"),
        (["explain", "mine:model", "x.csv", "--baseline", "tea"], "--baseline 'tea' is unknown"),
        (["explain", "mine:model", "x.csv", "--target", "cat"], "--classes FILE"),
        (["explain", "mine:model", "x.csv", "--method", "tea"], "unknown method 'tea'"),
        (["explain", "mine:model", "x.csv", "--where", "1 +"], "--where"),
    ],
)
def test_wrong_use_is_one_line(run, arguments, said):
    run(*arguments).refused(2, said)


def test_nothing_at_all_is_help(run):
    done = run()
    assert done.code == 2
    assert "Commands:" in done.err + done.out


@pytest.mark.parametrize("error", [KeyboardInterrupt, click.Abort])
def test_an_interruption_is_one_line(run, folder, monkeypatch, error):
    saved_result(folder / "a.npz")

    def interrupted(*_):
        raise error

    monkeypatch.setattr("polyattr.cli.commands.show.load_result", interrupted)
    done = run("show", "a.npz", "--out", "a.png")
    assert (done.code, done.out, done.err.split()) == (130, "", ["Interrupted."])
    assert not (folder / "a.png").exists()


def test_an_interruption_between_two_files_leaves_no_half(run, folder, monkeypatch):
    saved_result(folder / "a.npz")

    def interrupted(self, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(polyattr.Attribution, "save", interrupted)
    done = run("show", "a.npz", "--out", "b.npz")
    assert done.code == 130
    assert [path.name for path in folder.iterdir()] == ["a.npz"]


def test_control_c_while_a_module_is_imported(folder):
    (folder / "slow.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    write_table(folder)
    line = ["explain", "slow:model", "table.csv", "--drop", "id", "--out", "a.npz"]
    # Who was started in the background ignores Ctrl-C, and so would its children.
    code = (
        "import runpy, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.argv = {['polyattr', *line]!r}\n"
        "runpy.run_module('polyattr', run_name='__main__', alter_sys=True)"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stderr.readline() == "ready\n"
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=30)
    assert (started.returncode, out, err.split()) == (130, "", ["Interrupted."])
    assert not (folder / "a.npz").exists()


def test_a_traceback_is_shown_only_when_asked_for(run, folder, backend_name):
    write_module(folder, backend_name)
    write_table(folder)
    run("explain", "mine:broken", "table.csv", "--drop", "id").refused(
        4, "RuntimeError: no weights"
    )
    for place in (0, 3):
        line = ["explain", "mine:broken", "table.csv", "--drop", "id"]
        line.insert(place, "--debug")
        done = run(*line)
        assert done.code == 4
        assert "Traceback" in done.err
        assert 'mine.py", line' in done.err
        assert done.err.splitlines()[-1].startswith("Error: ")


def test_without_click_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit, match=r'^Error: .*pip install "polyattr\[cli\]"$'):
        command.main()


def test_without_rich_the_extra_is_named(run, folder, monkeypatch):
    saved_result(folder / "a.npz")
    for name in [n for n in sys.modules if n.split(".")[0] == "rich"] + ["rich"]:
        monkeypatch.setitem(sys.modules, name, None)
    run("show", "a.npz").refused(1, 'pip install "polyattr[cli]"')
    assert run("show", "a.npz", "--json").code == 0
