"""The whole suite as one class, and the part of it that looks at single verbs."""

from __future__ import annotations

import pytest

from polyattr.testing.calls.arguments import ArgumentChecks
from polyattr.testing.calls.discovery import DiscoveryChecks
from polyattr.testing.calls.freshness import FreshnessChecks
from polyattr.testing.calls.memory import MemoryChecks
from polyattr.testing.calls.methods import MethodChecks
from polyattr.testing.calls.modules import ModuleChecks
from polyattr.testing.calls.noise import NoiseChecks
from polyattr.testing.calls.questions import QuestionChecks
from polyattr.testing.calls.tasks import TaskChecks
from polyattr.testing.verbs.arrays import ArrayChecks
from polyattr.testing.verbs.comparisons import ComparisonChecks
from polyattr.testing.verbs.draws import DrawChecks
from polyattr.testing.verbs.gradients import GradientChecks
from polyattr.testing.verbs.queues import QueueChecks
from polyattr.testing.verbs.recognition import RecognitionChecks
from polyattr.testing.verbs.rows import RowChecks
from polyattr.testing.verdicts import verdicts


# pytest runs the checks of the last base first.
class VerbConformance(
    DrawChecks,
    QueueChecks,
    ComparisonChecks,
    GradientChecks,
    RowChecks,
    ArrayChecks,
    RecognitionChecks,
):
    """The checks of `BackendConformance` that look at one verb each.

    For the time before they pass, and for frameworks that compile for seconds: no method runs.

    Example:
        >>> import polyattr_jax
        >>> from polyattr.testing import VerbConformance
        >>> class TestMyVerbs(VerbConformance):
        ...     backend = polyattr_jax.backend
        >>> TestMyVerbs().test_row_sums((4, 3))
    """

    @pytest.fixture(autouse=True)
    def _verbs_first(self, request: pytest.FixtureRequest) -> None:
        """Skips what is made of the verbs once the check of a verb has failed."""
        checks = {name.split("[")[0]: None for name in verdicts(request.config).of(type(self))}
        broken = [name for name in checks if hasattr(VerbConformance, name)]
        if broken and not hasattr(VerbConformance, request.node.name.split("[")[0]):
            pytest.skip(f"made of verbs, whose own checks failed: {', '.join(broken)}")


class BackendConformance(
    MemoryChecks,
    ModuleChecks,
    FreshnessChecks,
    ArgumentChecks,
    TaskChecks,
    QuestionChecks,
    NoiseChecks,
    MethodChecks,
    DiscoveryChecks,
    VerbConformance,
):
    """Everything polyattr expects of a backend; subclass it with a name pytest collects.

    Models are written with Python operators and the backend's own verbs, so the backend is all a
    subclass has to give. The verbs are checked first; if one is wrong, the rest is skipped, since
    it would only say so once more. Optional: `lacks` names what the framework cannot do, `compiled`
    brings in the user's compiler, `double` lets 64-bit numbers exist, `settings` shows the
    framework's process-wide state, `model` turns a function into the kind of model the backend
    binds, `layered` and `dropout` make models of the framework's own kind, `parameter` a weight
    that can be trained, and `peak` measures memory.

    Example:
        >>> import polyattr_tensorflow
        >>> from polyattr.testing import BackendConformance
        >>> class TestMine(BackendConformance):
        ...     backend = polyattr_tensorflow.backend
        >>> TestMine().test_pick("int32")  # pytest calls all of them
    """
