"""Maps logged during a training of Lightning, which goes on to the last bit as it would without."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import polyattr
from polyattr.integrations import MapLogger, lightning_callback

lightning = pytest.importorskip("pytorch_lightning")
pytestmark = pytest.mark.filterwarnings("ignore")

X = torch.rand(24, 1, 6, 6, generator=torch.Generator().manual_seed(1))
Y = torch.arange(24) % 3


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
            torch.nn.Flatten(), torch.nn.Dropout(0.3), torch.nn.Linear(64, 3),
        )  # fmt: skip

    def forward(self, x):
        return self.network(x)

    def training_step(self, batch, _):
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.01)


def trained(tmp_path, *callbacks, **settings):
    lightning.seed_everything(5)
    module = Module()
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False, callbacks=list(callbacks), default_root_dir=tmp_path,
        **({"logger": False} | settings),
    )  # fmt: skip
    trainer.fit(module, DataLoader(TensorDataset(X, Y), batch_size=8, shuffle=True))
    return module, torch.rand(2), np.random.rand()


def same(one, other):
    states = zip(one[0].state_dict().values(), other[0].state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in states) and torch.equal(one[1], other[1])


def test_the_training_is_the_same_and_the_maps_are_those_of_the_model(tmp_path):
    found = {}

    def write(tag, image, step):
        found[tag, step] = image

    logger = MapLogger(
        polyattr.SmoothGrad, X[:2], Y[:2], writer=write, every=2, nb_samples=2, noise=0.1
    )
    plain, logged = trained(tmp_path), trained(tmp_path, lightning_callback(logger))
    assert same(plain, logged)
    assert plain[2] == logged[2]
    assert logged[0].training is plain[0].training
    assert list(found) == [("attributions", 0), ("attributions", 2)]
    assert logger.logged == 2
    assert logger.seconds > 0
    last = MapLogger(
        polyattr.SmoothGrad, X[:2], Y[:2], writer=write, tag="after", nb_samples=2, noise=0.1
    )
    assert last.log(logged[0], step=3)
    assert np.array_equal(found["after", 3], found["attributions", 2])
    assert not np.array_equal(found["attributions", 0], found["attributions", 2])


def test_maps_that_fail_are_told_of_once_and_the_training_goes_on(tmp_path):
    logger = MapLogger(polyattr.Saliency, X[:2, :, :3], Y[:2], writer=print)
    plain = trained(tmp_path)
    with pytest.warns(polyattr.MapLoggingWarning, match="not logged at step 0") as told:
        assert same(plain, trained(tmp_path, lightning_callback(logger)))
    assert len([w for w in told if w.category is polyattr.MapLoggingWarning]) == 1
    assert logger.logged == 0
    strict = MapLogger(polyattr.Saliency, X[:2, :, :3], Y[:2], writer=print, on_error="raise")
    with pytest.raises(RuntimeError, match="shape"):
        trained(tmp_path, lightning_callback(strict))
