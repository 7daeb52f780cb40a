"""Explainers on one model, or on models with a common part, in several threads."""

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

import polyattr
from polyattr.backend import Exclusive, SharedSetting

THREADS = 4
ROUNDS = 6


def drawn(*shape):
    generator = torch.Generator().manual_seed(9)
    return torch.randn(*shape, generator=generator)


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2)
    )


def at_once(work):
    """Runs every piece of work several times, all at the same time; returns what each found."""
    start = threading.Barrier(len(work))

    def run(piece):
        start.wait()
        return [piece() for _ in range(ROUNDS)]

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result(60) for future in [pool.submit(run, piece) for piece in work]]


def questions(model, x):
    """Explainers that hook, replace, freeze and switch modes."""
    return [
        lambda: polyattr.IntegratedGradients(model, steps=7).explain(x, 1),
        lambda: polyattr.Saliency(model, input_layer="0").explain(x, 1),
        lambda: polyattr.GradientInput(model, output_layer="3").explain(x, 1),
        lambda: polyattr.GradientInput(lambda z: model(z) ** 2, backend="torch").explain(x, 0),
        lambda: polyattr.SmoothGrad(model, nb_samples=5, input_layer="3").explain(x, 0),
    ]


@pytest.mark.filterwarnings("ignore:the model is in training mode:polyattr.TrainingModeWarning")
@pytest.mark.parametrize("training", [False, True])
def test_explainers_on_one_model(training, untouched):
    model, x = network().train(training), drawn(8, 3)
    work = questions(model, x)
    expected = [piece() for piece in work]
    with untouched(model, x):
        found = at_once(work)
    for values, right in zip(found, expected, strict=True):
        for value in values:
            torch.testing.assert_close(value, right)


@pytest.mark.filterwarnings("ignore:the model is in training mode:polyattr.TrainingModeWarning")
def test_models_with_a_common_part():
    """In both orders: nobody holds one part and waits for another."""
    first, second = network().train(), network().train()
    models = [nn.Sequential(first, nn.Tanh(), nn.Linear(2, 3)), nn.Sequential(second, nn.Tanh())]
    models.append(nn.Sequential(nn.Linear(3, 3), first, nn.Linear(2, 3), second))
    models.append(nn.Sequential(nn.Linear(3, 3), second, nn.Linear(2, 3), first))
    x = drawn(8, 3)
    work = [
        lambda m=model: polyattr.IntegratedGradients(m, input_layer=0, steps=20).explain(x, 1)
        for model in models
    ]
    expected = [piece() for piece in work]
    for values, right in zip(at_once(work), expected, strict=True):
        for value in values:
            torch.testing.assert_close(value, right)
    assert all(part.training for model in models for part in model.modules())
    assert all(p.requires_grad for model in models for p in model.parameters())
    assert not any(part._forward_hooks for model in models for part in model.modules())


def test_models_with_a_common_weight():
    """The flags of tied parameters are taken off once, and put back once."""
    x = drawn(8, 3)
    models = [nn.Linear(3, 2), nn.Linear(3, 2)]
    models[1].weight = models[0].weight
    at_once([lambda m=m: polyattr.Saliency(m).explain(x, 1) for m in models])
    assert all(p.requires_grad for model in models for p in model.parameters())


def test_settings_of_the_process_are_put_back_by_the_last():
    x = drawn(8, 3)
    models = [network().eval() for _ in range(THREADS)]
    at_once([lambda m=model: polyattr.Saliency(m).explain(x, 1) for model in models])
    assert torch.backends.mha.get_fastpath_enabled()


def test_models_of_their_own_run_side_by_side():
    """Each waits inside its model until the other one is inside, too."""
    together = threading.Barrier(2, timeout=30)

    class Meeting(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 1)

        def forward(self, x):
            together.wait()
            return self.linear(x).sum(1)

    x = drawn(2, 3)
    with ThreadPoolExecutor(2) as pool:
        work = [polyattr.Saliency(Meeting().eval()) for _ in range(2)]
        found = list(pool.map(lambda method: method.explain(x), work))
    assert [values.shape for values in found] == [(2, 3), (2, 3)]


def test_a_model_that_explains_itself():
    """One thread may enter again, as where a loss contains an attribution."""
    part = nn.Linear(3, 1)

    def model(x):
        return x.sum(1) * polyattr.Saliency(part).explain(x.detach()).sum(1)

    outer = polyattr.Saliency(nn.Sequential(part))
    nested = polyattr.Saliency(lambda z: part(z)[:, 0] + model(z), backend="torch")
    x = drawn(2, 3)
    slope = part.weight.abs().sum()
    torch.testing.assert_close(nested.explain(x), (part.weight + slope).abs().expand(2, 3).detach())
    torch.testing.assert_close(outer.explain(x), part.weight.abs().expand(2, 3).detach())


def test_an_explanation_that_fails_lets_the_next_one_in():
    model = network().eval()
    method = polyattr.Saliency(model)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        method.explain(drawn(2, 4), 1)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(method.explain, drawn(2, 3), 1).result(30).shape == (2, 3)


def _child(exclusive, setting, thing, queue):
    with exclusive.use([thing]), setting.held():
        queue.put("entered")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process can only be forked where fork is")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_waits_for_no_thread_of_its_parent():
    exclusive, thing, values = Exclusive(), object(), {"mode": 1}
    setting = SharedSetting(lambda: values["mode"], lambda v: values.update(mode=v), 2)
    inside, done = threading.Event(), threading.Event()

    def hold():
        with exclusive.use([thing]), setting.held():
            inside.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(60)
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    child = fork.Process(target=_child, args=(exclusive, setting, thing, queue))
    child.start()
    assert queue.get(timeout=30) == "entered"
    child.join(30)
    done.set()
    holder.join(60)
    assert values == {"mode": 1}
