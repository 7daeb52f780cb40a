"""One explanation, from the user's words to a result: everything cheap is checked first."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polyattr
from polyattr.cli.asking.baselines import read_baseline
from polyattr.cli.asking.methods import (
    EXPLAINING,
    check_settings,
    every_method,
    find_method,
    literal,
    read_settings,
)
from polyattr.cli.asking.targets import read_classes, read_target
from polyattr.cli.exits import ModelFileError, WrongUseError
from polyattr.cli.inputs.pixels import Pixels, read_size
from polyattr.cli.inputs.prepared import prepared
from polyattr.cli.inputs.reading import read_samples
from polyattr.cli.inputs.samples import Reading, Samples
from polyattr.cli.lines import told
from polyattr.cli.models.imported import imported
from polyattr.cli.models.loaded import Loaded, load_model
from polyattr.errors import PolyattrError, PolyattrWarning, UnrecognisedModelError
from polyattr.explainer.base import MethodBase
from polyattr.results.attribution import Attribution

Options = Mapping[str, Any]
_SAME = ("steps", "tolerance", "rule", "nb_samples", "noise", "seed", "batch_size", "output")
"""Options that are settings of the same name."""


@dataclass(frozen=True)
class Answer:
    """What was found.

    Attributes:
        result: With NumPy arrays, its inputs kept.
        warned: Warnings of polyattr that came with it.
        model: What was explained.
    """

    result: Attribution
    warned: tuple[Warning, ...]
    model: Loaded


def answer(model: str, source: Path, options: Options) -> Answer:
    """Explains the samples of a file by a model.

    Args:
        model: MODEL.
        source: INPUT.
        options: The options of `polyattr explain` by name.

    Raises:
        CommandError: Wrong use, or files that cannot be read.
        PolyattrError: What the method raises.
    """
    known = {name: kind for name, kind in every_method().items() if name in EXPLAINING}
    kind = find_method(options["method"], known)
    settings = _settings(kind, options)
    classes = read_classes(options["classes"])
    target = read_target(options["target"], classes)
    reading, pixels = _reading(options), _pixels(options)
    with redirect_stdout(sys.stderr):  # what modules of the user's print is no result
        preprocess = _preprocess(options)
        if options["baseline"] is not None:
            settings["baseline_value"] = read_baseline(options["baseline"])
        samples = read_samples(source, reading)
        loaded = load_model(model, options["backend"], options["trust"])

        def ready(each: Samples) -> Any:
            return prepared(each, loaded.bound, pixels, preprocess, options["dtype"])

        inputs = ready(samples)
        if options["background"] is not None:
            settings["background"] = ready(read_samples(options["background"], reading))
        method = _method(kind, loaded, settings)
        names = _names(samples, inputs, classes)
        return _attribute(method, loaded, inputs, target, names)


def _settings(kind: type[MethodBase], options: Options) -> dict[str, Any]:
    """Reads the method's arguments, all but those that are files.

    Raises:
        WrongUseError: The method has no such argument.
    """
    found = {n: literal(options[n]) for n in _SAME if options[n] is not None}
    if options["output_layer"] is not None:
        layer = options["output_layer"]
        found["output_layer"] = int(layer) if layer.lstrip("-").isdecimal() else layer
    found |= read_settings(options["settings"])
    known = set(found)
    known |= {"baseline_value"} if options["baseline"] is not None else set()
    known |= {"background"} if options["background"] is not None else set()
    check_settings(kind, dict.fromkeys(sorted(known)))
    if hasattr(kind, "background") and options["background"] is None:
        raise WrongUseError(
            f"{kind.__name__} draws its baselines from data; name some with --background FILE"
        )
    return found


def _reading(options: Options) -> Reading:
    columns = options["columns"]
    return Reading(
        arrays=options["array"],
        drop=options["drop"],
        columns=tuple(name.strip() for name in columns.split(",")) if columns else (),
        id_column=options["id_column"],
        header=not options["no_header"],
        max_bytes=options["max_bytes"],
    )


def _pixels(options: Options) -> Pixels:
    return Pixels(
        size=read_size(options["size"]),
        layout=options["layout"],
        gray=options["gray"] or None,
        scale=options["scale"],
        stretch=options["stretch"],
    )


def _preprocess(options: Options) -> Callable[[Any], Any] | None:
    if options["preprocess"] is None:
        return None
    found = imported(options["preprocess"], "--preprocess")
    if not callable(found):
        raise ModelFileError(
            f"--preprocess {options['preprocess']!r} is a {type(found).__name__}; expected a "
            f"function of the samples"
        )
    function: Callable[[Any], Any] = found
    return function


def _method(kind: type[MethodBase], loaded: Loaded, settings: dict[str, Any]) -> Any:
    """Makes the method.

    Raises:
        WrongUseError: A setting is not what the method takes.
    """
    try:
        return kind(loaded.model, backend=loaded.backend, **settings)
    except UnrecognisedModelError as error:
        raise ModelFileError(told(error)) from error
    except PolyattrError as error:
        raise WrongUseError(told(error)) from error


def _names(samples: Samples, inputs: Any, classes: dict[int, str] | None) -> polyattr.Names:
    shape = getattr(inputs, "shape", ())
    features = samples.features
    if features is not None and tuple(shape[1:]) != (len(features),):
        features = None  # made into something else by the user's function
    return polyattr.Names(features=features, rows=samples.rows, classes=classes)


def _attribute(
    method: Any, loaded: Loaded, inputs: Any, target: Any, names: polyattr.Names
) -> Answer:
    """Runs the method, with a bar where somebody watches; warnings are told with the result."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", PolyattrWarning)
        result = method.attribute(
            inputs,
            target,
            names=names if names else None,
            keep_inputs=True,
            progress=sys.stderr.isatty(),
        )
    warned = _once([entry.message for entry in caught if isinstance(entry.message, Warning)])
    return Answer(result.to_numpy(), warned, loaded)


def _once(warned: Sequence[Warning]) -> tuple[Warning, ...]:
    return tuple({str(each): each for each in warned}.values())
