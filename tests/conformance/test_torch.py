"""The torch backend through the door every backend goes through."""

import pytest
import torch

from polyattr.testing import BackendConformance
from polyattr_torch import backend


# torch.compile reads .grad of every input and keeps the warning from being printed, not raised.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
class TestTorch(BackendConformance):
    backend = backend

    def compiled(self, function):
        return torch.compile(function, backend="eager")

    def settings(self):
        return {
            "grad": torch.is_grad_enabled(),
            "inference": torch.is_inference_mode_enabled(),
            "dtype": torch.get_default_dtype(),
            "autocast": torch.is_autocast_enabled("cpu"),
            "random": torch.random.get_rng_state().tolist(),
        }

    def parameter(self, array):
        return torch.nn.Parameter(torch.tensor(array, dtype=torch.float32))

    def layered(self):
        first, second = torch.nn.Linear(4, 6, bias=False), torch.nn.Linear(6, 3, bias=False)

        def load(*weights):
            with torch.no_grad():
                for layer, array in zip((first, second), weights, strict=True):
                    layer.weight.copy_(torch.tensor(array.T))

        return torch.nn.Sequential(first, torch.nn.ReLU(), second), "0", load

    def dropout(self):
        return torch.nn.Dropout(0.5)


class Wrapped(torch.nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args, **kwargs):
        return self.function(*args, **kwargs)


class TestTorchModules(TestTorch):
    def model(self, function):
        return Wrapped(function).eval()

    def compiled(self, function):
        return torch.compile(Wrapped(function).eval(), backend="eager")
