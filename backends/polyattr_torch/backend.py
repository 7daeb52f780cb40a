"""PyTorch: eager kernels, gradients with respect to the inputs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensor

from polyattr.backend import BoundModel, GradBackend, InputError, Score, noise_words
from polyattr_torch.binding import bind, is_model
from polyattr_torch.objects import TorchObjects
from polyattr_torch.running.accumulation import sums_in_no_order
from polyattr_torch.running.differentiation import (
    connected,
    differentiable_gradients,
    gradients,
    gradients_each,
    outline,
    value,
)
from polyattr_torch.running.transforms import is_transformed
from polyattr_torch.running.trouble import check_plain, refusal, without_values

# torch leaves it without types.
_initialised: Callable[[], bool] = torch.cuda.is_initialized


# Asked a dozen times in each call: to make the name takes as long as to multiply a small tensor.
_NAMES = {
    dtype: str(dtype).removeprefix("torch.")
    for dtype in vars(torch).values()
    if isinstance(dtype, torch.dtype)
}


class TorchBackend(GradBackend):
    """Runs models on whatever device their inputs are on.

    Example:
        >>> from polyattr_torch import backend
        >>> backend.dtype(backend.to_native([1.0, 2.0], dtype="bfloat16"))
        'bfloat16'
    """

    name = "torch"
    objects = TorchObjects()
    interface = 1
    # Measured on two cores, of the time with 50,000: a CNN on 32 x 32 pixels takes 0.55, a
    # transformer 0.7, MLPs on 784 and 100 numbers 0.55 and 0.3.
    tile_elements = 200_000

    def claims(self, candidate: object) -> bool:
        """A tensor, or a module that is not a Keras model of another framework."""
        return self.is_tensor(candidate) or is_model(candidate)

    def bind(self, model: Any) -> BoundModel:
        """Takes a module (Keras 3 on torch included), or a function."""
        return bind(model)

    def is_tensor(self, value: object) -> bool:
        """A torch.Tensor."""
        return isinstance(value, torch.Tensor)

    def grad(
        self, score: Score, rows: list[torch.Tensor]
    ) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """Differentiates with autograd.grad on the inputs: parameters keep their .grad."""
        return gradients(score, rows)

    def grad_each(
        self,
        scores: Callable[[list[torch.Tensor]], Sequence[torch.Tensor]],
        rows: list[torch.Tensor],
        count: int,
    ) -> tuple[list[torch.Tensor], list[list[torch.Tensor | None]]]:
        """Goes back through one evaluation several times."""
        each = gradients_each(scores, rows, count)
        return [found[0] for found in each], [found[1] for found in each]

    def differentiable_grad(
        self, score: Score, rows: list[torch.Tensor]
    ) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        """Differentiates with a graph of the gradient itself."""
        return differentiable_gradients(score, rows)

    def value(self, function: Callable[[list[torch.Tensor]], Any], rows: list[torch.Tensor]) -> Any:
        """Evaluates without gradients, or with, where a model chooses its code by that."""
        return value(function, rows)

    def outline(self, function: Callable[..., Any], *args: Any) -> Any:
        """Evaluates in both modes."""
        return outline(function, args)

    def connected(self, score: Score, rows: list[torch.Tensor]) -> list[bool]:
        """Goes by which gradients there are; looks at the score in both modes."""
        return connected(score, rows)

    def linspace(
        self, baseline: torch.Tensor, rows: torch.Tensor, alpha: torch.Tensor
    ) -> torch.Tensor:
        """Interpolates in one kernel, exact at both ends."""
        wide = getattr(torch, self.accumulator_dtype(rows))
        at = alpha.to(wide).view(-1, *[1] * (rows.ndim - 1))
        return torch.lerp(baseline.to(wide), rows.to(wide), at).to(rows.dtype)

    def batch(self, tensor: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        """Gathers rows, also of a tensor that lies elsewhere, as lengths must on the host."""
        if index.device != tensor.device:
            known = torch.zeros_like(index, device=tensor.device) if index.is_meta else index
            index = known.to(tensor.device)
        if sums_in_no_order(tensor) and (tensor.requires_grad or is_transformed(tensor)):
            return tensor[index]  # of which the gradient is a sum in order
        return tensor.index_select(0, index)

    def fold(self, total: torch.Tensor, index: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Adds rows in place, where they are no batch of torch.func.vmap that `total` lacks."""
        apart = is_transformed(rows)
        if sums_in_no_order(total):
            put = total.index_put if apart else total.index_put_
            return put((index,), rows, accumulate=True)
        return total.index_add(0, index, rows) if apart else total.index_add_(0, index, rows)

    def add_product(self, total: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Takes one kernel for both, in place where `fold` does."""
        if is_transformed(a) or is_transformed(b):
            return torch.addcmul(total, a, b)
        return total.addcmul_(a, b)

    def row_sums(self, tensor: torch.Tensor) -> torch.Tensor:
        """Sums all axes but the first."""
        return tensor.flatten(1).sum(1) if tensor.ndim > 1 else tensor

    def pick(self, outputs: torch.Tensor, columns: list[torch.Tensor]) -> torch.Tensor:
        """Indexes every row, once: the gradient is no sum, whose order could matter."""
        if len(columns) == 1 and outputs.ndim == 2:
            return outputs.gather(1, columns[0].view(-1, 1)).view(-1)
        rows = torch.arange(outputs.shape[0], device=outputs.device)
        return outputs[(rows, *columns)]

    def maximum(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Elementwise."""
        return torch.maximum(a, b)

    def reduce(self, kind: str, tensor: torch.Tensor) -> torch.Tensor:
        """Reduces the last axis."""
        found: torch.Tensor = getattr(torch, {"max": "amax"}.get(kind, kind))(tensor, dim=-1)
        return found

    def ranks(self, rows: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Looks every entry up in its sorted row."""
        flat = torch.cat([row.detach().flatten(1) for row in rows], dim=1).contiguous()
        found = torch.searchsorted(flat.sort(dim=1).values, flat).to(torch.int32)
        parts = torch.split(found, [row[0].numel() for row in rows], dim=1)
        return [part.reshape(row.shape) for part, row in zip(parts, rows, strict=True)]

    def concat(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """Joins along the first axis."""
        return torch.cat(list(parts))

    def unstack(self, tensor: torch.Tensor) -> Sequence[torch.Tensor]:
        """Views, without a copy."""
        views: Sequence[torch.Tensor] = tensor.unbind(0)
        return views

    def to_native(
        self, array: Any, like: torch.Tensor | None = None, dtype: str | None = None
    ) -> torch.Tensor:
        """Copies to the device of `like`; also tensors, which change dtype and device."""
        device = None if like is None else like.device
        kind = None if dtype is None else getattr(torch, dtype)
        return torch.tensor(np.asarray(array, order="C"), device=device, dtype=kind)

    def to_numpy(self, tensor: torch.Tensor) -> np.ndarray[Any, Any]:
        """Copies to the host; bfloat16, which NumPy lacks, as float32.

        Raises:
            InputError: There are no values.
            InputTypeError: It is sparse, nested or masked.
        """
        if tensor.is_meta:
            raise InputError(without_values("inputs or parameters are"))
        check_plain(tensor, "an array in the place of a target or baseline")
        host = tensor.detach().cpu()
        return np.array((host.float() if host.dtype is torch.bfloat16 else host).numpy())

    def dtype(self, tensor: torch.Tensor) -> str:
        """Names the dtype."""
        return _NAMES[tensor.dtype]

    def cast(self, tensor: torch.Tensor, dtype: str) -> torch.Tensor:
        """Converts; the tensor itself if nothing changes."""
        return tensor if _NAMES[tensor.dtype] == dtype else tensor.to(getattr(torch, dtype))

    def zeros(self, shape: tuple[int, ...], like: torch.Tensor, dtype: str) -> torch.Tensor:
        """Makes zeros on the device of `like`."""
        return torch.zeros(shape, device=like.device, dtype=getattr(torch, dtype))

    def own(self, tensor: torch.Tensor) -> torch.Tensor:
        """Detaches; copies an inference-mode tensor, which autograd refuses.

        Raises:
            InputTypeError: It is nested: nothing can be said about its rows.
        """
        if tensor.is_nested:
            check_plain(tensor, "an argument of the model")
        return tensor.clone() if tensor.is_inference() else tensor.detach()

    def recorded(self, tensor: torch.Tensor) -> bool:
        """Whether autograd follows it now."""
        return tensor.requires_grad and torch.is_grad_enabled() and not is_transformed(tensor)

    def noise(self, seed: int, draws: Sequence[int], leaf: int, like: torch.Tensor) -> torch.Tensor:
        """Draws with a generator of its own per draw, on the device."""
        parts = []
        for draw in draws:
            state = np.random.SeedSequence(noise_words(seed, leaf, draw)).generate_state(
                1, np.uint64
            )
            generator = torch.Generator(device=like.device)
            generator.manual_seed(int(state[0] >> np.uint64(1)))
            shape = tuple(like.shape[1:])
            parts.append(torch.randn(shape, generator=generator, device=like.device))
        return torch.stack(parts)

    @contextmanager
    def session(self, like: torch.Tensor | None = None) -> Iterator[None]:
        """Leaves no_grad and inference mode as the caller has them, and random state as it was."""
        with torch.random.fork_rng(_used_devices()), torch.inference_mode(False), torch.no_grad():
            yield

    def readable(self, tensor: torch.Tensor) -> bool:
        """Unless torch.func transforms it, or torch.export follows what is done with it."""
        return not (is_transformed(tensor) or isinstance(tensor, FakeTensor))

    def refusal(self, value: object) -> str | None:
        """Packed, nested, sparse and quantised tensors."""
        return refusal(value)

    def is_out_of_memory(self, error: Exception) -> bool:
        """The device's error, or the CPU allocator's, which has no class of its own."""
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            return True
        return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)

    def device(self, tensor: torch.Tensor) -> object:
        """The device."""
        return tensor.device

    def accelerated(self, tensor: torch.Tensor) -> bool:
        """Anything but the CPU."""
        return bool(tensor.device.type != "cpu")

    def devices(self) -> list[str]:
        """The CPU and every accelerator torch can use."""
        found = ["cpu"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        return found + (["mps"] if torch.backends.mps.is_available() else [])


def _used_devices() -> list[int]:
    # Asking for the state of a device that was never used would initialise it.
    return list(range(torch.cuda.device_count())) if _initialised() else []
