"""Which checks of the verbs failed: what is built on them then need not run."""

from __future__ import annotations

from typing import Any, cast

import pytest

_NAME = "polyattr-verdicts"


class Verdicts:
    """A pytest plugin that remembers failed checks, class by class."""

    def __init__(self) -> None:
        self._failed: dict[type, list[str]] = {}

    def of(self, owner: type) -> list[str]:
        """Returns the checks of a class that failed so far, by pytest's names."""
        return self._failed.get(owner, [])

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Looks at how a check ended; what is reported is pytest's business."""
        owner = getattr(item, "cls", None)
        skipped = call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception)
        if owner is not None and call.excinfo is not None and not skipped:
            self._failed.setdefault(owner, []).append(item.name)


def verdicts(config: pytest.Config) -> Verdicts:
    """Returns the verdicts of a run of pytest, listening from the first time it is asked for."""
    manager: Any = config.pluginmanager
    if not manager.has_plugin(_NAME):
        manager.register(Verdicts(), _NAME)
    return cast(Verdicts, manager.get_plugin(_NAME))
