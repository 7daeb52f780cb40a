"""The three frameworks by name: their networks and their own gradients."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol, cast

FRAMEWORKS = ("torch", "jax", "tensorflow")

Gradient = Callable[[Any, Any], Any]
"""Of native rows and the class of each, the native gradient of that class's score."""


class Models(Protocol):
    """What a module `models_...` has."""

    def build(self, letter: str) -> Any:
        """Builds a model of `workloads.MODELS`."""

    def native(self, x: Any) -> Any:
        """Turns samples, channels first, into what the network takes."""


class Bare(Protocol):
    """What a module `bare_...` has."""

    def gradients(self, letter: str) -> dict[str, Gradient]:
        """The ways the framework itself takes a gradient, by name."""

    def rows(self, way: str, x: Any) -> Any:
        """Prepares rows, (R, ...) channels first, for a way."""

    def classes(self, of_rows: Any) -> Any:
        """Prepares the class of each row."""

    def wait(self, gradient: Any) -> None:
        """Returns once a gradient is there."""


def models(framework: str) -> Models:
    """Imports the networks of a framework."""
    return cast("Models", importlib.import_module(f"limits.models_{framework}"))


def bare(framework: str) -> Bare:
    """Imports the gradients of a framework."""
    return cast("Bare", importlib.import_module(f"limits.bare_{framework}"))
