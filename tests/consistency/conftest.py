"""Collected where all three frameworks must be there, or are."""

import importlib.util
from pathlib import Path

import pytest
from labs import LABS, under_test

SCRIPT = Path(__file__).parents[2] / "tools" / "consistency_table.py"

collect_ignore_glob = [] if under_test(*LABS) == list(LABS) else ["*"]


@pytest.fixture(scope="session")
def table():
    """The tool that writes the page: its networks are the ones compared here."""
    spec = importlib.util.spec_from_file_location("consistency_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
