"""Recurrent layers in inference mode, of which cuDNN has no gradient, and lengths on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelerator_parts import TOLERANCE, apart, explainer
from accelerator_places import CPU, Array, Place
from accelerator_sizes import Result, Sizes

SAMPLES, TIME, FEATURES, UNITS, CLASSES = 4, 12, 8, 16, 3
KINDS = ("LSTM", "GRU")
LENGTHS = np.array([12, 5, 9, 7])
METHODS: dict[str, dict[str, int]] = {"GradientInput": {}, "IntegratedGradients": {"steps": 8}}


def recurrent(place: Place, _: Sizes) -> Result:
    """Maps of networks with recurrent layers are the CPU's; packed sequences are among them."""
    if place.framework == "jax":
        return Result("recurrent layers", None, "JAX has none of cuDNN that users call", {})
    packings = (False, True) if place.framework == "torch" else (False,)
    figures: dict[str, Any] = {}
    for kind in KINDS:
        for packed in packings:
            for name in METHODS:
                found, wanted = (
                    _map(where, kind, packed, name) for where in (place, type(place)(CPU))
                )
                figures[f"{'packed ' if packed else ''}{kind} {name}"] = apart(found, wanted)
    worst = max(figures.values())
    said = f"off by {worst:.1e} of the largest entry at most, allowed is {TOLERANCE:.0e}"
    if place.framework == "torch":
        figures["bare gradient"] = refused = _bare_gradient(place)
        said += f"; the bare gradient in inference mode: {refused or 'found'}"
    return Result("recurrent layers", bool(worst <= TOLERANCE), said, figures)


def _inputs() -> Array:
    return np.random.default_rng(2).standard_normal((SAMPLES, TIME, FEATURES), dtype=np.float32)


def _map(place: Place, kind: str, packed: bool, name: str) -> Array:
    beside: dict[str, Any] = {}
    if packed:
        import torch

        # On the CPU, where packing wants them, whatever the device of the inputs.
        beside = {"forward_args": (torch.from_numpy(LENGTHS),)}
    with place.exact(), place.within():
        build = _torch_network if place.framework == "torch" else _keras_network
        model = place.settled(build(kind))
        made = explainer(place, name, model, batch_size=3, **METHODS[name])
        found = made.explain(place.put(_inputs()), np.arange(SAMPLES) % CLASSES, **beside)
        return place.host(found)


def _torch_network(kind: str) -> Any:
    import torch
    from torch import nn

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell: Any = getattr(nn, kind)(FEATURES, UNITS, batch_first=True)
            self.head = nn.Linear(UNITS, CLASSES)

        def forward(self, x: Any, lengths: Any = None) -> Any:
            if lengths is not None:
                pack = nn.utils.rnn.pack_padded_sequence
                x = pack(x, lengths, batch_first=True, enforce_sorted=False)
            state = self.cell(x)[1]
            return self.head((state[0] if kind == "LSTM" else state)[-1])

    model = Recurrent().eval()
    rng = np.random.default_rng(3)
    with torch.no_grad():
        for weight in model.parameters():
            drawn = rng.standard_normal(tuple(weight.shape), dtype=np.float32) / UNITS**0.5
            weight.copy_(torch.from_numpy(drawn))
    return model


def _keras_network(kind: str) -> Any:
    import keras

    layers = [getattr(keras.layers, kind)(UNITS), keras.layers.Dense(CLASSES)]
    model = keras.Sequential([keras.Input((TIME, FEATURES)), *layers])
    rng = np.random.default_rng(3)
    drawn = [rng.standard_normal(weight.shape) / UNITS**0.5 for weight in model.get_weights()]
    model.set_weights(drawn)
    return model


def _bare_gradient(place: Place) -> str:
    """Returns what the framework says of a gradient in inference mode; empty if it has one."""
    x = place.put(_inputs()).requires_grad_()
    try:
        place.settled(_torch_network(KINDS[0]))(x).sum().backward()
    except RuntimeError as error:
        return str(error).splitlines()[0]
    return ""
