"""Every evaluation of a model with a state starts from the state it had when it was called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polyattr.backend.keeping.kept_state import KeptState


@dataclass
class Guard:
    """Puts the user's objects back before every evaluation, where that makes a difference.

    Attributes:
        on: Whether it does: scores depend on what ran before.
        kept: The state at the beginning of the call; None outside.
    """

    on: bool = False
    kept: KeptState | None = None

    @property
    def suspects(self) -> bool:
        """Whether a score that is not what it was may be due to a state that changed."""
        return not self.on and self.kept is not None and self.kept.changed()

    def begin(self) -> None:
        """Comes before an evaluation."""
        if self.on and self.kept is not None:
            self.kept.put_back()

    def starting(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a kernel that begins by putting things back."""
        if not self.on:
            return kernel

        def run(*args: Any) -> Any:
            self.begin()
            return kernel(*args)

        return run
