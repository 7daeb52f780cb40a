"""The PyTorch backend of polyattr."""

from polyattr_torch.backend import TorchBackend

backend = TorchBackend()

__all__ = ["TorchBackend", "backend"]
