"""PyTorch."""

from collections import OrderedDict
from functools import partial

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from labs.lab import Counter, Lab, switched, told


class Ops:
    """The vocabulary of test models."""

    relu = staticmethod(torch.relu)
    tanh = staticmethod(torch.tanh)
    exp = staticmethod(torch.exp)
    sqrt = staticmethod(torch.sqrt)
    log = staticmethod(torch.log)
    where = staticmethod(torch.where)
    matmul = staticmethod(torch.matmul)

    @staticmethod
    def like(array, x):
        """A constant of the dtype and on the device of `x`."""
        return torch.tensor(array, dtype=x.dtype, device=x.device)

    @staticmethod
    def cast(x, dtype):
        """In another precision."""
        return x.to(getattr(torch, dtype))

    @staticmethod
    def sum(x):
        """Sums over all axes but the first."""
        return x.reshape(x.shape[0], -1).sum(1)

    @staticmethod
    def softmax(x):
        return torch.softmax(x, dim=-1)

    @staticmethod
    def concat(parts):
        """Joins along the last axis."""
        return torch.cat(list(parts), dim=-1)

    @staticmethod
    def reshape(x, *shape):
        """Reshapes what follows the first axis."""
        return x.reshape(x.shape[0], *shape)

    @staticmethod
    def detach(x):
        return x.detach()

    @staticmethod
    def transpose(x):
        """Exchanges the two axes of a matrix."""
        return x.T

    @staticmethod
    def total(x):
        """Sums over the first axis."""
        return x.sum(0)


class TorchLab(Lab):
    name = "torch"
    ops = Ops
    compiled = False

    def tensor(self, array, dtype=None):
        kind = getattr(torch, dtype or _default(array))
        return torch.tensor(array, dtype=kind)

    def numpy(self, tensor):
        plain = tensor.detach()
        return (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()

    def is_native(self, value):
        return isinstance(value, torch.Tensor)

    def dtype(self, tensor):
        return str(tensor.dtype).removeprefix("torch.")

    def network(self, network, softmax=True):
        activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[network.activation]
        layers = OrderedDict()
        for i, (weight, _) in enumerate(network.layers):
            last = i == len(network.layers) - 1
            layers["logits" if last else f"dense{i}"] = nn.Linear(*weight.shape)
            if not last:
                layers[f"activation{i}"] = activation()
        if softmax:
            layers["probabilities"] = nn.Softmax(dim=-1)
        model = nn.Sequential(layers).eval()
        self.set_weights(model, network)
        return model

    def layer(self, model, name):
        return getattr(model, name)

    def set_weights(self, model, network):
        dense = [layer for layer in model if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for layer, (weight, bias) in zip(dense, network.layers, strict=True):
                layer.weight.copy_(torch.tensor(weight.T))
                layer.bias.copy_(torch.tensor(bias))

    def counting(self, body):
        counter = Counter()

        def count(rows):
            counter.bodies += 1
            counter.sizes.append(rows)

        tell = told(count)

        def model(x):
            tell(int(x.shape[0]))
            return body(Ops, x)

        return model, counter

    def differentiated(self, loss):
        def run(*arrays):
            tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
            value = loss(*tensors)
            return value.item(), [g.numpy() for g in torch.autograd.grad(value, tensors)]

        return run

    def reseed(self, seed):
        super().reseed(seed)
        torch.manual_seed(seed)

    def draw(self):
        return [*super().draw(), *torch.rand(3).tolist()]

    def situations(self):
        return {
            "another default dtype": partial(
                switched, torch.set_default_dtype, torch.float64, torch.float32
            ),
            "another default device": partial(torch.device, "meta"),
            "no gradients": torch.no_grad,
            "inference": torch.inference_mode,
            "detection of anomalies": partial(torch.autograd.set_detect_anomaly, True),
            "one thread for gradients": partial(torch.autograd.set_multithreading_enabled, False),
            "deterministic algorithms": partial(
                switched, torch.use_deterministic_algorithms, True, False
            ),
            "denormals are zero": partial(switched, torch.set_flush_denormal, True, False),
            "saved tensors elsewhere": torch.autograd.graph.save_on_cpu,
            "every operation watched": _Watched,
            "forward derivatives": torch.autograd.forward_ad.dual_level,
        }

    def settings(self):
        return {
            "grad": torch.is_grad_enabled(),
            "inference": torch.is_inference_mode_enabled(),
            "dtype": torch.get_default_dtype(),
            "autocast": torch.is_autocast_enabled("cpu"),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "anomaly": torch.is_anomaly_enabled(),
            "threads": torch.get_num_threads(),
        }


def _default(array):
    kind = str(array.dtype)
    return "float32" if kind == "float64" else kind


class _Watched(TorchDispatchMode):
    """What profilers and debuggers put around every operation."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return operation(*args, **(kwargs or {}))
