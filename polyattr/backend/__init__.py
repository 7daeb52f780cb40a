"""The door for authors of plugins: the interface of a backend, and all that is needed to write one.

What `__all__` names is public: a backend imports nothing of polyattr but that (and names of the
package `polyattr` itself). `INTERFACE_VERSION` says which form of it this release speaks.
"""

from polyattr.backend.bound_model import BoundModel, Layer, Tap, Visits
from polyattr.backend.exclusive import Exclusive, SharedSetting
from polyattr.backend.held_objects import held_objects
from polyattr.backend.interface import INTERFACE_VERSION, GradBackend, Score, noise_words
from polyattr.backend.keeping import FrameworkObjects, Guard, Keeper, KeptState
from polyattr.backend.layer_finding import (
    Submodule,
    call_tapped,
    find_named,
    find_submodule,
    follow,
    submodules,
)
from polyattr.backend.model_files import ModelFile
from polyattr.backend.optional_verbs import Renewable
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
from polyattr.backend.snapshots import Likeness, Snapshot, Unfollowed, Watched
from polyattr.backend.tensor import NativeTensor, Tensor
from polyattr.errors import (
    InputError,
    InputTypeError,
    LayerNotFoundError,
    ModelOutputError,
    PolyattrError,
    PolyattrWarning,
    TrainingModeWarning,
    UnrecognisedModelError,
    nearest,
    warn,
)

__all__ = [
    "INTERFACE_VERSION",
    "BackendInfo",
    "Backends",
    "BoundModel",
    "Exclusive",
    "FrameworkObjects",
    "GradBackend",
    "Guard",
    "InputError",
    "InputTypeError",
    "Keeper",
    "KeptState",
    "Layer",
    "LayerNotFoundError",
    "Likeness",
    "ModelFile",
    "ModelOutputError",
    "NativeTensor",
    "PolyattrError",
    "PolyattrWarning",
    "Renewable",
    "Score",
    "SharedSetting",
    "Snapshot",
    "Submodule",
    "Tap",
    "Tensor",
    "TrainingModeWarning",
    "Unfollowed",
    "UnrecognisedModelError",
    "Visits",
    "Watched",
    "backends",
    "call_tapped",
    "detect",
    "find_named",
    "find_submodule",
    "follow",
    "get_backend",
    "held_objects",
    "nearest",
    "noise_words",
    "register",
    "submodules",
    "unrecognised",
    "unregister",
    "warn",
]
