"""One explanation, from the user's words to a result: everything cheap is checked first."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polyattr
from polyattr.cli.asking.baselines import read_baseline
from polyattr.cli.asking.methods import EXPLAINING, every_method, find_method
from polyattr.cli.asking.settings import Options, own_settings, plain_setting, settings_of
from polyattr.cli.asking.targets import read_classes, read_target
from polyattr.cli.exits import ModelFileError, WrongUseError
from polyattr.cli.inputs.pixels import Pixels, read_size
from polyattr.cli.inputs.prepared import prepared
from polyattr.cli.inputs.reading import read_samples
from polyattr.cli.inputs.samples import Reading, Samples
from polyattr.cli.lines import told
from polyattr.cli.models.imported import imported
from polyattr.cli.models.loaded import Loaded, load_model
from polyattr.errors import InputError, PolyattrError, PolyattrWarning, UnrecognisedModelError
from polyattr.explainer.base import MethodBase
from polyattr.results.attribution import Attribution


@dataclass(frozen=True)
class Answer:
    """What was found.

    Attributes:
        result: With NumPy arrays, its inputs kept.
        warned: Warnings of polyattr that came with it.
        model: What was explained.
        settings: The arguments of the method, as JSON has them.
    """

    result: Attribution
    warned: tuple[Warning, ...]
    model: Loaded
    settings: Mapping[str, Any]


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
    settings = settings_of(kind, options)
    classes = read_classes(options["classes"])
    target = read_target(options["target"], classes)
    reading, pixels = _reading(options), _pixels(options)
    # What modules of the user's print is no result; what frameworks warn of is not the user's.
    with redirect_stdout(sys.stderr), _noted() as warned:
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
        result = _attribute(method, inputs, target, names).to_numpy()
    given = {name: plain_setting(getattr(method, name)) for name in own_settings(kind)}
    return Answer(result, tuple(warned), loaded, given)


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
        return kind(loaded.model, backend=loaded.backend.name, **settings)
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


def _attribute(method: Any, inputs: Any, target: Any, names: polyattr.Names) -> Attribution:
    """Runs the method, with a bar where somebody watches.

    Raises:
        WrongUseError: No such target.
    """
    try:
        found: Attribution = method.attribute(
            inputs,
            target,
            names=names if names else None,
            keep_inputs=True,
            progress=sys.stderr.isatty(),
        )
    except InputError as error:
        if target is not None and str(error).startswith("target "):
            raise WrongUseError(told(error)) from error
        raise
    return found


@contextmanager
def _noted() -> Iterator[list[Warning]]:
    """Yields what will hold the warnings of polyattr, each once; drops all others."""
    noted: list[Warning] = []
    # Its advice about retracing is for those who write the functions that are traced.
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", PolyattrWarning)
            yield noted
    finally:
        logger.setLevel(level)
    told_once = {str(e.message): e.message for e in caught if isinstance(e.message, Warning)}
    noted.extend(told_once.values())
