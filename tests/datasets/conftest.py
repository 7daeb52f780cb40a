"""Methods on the framework under test, which other processes find by name."""

import os
from pathlib import Path

import pytest
from made_models import Dense, data

import polyattr

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch):
    """Most of the time of small runs is that of the disk; other processes do wait for it."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def x():
    return data()


@pytest.fixture
def named(lab, monkeypatch):
    """Has other processes find these modules, and know the framework."""
    found = [str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, found)))
    monkeypatch.setenv("POLYATTR_TEST_DATASETS", lab.name)


@pytest.fixture
def method(lab):
    return polyattr.IntegratedGradients(
        Dense(lab.name), backend=lab.name, steps=5, operator="classification"
    )
