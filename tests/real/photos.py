"""Twenty photos of ImageNet classes, as EfficientNet-Lite0 wants them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image


def photos() -> tuple[np.ndarray, np.ndarray]:
    """Loads the photos (20, 3, 224, 224) and their classes, which are in the file names."""
    folder = Path(importlib.util.find_spec("foolbox").submodule_search_locations[0]) / "data"
    files = sorted(folder.glob("imagenet_*"))
    labels = [int(file.stem.split("_")[-1]) for file in files]
    return np.stack([_crop(Image.open(file).convert("RGB")) for file in files]), np.array(labels)


def _crop(image: Image.Image) -> np.ndarray:
    scale = 256 / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32)
    return (pixels.transpose(2, 0, 1) - 127) / 128
