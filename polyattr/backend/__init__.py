"""All a plugin needs: the interface of a backend, what it hands to core, and how it is found."""

from polyattr.backend.bound_model import BoundModel, Layer, Tap, Tensor, Visits
from polyattr.backend.held_objects import held_objects
from polyattr.backend.interface import INTERFACE_VERSION, GradBackend, Score, noise_words
from polyattr.backend.layers import (
    Submodule,
    call_tapped,
    find_named,
    find_submodule,
    follow,
    submodules,
)
from polyattr.backend.registry import (
    BackendInfo,
    Backends,
    backends,
    detect,
    get_backend,
    register,
    unrecognised,
    unregister,
)

__all__ = [
    "INTERFACE_VERSION",
    "BackendInfo",
    "Backends",
    "BoundModel",
    "GradBackend",
    "Layer",
    "Score",
    "Submodule",
    "Tap",
    "Tensor",
    "Visits",
    "backends",
    "call_tapped",
    "detect",
    "find_named",
    "find_submodule",
    "follow",
    "get_backend",
    "held_objects",
    "noise_words",
    "register",
    "submodules",
    "unrecognised",
    "unregister",
]
