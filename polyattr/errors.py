"""Every error and warning polyattr raises; each message says what was given, expected and to do."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable
from types import FrameType


class PolyattrError(Exception):
    """Root of all errors raised on purpose by polyattr.

    What to do: catch it where any of them may come; the message says how to go on.
    """


class InputError(PolyattrError, ValueError):
    """An argument has the right type but a value or shape that cannot be explained.

    What to do: pass the range or shape the message asks for.

    Example:
        >>> import polyattr
        >>> polyattr.load("map.npz", max_bytes=-1)
        Traceback (most recent call last):
        polyattr.errors.InputError: max_bytes is -1; expected at least 0
    """


class InputTypeError(PolyattrError, TypeError):
    """An argument has a name or a type polyattr cannot use.

    What to do: pass the type the message asks for; integer inputs as floats, token ids as the
    embedding layer's output.

    Example:
        >>> import polyattr
        >>> polyattr.load(3)
        Traceback (most recent call last):
        polyattr.errors.InputTypeError: path is 3; expected a str or a path
    """


class UnknownBackendError(PolyattrError, ValueError):
    """The name of a backend that no plugin provides.

    What to do: choose a name of `polyattr.backends`, or install the plugin.

    Example:
        >>> import polyattr
        >>> polyattr.Saliency(abs, backend="pytorch")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        polyattr.errors.UnknownBackendError: unknown backend 'pytorch'. Did you mean 'torch'? ...
    """


class MissingFrameworkError(PolyattrError, ImportError):
    """The plugin is known, the framework it drives is not installed.

    What to do: run the pip line in the message.
    """


class UnrecognisedModelError(PolyattrError, TypeError):
    """No imported framework recognises the model or the inputs.

    What to do: pass `backend`, or inputs that are tensors of the model's framework.
    """


class MissingExtraError(PolyattrError, ImportError):
    """An optional tool is not installed.

    What to do: run the pip line in the message.

    Args:
        what: The feature that needs the tool, as a user would call it.
        extra: The name of the extra that installs it.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs optional packages: pip install "polyattr[{extra}]"')


class LayerNotFoundError(PolyattrError, ValueError):
    """`output_layer` names no layer of the model, or the model has no layers to name.

    What to do: choose one of the layers listed, or pass a function that ends at the layer.
    """


class ModelOutputError(PolyattrError, ValueError):
    """What the model returns cannot be scored: wrong rows, a structure, no path to the input.

    What to do: choose one of several outputs with `output`, say with `targets` what to explain, or
    make the model return a tensor (N, ...) computed from its inputs row by row.
    """


class NonFiniteGradientError(PolyattrError, ValueError):
    """The model's gradient is NaN or infinite at a point that had to be visited.

    What to do: leave out the samples named, or choose another baseline, rule or noise.
    """


class PolyattrWarning(UserWarning):
    """Root of all warnings given by polyattr.

    What to do: name it in a filter of `warnings` to silence them all, or make them errors.
    """


class TrainingModeWarning(PolyattrWarning):
    """The model was in training mode; it was evaluated in inference mode and put back.

    What to do: put it in inference mode before explaining, as with ``model.eval()``.
    """


class UnusedInputWarning(PolyattrWarning):
    """An input does not reach the score; its attribution is zero.

    What to do: check what the model reads, or leave the input out.
    """


class ConvergenceWarning(PolyattrWarning):
    """The error of some samples is above the tolerance that was asked for.

    What to do: raise `steps`, or accept a larger `tolerance`; `Attribution.error` has them all.
    """


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
