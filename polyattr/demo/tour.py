"""The demo itself: a trained network, held-out digits, all methods, one picture."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import polyattr
from polyattr.backend import GradBackend, backends
from polyattr.demo.choice import DemoMethod, choose_digits, choose_methods
from polyattr.demo.digits import Digits, held_out_digits
from polyattr.demo.findings import Explained, Shown, Tour
from polyattr.demo.model import choose_backend, logits_layer, network, scores
from polyattr.demo.picture import draw
from polyattr.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "polyattr-demo"
PICTURE = "polyattr-demo.png"


def run(
    backend: str | GradBackend | None = None,
    method: str | None = None,
    out: str | PathLike[str] = FOLDER,
    *,
    progress: bool = True,
    announce: Callable[[str], None] | None = None,
) -> Tour:
    """Explains 12 held-out digits, including those the network misreads, and draws the maps.

    Args:
        backend: Name or instance; None takes the first installed of jax, torch, tensorflow.
        method: One method's name; None runs all that need nothing but a model.
        out: Folder for `polyattr-demo.png`, made if it is not there.
        progress: Whether to show a bar per method.
        announce: Told in a sentence what happens next.

    Returns:
        Everything that was found, and where the picture is.

    Raises:
        InputError: Unknown method, or nothing can be written to `out`.
        MissingExtraError: The packages of the extra "demo" are not installed.
        MissingFrameworkError: The framework is not installed, or none is.
        UnknownBackendError: No plugin has that name.
    """
    say = announce or (lambda _: None)
    _check_extra(("matplotlib", "mlxtend", *(["tqdm"] if progress else [])))
    methods = choose_methods(method)
    native = choose_backend(backend)
    folder = _folder(out)
    framework = _framework(native)
    say(f"polyattr {polyattr.__version__} on {framework}")
    model = network(native)
    shown = _look(model, native, held_out_digits())
    say(f"The network misreads {len(shown.misread)} of {shown.held_out:,} digits new to it.")
    explained = tuple(_explain(m, model, native, shown, progress) for m in methods)
    path = _save(draw(shown, explained, framework), folder / PICTURE)
    return Tour(framework, tuple(native.devices()), shown, explained, path)


def _save(figure: Figure, path: Path) -> Path:
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error
    return path


def _check_extra(packages: Iterable[str]) -> None:
    """Looks first: a missing drawing package should not be found out after the computing."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"the demo, without {' and '.join(missing)},", "demo")


def _framework(native: GradBackend) -> str:
    known = backends()
    version = known[native.name].version if native.name in known else None
    return f"{native.name} {version}" if version else native.name


def _folder(out: str | PathLike[str]) -> Path:
    """Makes the folder before the computing: a slip of the pen should not cost a run."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"out {str(out)!r} cannot be a folder: {error.strerror}") from error
    return folder


def _look(model: Any, native: GradBackend, digits: Digits) -> Shown:
    predicted = scores(model, digits.images, native).argmax(axis=1)
    places = choose_digits(predicted, digits.labels)
    return Shown(
        digits.images[places],
        digits.labels[places],
        predicted[places],
        places,
        np.flatnonzero(predicted != digits.labels),
        len(digits.labels),
    )


def _explain(
    method: DemoMethod, model: Any, native: GradBackend, shown: Shown, progress: bool
) -> Explained:
    explainer = getattr(polyattr, method.name)(
        model, backend=native, output_layer=logits_layer(model)
    )
    images = native.to_native(shown.images)
    start = time.perf_counter()
    with warnings.catch_warnings():  # the table says of each method how far it is off
        warnings.simplefilter("ignore", polyattr.ConvergenceWarning)
        attribution = explainer.attribute(images, shown.predicted, progress=progress).to_numpy()
    return Explained(method, attribution, time.perf_counter() - start)
