"""Every error and warning polyattr raises; each message says what was given, expected and to do."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable
from types import FrameType


class PolyattrError(Exception):
    """Root of all errors raised on purpose by polyattr."""


class InputError(PolyattrError, ValueError):
    """An argument has the right type but a value or shape that cannot be explained."""


class InputTypeError(PolyattrError, TypeError):
    """An argument has a type polyattr cannot use."""


class UnknownBackendError(PolyattrError, ValueError):
    """The name of a backend that no plugin provides."""


class MissingFrameworkError(PolyattrError, ImportError):
    """The plugin is known, the framework it drives is not installed."""


class UnrecognisedModelError(PolyattrError, TypeError):
    """No imported framework recognises the model or the inputs."""


class MissingExtraError(PolyattrError, ImportError):
    """An optional tool is not installed.

    Args:
        what: The feature that needs the tool, as a user would call it.
        extra: The name of the extra that installs it.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs optional packages: pip install "polyattr[{extra}]"')


class LayerNotFoundError(PolyattrError, ValueError):
    """`output_layer` names no layer of the model, or the model has no layers to name."""


class ModelOutputError(PolyattrError, ValueError):
    """What the model returns cannot be scored: wrong rows, a structure, no path to the input."""


class NonFiniteGradientError(PolyattrError, ValueError):
    """The model's gradient is NaN or infinite at a point that had to be visited."""


class PolyattrWarning(UserWarning):
    """Root of all warnings given by polyattr."""


class TrainingModeWarning(PolyattrWarning):
    """The model was in training mode; it was evaluated in inference mode and put back."""


class UnusedInputWarning(PolyattrWarning):
    """An input does not reach the score; its attribution is zero."""


class ConvergenceWarning(PolyattrWarning):
    """The error of some samples is above the tolerance that was asked for."""


def warn(message: str, category: type[PolyattrWarning]) -> None:
    """Warns at the line of the user's code that led here, however deep polyattr is in between."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_internal(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_internal(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package == "contextlib" or package.startswith("polyattr")


def nearest(name: object, choices: Iterable[str], count: int = 3) -> str:
    """Returns " Did you mean ...?" with the closest choices, or an empty string."""
    matches = difflib.get_close_matches(str(name), list(choices), n=count, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, matches))}?" if matches else ""
