"""Files of TensorFlow: the SavedModel folder, and those of Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polyattr.backend import ModelFile
from polyattr_model_files.keras_file import keras_file, keras_h5


def _is_saved_model(path: Path) -> bool:
    return any((path / f"saved_model.{kind}").is_file() for kind in ("pb", "pbtxt"))


def _load_saved_model(path: Path, _: bool) -> Any:
    import tensorflow

    return tensorflow.saved_model.load(str(path))


def _risk(_: Path) -> str:
    return "is a program, whose operations may also read and write files"


FILES = (
    ModelFile("a SavedModel", _is_saved_model, _load_saved_model, risk=_risk),
    keras_file("tensorflow"),
    keras_h5(),
)
