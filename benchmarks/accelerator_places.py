"""A device of a framework: what is made there, how it is waited for, what it says of itself."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np

from measured_process import grown
from polyattr.backend import GradBackend

Array = np.ndarray[Any, Any]
Gradient = Callable[[Any, Any], Any]
"""From samples (R, ...) and a class of each (R,), on the device, to the gradient (R, ...)."""

AUTO, CPU = "auto", "cpu"


class Place(ABC):
    """One device of one framework.

    Attributes:
        framework: Its import name.
        device: The framework's name of the device.
    """

    framework: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]

    def __init__(self, device: str = AUTO) -> None:
        self.device = self.found() if device == AUTO else device

    @property
    def backend(self) -> GradBackend:
        """The backend of the framework."""
        backend: GradBackend = importlib.import_module(f"polyattr_{self.framework}").backend
        return backend

    @property
    def accelerated(self) -> bool:
        """Whether polyattr takes the device for an accelerator."""
        return self.backend.accelerated(self.put(np.zeros(1, np.float32)))

    def versions(self) -> dict[str, str]:
        """The releases of what computes, of those packages that are there."""
        found = {}
        for package in ("polyattr", "numpy", *self.packages):
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
        return found

    def host(self, value: Any) -> Array:
        """Reads a tensor (...) of the framework."""
        return self.backend.to_numpy(value)

    def silent(self, sends: bool) -> AbstractContextManager[Any] | None:
        """Makes the framework refuse to wait for the device or to copy; None where it cannot.

        Args:
            sends: Whether copies to the device are to pass.
        """
        return None

    def waits(self, work: Callable[[], object]) -> int | None:
        """Counts how often the work waits for the device; None where nothing counts it."""
        return None

    def peak(self, work: Callable[[], object]) -> float | None:
        """Returns by how many MiB the work raises the peak of the device's memory.

        On a CPU that of the process; None on an accelerator whose framework does not say.
        """
        return None if self.accelerated else grown(work)

    @abstractmethod
    def found(self) -> str:
        """Names the first accelerator; raises SystemExit where there is none."""

    @abstractmethod
    def card(self) -> str:
        """Names the hardware."""

    @abstractmethod
    def put(self, array: Array) -> Any:
        """Makes a tensor of an array (...) on the device."""

    @abstractmethod
    def settled(self, model: Any) -> Any:
        """Moves a model built `within` to the device, where that takes more."""

    @abstractmethod
    def within(self) -> AbstractContextManager[Any]:
        """What is made without naming a device is made on this one."""

    @abstractmethod
    def exact(self) -> AbstractContextManager[Any]:
        """Products of float32 are of float32, not of something shorter."""

    @abstractmethod
    def finish(self, value: Any) -> None:
        """Waits until a tensor (...) is computed."""

    @abstractmethod
    def gradient(self, model: Any) -> Gradient:
        """Returns what a user would write by hand: the gradient of one score per sample."""


class TorchPlace(Place):
    """A device of PyTorch: CUDA, ROCm (named "cuda" too), MPS, XPU."""

    framework, packages = "torch", ("torch", "triton")

    def found(self) -> str:
        """CUDA before what else there is."""
        import torch

        for name in ("cuda", "mps", "xpu"):
            module: Any = getattr(torch, name, None)
            if module is not None and module.is_available():
                return name
        raise SystemExit(nothing_found("PyTorch"))

    def card(self) -> str:
        """The driver's name of it."""
        import torch

        if not self._cuda:
            return self.device
        built = f"ROCm {torch.version.hip}" if torch.version.hip else f"CUDA {torch.version.cuda}"
        return f"{torch.cuda.get_device_name(self.device)}, {built}"

    def put(self, array: Array) -> Any:
        """A tensor."""
        import torch

        return torch.tensor(array, device=self.device)

    def settled(self, model: Any) -> Any:
        """Modules are moved; functions hold what was made on the device."""
        return model.to(self.device) if hasattr(model, "parameters") else model

    def within(self) -> AbstractContextManager[Any]:
        """Nothing: networks are moved."""
        return nullcontext()

    @contextmanager
    def exact(self) -> Iterator[None]:
        """Without TF32, which convolutions have by default."""
        import torch

        owners: tuple[Any, ...] = (torch.backends.cudnn, torch.backends.cuda.matmul)
        before = [owner.allow_tf32 for owner in owners]
        for owner in owners:
            owner.allow_tf32 = False
        try:
            yield
        finally:
            for owner, was in zip(owners, before, strict=True):
                owner.allow_tf32 = was

    def finish(self, value: Any) -> None:
        """By the device's own call."""
        import torch

        getattr(torch, self.device.split(":")[0]).synchronize()

    def gradient(self, model: Any) -> Gradient:
        """By `torch.autograd.grad`, as the README of most networks has it."""
        import torch

        def gradient(x: Any, classes: Any) -> Any:
            x = x.detach().requires_grad_()
            score = model(x).gather(1, classes[:, None]).sum()
            return torch.autograd.grad(score, x)[0]

        return gradient

    def silent(self, sends: bool) -> AbstractContextManager[Any] | None:
        """CUDA's debug mode raises, also where what is sent is waited for: as all of NumPy's is."""
        return self._mode("error") if self._cuda and not sends else None

    def waits(self, work: Callable[[], object]) -> int | None:
        """CUDA's debug mode warns."""
        import warnings

        if not self._cuda:
            return None
        with self._mode("warn"), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            work()
        return sum("synchroniz" in str(one.message).lower() for one in caught)

    def peak(self, work: Callable[[], object]) -> float | None:
        """Of torch's allocator."""
        import torch

        if not self._cuda:
            return super().peak(work)
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        work()
        return (torch.cuda.max_memory_allocated(self.device) - before) / 2**20

    @property
    def _cuda(self) -> bool:
        return self.device.startswith("cuda")

    @contextmanager
    def _mode(self, mode: str) -> Iterator[None]:
        import torch

        before = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode(mode)
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode(before)


def nothing_found(framework: str) -> str:
    """Says that a framework finds no accelerator, and how to go on."""
    return (
        f"{framework} finds no accelerator; expected one, or --device cpu to try the script, whose "
        f"figures then say nothing about accelerators"
    )
