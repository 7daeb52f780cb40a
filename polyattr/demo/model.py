"""The demo's trained network: its weights, and the same network in any framework."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tap, backends, get_backend
from polyattr.errors import MissingFrameworkError, PolyattrError

PREFERRED = ("jax", "torch", "tensorflow")


def load_weights() -> dict[str, np.ndarray]:
    """Reads the weights that `tools/train_demo_network.py` trained.

    Returns:
        float32 arrays in PyTorch's layout: `conv1.weight` (16, 1, 5, 5), `conv2.weight`
        (32, 16, 3, 3), `conv3.weight` (64, 32, 3, 3), `logits.weight` (10, 1600), and a
        `<layer>.bias` for each. Fresh copies.
    """
    return {name: array.copy() for name, array in _weights().items()}


def network(
    backend: str | GradBackend | None = None,
    weights: Mapping[str, np.ndarray] | None = None,
) -> Any:
    """Builds the digit network in a framework of choice, with the trained weights.

    Two convolutions, each with ReLU and average pooling, a third with ReLU, and a dense layer:
    39,562 parameters, 99.2% right on the 1,000 held-out digits. It takes images (N, 28, 28) in
    [0, 1]. In PyTorch and Keras its layer "logits" gives the scores and a softmax follows; the JAX
    network is a function of the images that returns the logits.

    Args:
        backend: A backend's name or instance; None takes the first of jax, torch, tensorflow that
            is installed.
        weights: Other weights, in the shapes and under the names of `load_weights`.

    Returns:
        The model, in inference mode.

    Raises:
        UnknownBackendError: No plugin has that name.
        MissingFrameworkError: The framework is not installed, or none is.
        PolyattrError: The backend ships no demo network.
    """
    build = _builder(choose_backend(backend))
    return build(load_weights() if weights is None else weights)


def choose_backend(backend: str | GradBackend | None = None) -> GradBackend:
    """Returns the backend asked for, or the first of the preferred ones that is installed.

    Raises:
        UnknownBackendError: No plugin has that name.
        MissingFrameworkError: The framework is not installed, or none is.
    """
    if backend is not None:
        return get_backend(backend)
    known = backends()
    for name in PREFERRED:
        if name in known and known[name].installed:
            return get_backend(name)
    raise MissingFrameworkError(
        f"the demo runs on any of {', '.join(PREFERRED)}, and none is installed: "
        'pip install "polyattr[jax]"'
    )


def logits_layer(model: Any) -> str | None:
    """Returns what to pass as `output_layer` to explain the logits of a demo network.

    A plain function has no layers to choose from: the one in JAX ends at the logits.
    """
    return None if inspect.isfunction(model) else "logits"


def scores(model: Any, images: np.ndarray, backend: str | GradBackend) -> np.ndarray:
    """Evaluates the logits of a demo network.

    Args:
        model: What `network` returned.
        images: (N, 28, 28) in [0, 1].
        backend: The backend it was built for.

    Returns:
        (N, 10) logits.
    """
    native = get_backend(backend)
    bound, layer, x = native.bind(model), logits_layer(model), native.to_native(images)
    taps = [] if layer is None else [Tap(bound.layer(layer, "output_layer"))]
    with native.session(), bound.inference():
        state = bound.state()
        if not taps:
            return native.to_numpy(bound.run(state, [x], {}))
        return native.to_numpy(bound.run_tapped(state, [x], {}, taps)[1][0][-1])


def _builder(backend: GradBackend) -> Callable[[Mapping[str, np.ndarray]], Any]:
    """Finds `build` in the module `demo_network` beside the backend's class, or a base's."""
    for kind in type(backend).__mro__:
        package = getattr(sys.modules.get(kind.__module__), "__package__", None)
        home = f"{package}.demo_network"
        if package and importlib.util.find_spec(home) is not None:
            build: Callable[[Mapping[str, np.ndarray]], Any] = importlib.import_module(home).build
            return build
    raise PolyattrError(f"the {backend.name} backend ships no demo network")


@cache
def _weights() -> dict[str, np.ndarray]:
    with (
        (files("polyattr.demo") / "weights.npz").open("rb") as stream,
        np.load(stream, allow_pickle=False) as file,
    ):
        return {name: file[name] for name in file.files}
