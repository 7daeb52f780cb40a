"""The blocks of docs/integrations.md about other libraries run as they stand on the page."""

import re
from pathlib import Path

import numpy as np
import pytest

import polyattr

PAGE = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python notest\n(.*?)```", PAGE, flags=re.DOTALL)

pytestmark = pytest.mark.filterwarnings("ignore")


def block(word):
    (found,) = [code for code in BLOCKS if word in code]
    return compile(found, word, "exec")


def test_quantus_asks_a_model_of_torch_and_one_of_any_backend():
    import quantus
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 3)).eval()
    images = np.random.default_rng(0).random((2, 1, 16, 16)).astype(np.float32)
    names = {"model": network, "images": images, "labels": np.array([0, 2])}
    exec(block("a_batch=None"), names)
    exec(block("import ask"), again := names | {"quantus": quantus})
    (mean,), (another,) = names["scores"], again["scores"]
    assert -1 <= mean <= 1
    assert -1 <= another <= 1


def test_keras_writes_maps(tmp_path, monkeypatch):
    import keras
    import tensorflow as tf

    monkeypatch.chdir(tmp_path)
    layers = [keras.Input((4,)), keras.layers.Dense(3, name="logits"), keras.layers.Softmax()]
    model = keras.Sequential(layers)
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).random((16, 4)).astype(np.float32)
    names = {"tf": tf, "model": model, "x": x, "y": np.arange(16) % 3, "polyattr": polyattr}
    exec(block("keras_callback"), names)
    assert names["logger"].logged == 10
    assert list((tmp_path / "logs" / "maps").glob("events*"))


def test_lightning_writes_maps(tmp_path, monkeypatch):
    import torch
    from pytorch_lightning import LightningModule, Trainer
    from pytorch_lightning.loggers import TensorBoardLogger
    from torch.utils.data import DataLoader, TensorDataset

    class Network(LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)

        def forward(self, x):
            return self.layer(x)

        def training_step(self, batch, _):
            return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def trainer(**settings):
        writer = TensorBoardLogger(tmp_path)
        return Trainer(logger=writer, enable_progress_bar=False, accelerator="cpu", **settings)

    x, y = torch.rand(16, 4), torch.arange(16) % 3
    names = {"x": x, "y": y, "Trainer": trainer, "module": Network(), "polyattr": polyattr}
    names["loader"] = DataLoader(TensorDataset(x, y), batch_size=8)
    monkeypatch.chdir(tmp_path)
    exec(block("lightning_callback"), names)
    assert names["logger"].logged == 10
    assert list(tmp_path.rglob("events*"))
