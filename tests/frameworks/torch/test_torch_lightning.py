"""A LightningModule, before and after a Trainer had it, with a metric inside."""

import pytest
import pytorch_lightning
import torch
import torchmetrics
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import polyattr
from polyattr import IntegratedGradients


class Classifier(pytorch_lightning.LightningModule):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5))
        self.head = nn.Linear(8, 3)
        self.accuracy = torchmetrics.Accuracy(task="multiclass", num_classes=3)

    def forward(self, x):
        return self.head(self.body(x))

    def training_step(self, batch, _):
        x, y = batch
        logits = self(x)
        self.accuracy(logits, y)
        return nn.functional.cross_entropy(logits, y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.5)


def _plain(model):
    """The same weights in a function of torch operations alone."""
    first, last = model.body[0], model.head
    first, last = (
        (layer.weight.detach().clone(), layer.bias.detach().clone()) for layer in (first, last)
    )
    return lambda x: nn.functional.linear(torch.tanh(nn.functional.linear(x, *first)), *last)


@pytest.fixture
def rows():
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(1))


def _check(model, rows, path_integral, untouched):
    plain = _plain(model)
    with untouched(model, rows):
        values = IntegratedGradients(model, steps=9, batch_size=5).explain(rows, 2)
    torch.testing.assert_close(values, path_integral(plain, rows, 2, 9))


def test_a_lightning_module_has_the_map_of_its_weights(rows, path_integral, untouched):
    model = Classifier().eval()
    _check(model, rows, path_integral, untouched)


def test_it_has_layers(rows, path_integral):
    model = Classifier().eval()
    hidden = model.body(rows).detach()
    for layer in ("body", 0, model.body):
        values = IntegratedGradients(model, input_layer=layer, steps=5).explain(rows, 1)
        torch.testing.assert_close(values, hidden * model.head.weight[1].detach())


def test_one_in_training_is_evaluated_in_inference_mode(rows, path_integral, untouched):
    model = Classifier()
    assert model.training
    with pytest.warns(polyattr.TrainingModeWarning):
        _check(model, rows, path_integral, untouched)


# The Trainer speaks of workers and loggers it would like to have, and of its own start.
@pytest.mark.filterwarnings("ignore::Warning:pytorch_lightning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers")
def test_one_that_a_trainer_fitted(rows, path_integral, untouched, tmp_path):
    model = Classifier()
    before = model.head.weight.detach().clone()
    trainer = pytorch_lightning.Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    trainer.fit(model, DataLoader(TensorDataset(rows, labels), batch_size=3))
    assert (model.head.weight - before).abs().max() > 1e-3
    model.eval()
    _check(model, rows, path_integral, untouched)
