"""The whole suite as one class."""

from __future__ import annotations

from polyattr.testing.argument_checks import ArgumentChecks
from polyattr.testing.array_checks import ArrayChecks
from polyattr.testing.gradient_checks import GradientChecks
from polyattr.testing.method_checks import MethodChecks
from polyattr.testing.model_checks import ModelChecks
from polyattr.testing.noise_checks import NoiseChecks
from polyattr.testing.question_checks import QuestionChecks
from polyattr.testing.row_checks import RowChecks
from polyattr.testing.score_checks import ScoreChecks


class BackendConformance(
    ModelChecks,
    GradientChecks,
    RowChecks,
    ArrayChecks,
    NoiseChecks,
    MethodChecks,
    QuestionChecks,
    ArgumentChecks,
    ScoreChecks,
):
    """Everything polyattr expects of a backend; subclass it with a name pytest collects.

    Models are written with Python operators and the backend's own verbs, so the backend is all a
    subclass has to give. Optional: `lacks` names what the framework cannot do, `compiled` brings
    in the user's compiler, `double` lets 64-bit numbers exist, `settings` shows the framework's
    process-wide state, `model` turns a function into the kind of model the backend binds.

    Example:
        >>> import polyattr_tensorflow
        >>> from polyattr.testing import BackendConformance
        >>> class TestMine(BackendConformance):
        ...     backend = polyattr_tensorflow.backend
        >>> TestMine().test_pick("int32")  # pytest calls all of them
    """
