"""Everything happens on the device of the inputs, without waiting for it in between.

No accelerator is needed: torch's "meta" device has shapes, dtypes and autograd but no data. It
refuses to be mixed with CPU tensors, and to be read. So a method that runs on it from end to end
creates every tensor on the device of its inputs, and copies nothing to the host but what
`to_numpy` does, which is replaced here and counted.
"""

import numpy as np
import pytest
import torch
from labs import METHODS, SUMMED, on_images
from torch import nn

import polyattr
from polyattr_torch import TorchBackend


class Recorder(TorchBackend):
    """Keeps the order of gradient calls and of copies to the host."""

    def __init__(self):
        self.events = []

    def grad(self, score, rows):
        self.events.append("gradient")
        scores, gradients = super().grad(score, rows)
        assert {t.device.type for t in [scores, *gradients]} == {rows[0].device.type}
        return scores, gradients

    def to_numpy(self, tensor):
        self.events.append("host")
        if tensor.device.type == "cpu":
            return super().to_numpy(tensor)
        return np.zeros(tuple(tensor.shape), "float32")


@pytest.fixture
def network():
    body = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())
    return nn.Sequential(*body, nn.Linear(27, 4)).eval()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", [None, 2, "weights", "callable"])
def test_a_method_runs_on_the_device_of_its_inputs(network, method, target):
    network.to("meta")
    x = torch.empty(3, 2, 5, 5, device="meta")
    targets = {
        "weights": np.ones((3, 4)),
        "callable": lambda outputs: outputs[:, 0] - outputs[:, 1],
    }.get(target, target)
    result = on_images(method)(network, batch_size=4, backend=Recorder()).attribute(x, targets)
    assert result.values.device.type == "meta"
    assert (result.values.shape, result.values.dtype) == (x.shape, x.dtype)


def test_baselines_and_several_inputs_follow(network):
    network.to("meta")

    def model(a, b):
        return network(a) * b.sum(1, keepdim=True)

    x = (torch.empty(3, 2, 5, 5, device="meta"), torch.empty(3, 7, device="meta"))
    explainer = polyattr.IntegratedGradients(model, batch_size=4, backend=Recorder())
    for baselines in (0.5, (np.ones((2, 5, 5)), 0.0), lambda inputs: tuple(t * 0 for t in inputs)):
        values = explainer.explain(x, 1, baselines=baselines)
        assert [v.device.type for v in values] == ["meta", "meta"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_stays_on_the_device_too(network, dtype):
    x = torch.empty(3, 2, 5, 5, device="meta", dtype=dtype)
    network.to("meta", dtype)
    for method in METHODS:
        values = on_images(method)(network, backend=Recorder()).explain(x, 1)
        assert (values.device.type, values.dtype) == ("meta", dtype)


def test_numpy_inputs_go_to_the_device_of_the_model(network):
    explainer = polyattr.IntegratedGradients(network.to("meta"), backend=Recorder())
    assert explainer.explain(np.ones((3, 2, 5, 5)), 1).device.type == "meta"


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_read_between_the_first_and_the_last_gradient(network, method):
    backend = Recorder()
    explainer = on_images(method)(network, batch_size=4, backend=backend)
    x = torch.randn(3, 2, 5, 5)
    explainer.explain(x, 1)  # the first call also looks at shapes and connections
    backend.events.clear()
    explainer.explain(x, 1)
    calls = [i for i, event in enumerate(backend.events) if event == "gradient"]
    # Whose rows depend on each other, has one tile for each of its 50 steps.
    steps = 50 if method is polyattr.GuidedIntegratedGradients else 38
    assert len(calls) == (steps if method in SUMMED else 1)
    assert "host" not in backend.events[calls[0] : calls[-1]]
    assert backend.accelerated(x) is False
    assert backend.accelerated(torch.empty(1, device="meta")) is True


def test_native_noise_is_drawn_where_the_inputs_are():
    like = torch.empty(2, 3, 4)
    noise = TorchBackend().noise(7, [0, 5, 2], 1, like)
    assert (noise.shape, noise.device, noise.dtype) == ((3, 3, 4), like.device, torch.float32)
    again = TorchBackend().noise(7, [2], 1, like)
    assert torch.equal(noise[2:], again)
    assert not torch.equal(noise[2:], TorchBackend().noise(8, [2], 1, like))
    assert not torch.equal(noise[2:], TorchBackend().noise(7, [2], 0, like))


def test_the_devices_are_listed():
    devices = polyattr.backends()["torch"].devices
    assert devices[0] == "cpu"
    assert len(devices) == 1 + torch.cuda.device_count() + torch.backends.mps.is_available()


class Layered(nn.Module):
    """Takes a mask per sample and a table for all beside its input."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(6, 5)
        self.side = nn.Linear(6, 4)
        self.head = nn.Linear(5, 4)

    def forward(self, x, mask=None, table=None):
        hidden = torch.tanh(self.stem(x))
        hidden = hidden if mask is None else hidden * mask
        return self.head(hidden if table is None else hidden @ table) + self.side(x) ** 2


SPACES = {
    "inputs": (None, [(3, 6)]),
    "layer": ("stem", [(3, 5)]),
    "layers": (["stem", "side"], [(3, 5), (3, 4)]),
}


@pytest.mark.parametrize("given", ["native", "numpy"])
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("method", METHODS)
def test_layers_and_arguments_beside_the_inputs_follow(method, space, given):
    layer, shapes = SPACES[space]
    model = Layered().to("meta").eval()
    x = torch.empty(3, 6, device="meta")
    beside = {"mask": np.ones((3, 5), "float32"), "table": np.ones((5, 5), "float32")}
    if given == "native":
        beside = {name: torch.tensor(array, device="meta") for name, array in beside.items()}
    explainer = method(model, input_layer=layer, batch_size=4, backend=Recorder())
    values = explainer.attribute(x, 2, forward_kwargs=beside).values
    values = list(values.values()) if isinstance(values, dict) else [values]
    assert {v.device.type for v in values} == {"meta"}
    assert [tuple(v.shape) for v in values] == shapes


@pytest.mark.parametrize("baselines", [0.5, np.ones(5, "float32"), np.ones((3, 6), "float32")])
def test_a_baseline_of_a_layer_follows(baselines):
    model = Layered().to("meta").eval()
    explainer = polyattr.IntegratedGradients(model, input_layer="stem", backend=Recorder())
    values = explainer.explain(torch.empty(3, 6, device="meta"), 2, baselines=baselines)
    assert (values.device.type, tuple(values.shape)) == ("meta", (3, 5))


def test_arguments_of_a_function_go_to_the_device_of_its_inputs():
    """A function says nothing about devices: its inputs do."""
    x = torch.empty(3, 5, device="meta")
    explainer = polyattr.GradientInput(
        lambda x, weights, table: (x * weights) @ table, backend=Recorder()
    )
    weights, table = np.ones((3, 5), "float32"), np.ones((5, 2), "float32")
    values = explainer.explain(x, 1, forward_args=(weights,), forward_kwargs={"table": table})
    assert values.device.type == "meta"


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_read_between_gradients_in_a_layer_either(method):
    backend, x, mask = Recorder(), torch.randn(3, 6), torch.rand(3, 5)
    explainer = method(Layered().eval(), input_layer="stem", batch_size=4, backend=backend)
    explainer.explain(x, 1, forward_kwargs={"mask": mask})
    backend.events.clear()
    explainer.explain(x, 1, forward_kwargs={"mask": mask})
    calls = [i for i, event in enumerate(backend.events) if event == "gradient"]
    assert "host" not in backend.events[calls[0] : calls[-1]]
