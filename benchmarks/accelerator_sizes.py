"""How much is done in each part, and what a part says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """What a part found.

    Attributes:
        part: Its name.
        passed: Whether its check holds; None if there is nothing to hold it to.
        said: The line that is printed.
        figures: All of it, for the file.
    """

    part: str
    passed: bool | None
    said: str
    figures: dict[str, Any]

    def __str__(self) -> str:
        mark = {True: "PASS", False: "FAIL", None: "----"}[self.passed]
        return f"{mark} {self.part}: {self.said}"


@dataclass(frozen=True)
class Sizes:
    """How much each part does.

    Attributes:
        checks: pytest's expression for the checks of the suite that run; all if empty.
        suite_seconds: How long these may take.
        counts: Samples of each network that is tried.
        methods: Those that are timed, and whose answers are compared.
        points: Steps or draws.
        splits: Into how many tiles the rows are cut, for ratios.
        seconds: Of timing each cell of the ratios.
        steps: Numbers of steps for the memory, rising.
    """

    checks: str
    suite_seconds: float
    counts: dict[str, int]
    methods: tuple[str, ...]
    points: int
    splits: tuple[int, ...]
    seconds: float
    steps: tuple[int, ...]


FULL = Sizes(
    checks="",
    suite_seconds=300,
    counts={"mlp": 32, "cnn": 32, "transformer": 16},
    methods=("GradientInput", "IntegratedGradients", "SmoothGrad"),
    points=50,
    splits=(1, 4, 16),
    seconds=1.5,
    steps=(10, 50, 1000, 5000),
)
TINY = Sizes(
    checks="test_to_native_on_the_device_of_another or test_session_restores",
    suite_seconds=60,
    counts={"mlp": 2},
    methods=("GradientInput", "IntegratedGradients"),
    points=4,
    splits=(2,),
    seconds=0,
    steps=(16, 64),
)
"""To try the script itself."""
