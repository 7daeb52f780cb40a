"""Collected where torch must be there, or is; what several test files share."""

import pytest
from labs import path_integral as formula
from labs import under_test

collect_ignore_glob = [] if under_test("torch") else ["*"]


def _gradient(model, x, target=None):
    """The gradient of one output (or of the score itself) by autograd alone."""
    import torch

    leaf = x.detach().clone().requires_grad_()
    output = model(leaf)
    score = output if target is None else output[:, target]
    return torch.autograd.grad(score.sum(), leaf)[0]


def _state(model, tensors):
    import torch

    def content(tensor):
        return None if tensor is None else tensor.detach().cpu().contiguous().clone()

    def version(tensor):
        return None if tensor.is_inference() else tensor._version  # which then is not counted

    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    modules = dict(model.named_modules()) if isinstance(model, torch.nn.Module) else {}
    held = {
        **{f"input {i}": t for i, t in enumerate(tensors)},
        **{f"{n}.{k}": p for n, m in modules.items() for k, p in m._parameters.items()},
        **{f"{n}.{k}": b for n, m in modules.items() for k, b in m._buffers.items()},
    }
    held = {name: t for name, t in held.items() if t is not None}
    bits = {name: content(t) for name, t in held.items()}
    bits |= {f"{name}.grad": content(t.grad) for name, t in held.items() if t.is_leaf}
    bits["random state"] = torch.get_rng_state()
    facts = {
        "training": {name: m.training for name, m in modules.items()},
        "hooks": {(n, h): list(getattr(m, h)) for n, m in modules.items() for h in hooks},
        "requires_grad": {name: t.requires_grad for name, t in held.items()},
        "identity": {name: (id(t), t.data_ptr(), version(t)) for name, t in held.items()},
        "grad": {name: id(t.grad) for name, t in held.items() if t.is_leaf},
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "dtype": torch.get_default_dtype(),
    }
    return bits, facts


class Untouched:
    """Asserts on leaving the block, however it is left, that nothing has changed."""

    def __init__(self, model, *tensors):
        self._watched = (model, tensors)

    def __enter__(self):
        self._before = _state(*self._watched)
        return self

    def __exit__(self, *_):
        import torch

        (bits, facts), (old_bits, old_facts) = _state(*self._watched), self._before
        for name, old in old_bits.items():
            new = bits[name]
            same = new is old if old is None or new is None else torch.equal(new, old)
            assert same, f"{name} has changed"
        assert facts == old_facts


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Tensors are tiny here: threads would only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def gradient():
    return _gradient


@pytest.fixture
def path_integral():
    """Integrated gradients of a model's target from zero, by autograd alone."""

    def integral(model, x, target, steps):
        return formula.path_integral(lambda p: _gradient(model, p, target), x, steps)

    return integral


@pytest.fixture
def untouched():
    return Untouched
