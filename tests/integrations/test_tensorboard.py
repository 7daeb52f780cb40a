"""Pictures written by the frameworks' own writers, read back from the event files."""

import numpy as np
import pytest
import tensorflow as tf
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

import polyattr
from polyattr.integrations import MapLogger, keras_callback, lightning_callback

pytestmark = pytest.mark.filterwarnings("ignore")

X = np.random.default_rng(1550).random((3, 6, 6)).astype(np.float32)
WEIGHT = torch.rand(36, generator=torch.Generator().manual_seed(0))


def network(x):
    return x.reshape(len(x), -1) @ WEIGHT


def events(folder):
    read = EventAccumulator(str(folder), size_guidance={"images": 0, "tensors": 0})
    read.Reload()
    return read


def picture(encoded):
    return tf.io.decode_png(encoded, channels=3).numpy()


def shown(step_found):
    """Writes down what the logger draws beside what TensorBoard gets."""
    return lambda tag, image, step: step_found.update({step: image})


def test_torch_writes_what_was_drawn(tmp_path):
    drawn, asked = {}, (lambda model: polyattr.GradientInput(model, backend="torch"), X)
    with SummaryWriter(tmp_path) as writer:
        logger = MapLogger(*asked, writer=writer, tag="maps/digits")
        for step in range(2):
            assert logger.log(network, step)
            assert MapLogger(*asked, writer=shown(drawn)).log(network, step)
    found = events(tmp_path).Images("maps/digits")
    assert [image.step for image in found] == [0, 1]
    for image in found:
        assert np.array_equal(picture(image.encoded_image_string), drawn[image.step])
    assert drawn[0].std() > 1  # not an empty page


def test_tensorflow_writes_what_was_drawn(tmp_path):
    drawn, asked = {}, (lambda model: polyattr.GradientInput(model, backend="torch"), X)
    logger = MapLogger(*asked, writer=tf.summary.create_file_writer(str(tmp_path)))
    assert logger.log(network, 7)
    assert MapLogger(*asked, writer=shown(drawn)).log(network, 7)
    (found,) = events(tmp_path).Tensors("attributions")
    assert found.step == 7
    width, height, encoded = tf.make_ndarray(found.tensor_proto)
    assert (int(height), int(width)) == drawn[7].shape[:2]
    assert np.array_equal(picture(encoded), drawn[7])


def test_keras_logs_at_the_end_of_epochs(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((6, 6)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    writer = tf.summary.create_file_writer(str(tmp_path))
    logger = MapLogger(polyattr.Saliency, X, 0, writer=writer, every=2)
    model.fit(X, np.ones((3, 2)), epochs=5, verbose=0, callbacks=[keras_callback(logger)])
    assert [event.step for event in events(tmp_path).Tensors("attributions")] == [0, 2, 4]


def test_lightning_logs_to_its_own_board(tmp_path):
    import pytorch_lightning as lightning
    from pytorch_lightning.loggers import TensorBoardLogger

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(36, 2)

        def forward(self, x):
            return self.layer(x.flatten(1))

        def training_step(self, batch, _):
            return self(batch).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    logger = MapLogger(polyattr.Saliency, torch.tensor(X), 0)
    board = TensorBoardLogger(tmp_path)
    trainer = lightning.Trainer(
        max_epochs=2, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False, logger=board, callbacks=[lightning_callback(logger)],
    )  # fmt: skip
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.tensor(X), batch_size=3))
    board.experiment.flush()
    assert [image.step for image in events(board.log_dir).Images("attributions")] == [0, 1]
    assert logger.logged == 2
