"""The command, run in a folder of its own."""

import sys

import click.testing
import pytest
from users import Run

from polyattr.cli import command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder; modules that a command imports from it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def run(folder):
    """Runs a line of arguments in the working folder."""

    def call(*arguments):
        result = click.testing.CliRunner().invoke(command.build(), list(map(str, arguments)))
        assert isinstance(result.exception, SystemExit | None), result.exception
        return Run(result.exit_code, result.stdout, result.stderr)

    return call
