"""Where pictures of maps are written: TensorBoard, by the framework's own writer, or a function."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from polyattr.errors import InputTypeError, brief

Array = np.ndarray[Any, Any]


def check_writer(writer: Any) -> Any:
    """Checks for something pictures can be written with, and returns it.

    Raises:
        InputTypeError: It is none.
    """
    if not (_adds(writer) or _summarises(writer) or callable(writer)):
        raise InputTypeError(
            f"writer is {brief(writer)}; expected a SummaryWriter of torch.utils.tensorboard or "
            f"tensorboardX, a writer of tf.summary.create_file_writer, or a function "
            f"writer(tag, image, step)"
        )
    return writer


def write(writer: Any, tag: str, picture: Array, step: int) -> None:
    """Writes a picture.

    Args:
        writer: What `check_writer` let through.
        tag: What it is called.
        picture: (H, W, 3), uint8.
        step: When it was made.
    """
    if _adds(writer):
        writer.add_image(tag, picture, step, dataformats="HWC")
    elif _summarises(writer):
        # By name: whoever has such a writer has imported TensorFlow already.
        summary = import_module("tensorflow").summary
        with writer.as_default():
            summary.image(tag, picture[None], step=step)
        writer.flush()
    else:
        writer(tag, picture, step)


def _adds(writer: Any) -> bool:
    return callable(getattr(writer, "add_image", None))


def _summarises(writer: Any) -> bool:
    return callable(getattr(writer, "as_default", None)) and hasattr(writer, "flush")
