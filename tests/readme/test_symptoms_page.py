"""The page of symptoms: what it says polyattr says is what polyattr says."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import polyattr
from polyattr import GradientInput, IntegratedGradients

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "by-symptom.md"
SAID = re.findall(r"`(\w+(?:Error|Warning)): ([^`]+)`", PAGE.read_text(encoding="utf-8"))


def provoked(torch):
    """What goes wrong on the page, in PyTorch, in the order of its tables."""
    x = torch.linspace(-1, 1, 12).reshape(4, 3)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 3))
    sure, of = torch.nn.Sequential(net, torch.nn.Softmax(-1)), GradientInput
    dropping = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(3, 3)).train()
    full = torch.full((4, 3), torch.pi)
    return [
        lambda: IntegratedGradients(lambda a, b: a.sum(1)).explain((x, x)),
        lambda: of(lambda a: a.detach().sum(1)).explain(x),
        lambda: of(lambda a: a[:, 0] + a[:, 1].round() * 2).explain(x * 3),
        lambda: of(sure).explain(x, 0),
        lambda: IntegratedGradients(lambda a: a.sin().sum(1), steps=99).explain(full),
        lambda: IntegratedGradients(lambda a: a.abs().sqrt().sum(1)).explain(x * 0),
        lambda: of(net).explain(x * torch.nan),
        lambda: IntegratedGradients(lambda a: (a**9).sum(1), steps=4).explain(x.abs() + 0.1),
        lambda: IntegratedGradients(lambda a: a.tanh().sum(1), rule="exact").explain(x),
        lambda: of(lambda a: torch.nn.functional.dropout(a).sum(1)).explain(x),
        lambda: of(lambda a: (a - a.mean(0)).pow(2).sum(1)).explain(x),
        lambda: of(lambda a: a.sum()).explain(x),
        lambda: of(dropping).explain(x, 1),
        lambda: of(lambda a: a * torch.tensor([1.0, 1.0, -1.0])).explain(x),
        lambda: of(net).explain(x, 7),
        lambda: of(net).explain(x, -1),
        lambda: of(net).explain(x, ["cat", "dog", "cat", "dog"]),
        lambda: of(lambda a: {"logits": net(a), "h": a}).explain(x, 1),
        lambda: of(net, output_layer="logits").explain(x, 1),
        lambda: of(net).explain(torch.ones(4, 3, dtype=torch.int64), 1),
        lambda: of(net).explain(x, target=1),
        lambda: IntegratedGradients(net, n_steps=20),
        lambda: of("model.pt"),
        lambda: of(net).explain(np.ma.masked_array(x.numpy(), x.numpy() > 0.5), 1),
        lambda: of(net).explain(x.clone().requires_grad_(), 1),
    ]


def words(run):
    """The class and the message of the error, or of each warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run()
        except polyattr.PolyattrError as error:
            return [(type(error).__name__, str(error))]
    return [(type(entry.message).__name__, str(entry.message)) for entry in caught]


def test_every_message_is_what_is_said(backend_name):
    if backend_name != "torch":
        return  # the page quotes it of PyTorch; tests/errors has the messages of all frameworks
    torch = pytest.importorskip("torch")
    runs = provoked(torch)
    assert len(runs) == len(SAID)
    for (kind, text), run in zip(SAID, runs, strict=True):
        pattern = ".*".join(map(re.escape, text.split("...")))
        found = words(run)
        assert any(kind == k and re.fullmatch(pattern, said) for k, said in found), (text, found)


def test_every_error_and_warning_that_a_table_names_is_public():
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(\w+(?:Error|Warning))\b", page))
    assert len(named) > 10
    assert all(hasattr(polyattr, name) for name in named)
