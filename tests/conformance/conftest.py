"""Each file is collected where its framework must be there, or is."""

from labs import under_test

_FILES = {
    "torch": "test_torch.py",
    "tensorflow": "test_tensorflow.py",
    "jax": "test_jax.py",
    "autograd": "test_autograd_*.py",
}
_HERE = under_test(*_FILES)
collect_ignore_glob = [files for name, files in _FILES.items() if name not in _HERE]
