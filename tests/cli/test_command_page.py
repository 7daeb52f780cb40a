"""The page on the command line: its commands print what it says, its tables are complete."""

import inspect
import re
import shlex
from pathlib import Path

import click
import pytest
from users import _MODULES

from polyattr.cli import command, exits
from polyattr.cli.asking.where import FIELDS
from polyattr.cli.inputs.reading import READERS

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
CONSOLES = re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)
(MODULE,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
(TABLE,) = re.findall(r"```csv\n(.*?)```", PAGE, flags=re.DOTALL)
HEADS = {"jax": "import jax.numpy as jnp", "tensorflow": "import tensorflow as tf"}
OTHERS = {"torch": MODULE}
for framework, made in (("jax", "jnp.array"), ("tensorflow", "tf.constant")):
    body = MODULE.replace("torch.tensor", made).replace("import torch", HEADS[framework])
    OTHERS[framework] = body.replace("torch", made.partition(".")[0])


def steps():
    """Each command of the page with the lines below it."""
    for block in CONSOLES:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *said = part.rstrip("\n").split("\n")
            yield line, said


def holds(said, printed):
    """Whether lines are those of the page, where three dots stand for any text."""
    pattern = "".join(r".*" if piece == "..." else re.escape(piece)
                      for piece in re.split(r"(\.\.\.)", "\n".join(said)))  # fmt: skip
    text = "\n".join(line.rstrip() for line in printed.splitlines())
    return re.fullmatch(pattern, text, flags=re.DOTALL)


def test_every_command_runs_and_prints_what_the_page_says(run, folder, backend_name):
    (folder / "credit.py").write_text(OTHERS[backend_name], encoding="utf-8")
    (folder / "people.csv").write_text(TABLE, encoding="utf-8")
    lines = list(steps())
    assert len(lines) >= 9
    for line, said in lines:
        name, *arguments = shlex.split(line)
        assert name == "polyattr"
        done = run(*arguments)
        failed = said[0].startswith("Error: ")
        assert bool(done.code) == failed, (line, done)
        assert holds(said, done.err if failed else done.out), (line, done.out, done.err)
    names = {path.name for path in folder.iterdir()} - {"__pycache__"}
    assert names == {"credit.py", "people.csv", "refused.npz", "refused.png", "refused.html"}


def test_the_example_is_the_same_in_each_framework():
    assert set(OTHERS) == set(_MODULES)
    assert all("torch" not in OTHERS[name] for name in ("jax", "tensorflow"))


def test_every_exit_code_is_on_the_page():
    kinds = [kind for _, kind in inspect.getmembers(exits, inspect.isclass)
             if issubclass(kind, exits.CommandError)]  # fmt: skip
    codes = {0, exits.INTERRUPTED, *(kind.exit_code for kind in kinds)}
    assert codes == {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert f"{exits.INTERRUPTED} interrupted" in " ".join(command.build().help.split())


@pytest.mark.parametrize("word", [*FIELDS, *READERS])
def test_every_field_and_kind_of_file_is_on_the_page(word):
    known = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".webp": "WebP"}
    assert f"`{word}`" in PAGE or known.get(word, word.removeprefix(".").upper()) in PAGE


def test_every_option_the_page_names_is_there():
    commands = command.build().commands
    known = {option for each in commands.values() for parameter in each.params
             if isinstance(parameter, click.Option) for option in parameter.opts}  # fmt: skip
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE))
    assert named - known <= {"--help", "--debug"}


def test_every_command_is_on_the_page():
    for name in set(command.build().commands) - {"demo"}:
        assert f"polyattr {name}" in PAGE


def test_json_has_the_entries_of_the_page(run, folder, backend_name):
    (folder / "credit.py").write_text(OTHERS[backend_name], encoding="utf-8")
    (folder / "people.csv").write_text(TABLE, encoding="utf-8")
    told = run("explain", "credit:model", "people.csv", "--id-column", "name", "--json").json
    table = PAGE[PAGE.index("| entry | holds |") : PAGE.index("Of each sample:")]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`(\w+)`", cell)}
    assert set(told) == named
    text = PAGE[PAGE.index("Of each sample:") : PAGE.index("What a method does not have")]
    assert set(told["samples"][0]) == set(re.findall(r"`(\w+)`", text)) - {"feature", "value"}
    assert set(told["samples"][0]["top"][0]) == {"feature", "value"}
