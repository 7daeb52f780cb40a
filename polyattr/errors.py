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

    What to do: pass the type the message asks for; pixels as floats, and for token ids name their
    embedding with `input_layer`.

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
    """The plugin is known; the framework it drives is not installed, or it cannot be loaded itself.

    What to do: run the pip line in the message, or mend the plugin the message names.
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
    """`output_layer` or `input_layer` names no layer of the model, or the model has none to name.

    What to do: choose one of the layers listed, or pass a function that ends at the layer, or
    begins there.
    """


class ModelOutputError(PolyattrError, ValueError):
    """What the model returns cannot be scored: wrong rows, a structure, no path to the input.

    What to do: choose one of several outputs with `output`, say with `targets` what to explain, or
    make the model return a tensor (N, ...) computed from its inputs row by row.
    """


class NonFiniteGradientError(PolyattrError, ValueError):
    """The model's gradient is NaN or infinite at a point that had to be visited.

    What to do: leave out the samples named, or choose another baseline, rule or noise; or have the
    others alone with ``on_nonfinite="mark"``.
    """


class PolyattrWarning(UserWarning):
    """Root of all warnings given by polyattr.

    What to do: name it in a filter of `warnings` to silence them all, or make them errors.
    """


class TrainingModeWarning(PolyattrWarning):
    """The model was in training mode; it was evaluated in inference mode and put back.

    What to do: put it in inference mode before explaining, as with ``model.eval()``.
    """


class QuestionWarning(PolyattrWarning):
    """The question can be answered, and may not be the one that was meant.

    Once per explainer: the outputs are probabilities; another output is explained for each sample;
    `output_layer` is not the logits; the labels of a dataset are not used.

    What to do: what the message says, or name the class in a filter of `warnings`.
    """


class BaselineWarning(PolyattrWarning):
    """Samples score like their baseline, so that their maps explain next to no difference.

    Once per explainer.

    What to do: choose another baseline; `compare_baselines` tries several in one call.
    """


class CutGradientWarning(PolyattrWarning):
    """Features change the score, but no gradient reaches them; their attribution is zero.

    What to do: hand what the model casts to integers over as an input of its own, and attribute to
    its embedding with `input_layer`.
    """


class NonFiniteGradientWarning(PolyattrWarning):
    """The gradient is NaN or infinite for some samples; their attributions are NaN.

    What to do: leave out the samples named, or choose another baseline, rule or noise.
    """


class UnusedInputWarning(PolyattrWarning):
    """An input does not reach the score; its attribution is zero.

    What to do: check what the model reads, or leave the input out.
    """


class MapLoggingWarning(PolyattrWarning):
    """Maps could not be logged during a training, which goes on without them.

    What to do: see what failed, which the warning says; ``on_error="raise"`` of `MapLogger` ends
    the training instead.
    """


class RandomModelWarning(PolyattrWarning):
    """Two equal evaluations of the model differ, so the map holds for these draws only.

    What to do: turn off what draws random numbers (dropout called as a function or with
    ``training=True``, sampling layers), or average: several calls, `SmoothGrad`.
    """


class ConvergenceWarning(PolyattrWarning):
    """The error of some samples is above the tolerance that was asked for, or known to be large.

    What to do: raise `steps`, choose another baseline where the gradient explodes at this one, or
    accept a larger `tolerance`; `Attribution.error` has them all.
    """


def warn(message: str, category: type[PolyattrWarning]) -> None:
    """Warns at the line of the user's code that called polyattr, however deep the call has gone.

    That line is the one below which polyattr is entered first. Whatever lies deeper belongs to the
    call (plugins of any author, the framework, `contextlib`), so no list of packages is needed,
    and what else a user's package is called makes no difference.
    """
    frame: FrameType | None = sys._getframe()
    depth = outermost = 0
    while frame is not None:
        if _is_core(frame):
            outermost = depth
        frame, depth = frame.f_back, depth + 1
    # A level of 1 would be this function's own line, at depth 0; the user's calls the outermost.
    warnings.warn(message, category, stacklevel=outermost + 2)


def _is_core(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "polyattr"


def nearest(name: object, choices: Iterable[str], count: int = 3) -> str:
    """Returns " Did you mean ...?" with the closest choices, or an empty string."""
    matches = difflib.get_close_matches(str(name), list(choices), n=count, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, matches))}?" if matches else ""


def brief(value: object) -> str:
    """Shortens the repr of a `value` for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
