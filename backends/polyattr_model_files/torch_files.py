"""Files of PyTorch: TorchScript, torch.export, and checkpoints, which are not loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from polyattr.backend import ModelFile
from polyattr_model_files.archives import names_in, read_entry, starts_with
from polyattr_model_files.keras_file import keras_file, keras_h5

_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_OLDER_EXPORT = "serialized_exported_program.json"


def _is_script(path: Path) -> bool:
    names = names_in(path)
    return any("/code/" in name for name in names) and any(
        name.endswith("/constants.pkl") for name in names
    )


def _is_exported(path: Path) -> bool:
    names = names_in(path)
    formats = [name for name in names if name.endswith("archive_format")]
    return _OLDER_EXPORT in names or any(
        read_entry(path, name).strip() == b"pt2" for name in formats
    )


def _is_checkpoint(path: Path) -> bool:
    pickled = any(name.endswith("/data.pkl") for name in names_in(path))
    return starts_with(path, *_PICKLES) or (pickled and not _is_script(path))


def _load_script(path: Path, _: bool) -> Any:
    import torch

    load: Callable[..., Any] = torch.jit.load  # without types
    return load(path, map_location="cpu").eval()


def _load_exported(path: Path, _: bool) -> Any:
    import torch

    return torch.export.load(path).module()


def _program(_: Path) -> str:
    return "is a program, whose operations run with your rights"


def _pickled(_: Path) -> str:
    return "is a program, and may hold pickled objects, which run any code when they are read"


FILES = (
    ModelFile("a TorchScript file", _is_script, _load_script, risk=_program),
    ModelFile("a torch.export file", _is_exported, _load_exported, risk=_pickled),
    keras_file("torch"),
    keras_h5(),
    ModelFile(
        "a pickled file, such as a checkpoint of PyTorch",
        _is_checkpoint,
        _load_script,
        refusal="it is never loaded, since reading a pickle runs any code in it: write a function "
        "that builds the module and loads its weights, and pass it as module:function, or save the "
        "model with torch.export.save or torch.jit.save",
    ),
)
