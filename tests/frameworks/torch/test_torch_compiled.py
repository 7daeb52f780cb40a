"""torch.compile and TorchScript: layers inside them are the plain module's, or refused by name.

What torch.compile has traced is replayed without hooks added since: each case runs the model once
before any layer is tapped.
"""

import pytest
import torch
from torch import nn

import polyattr
from polyattr import IntegratedGradients, LayerNotFoundError

# torch.compile reads .grad of every input and keeps the warning from being printed, not raised.
pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning"
    ),
    pytest.mark.filterwarnings(
        "ignore:`torch.jit.*` is (deprecated|not supported):DeprecationWarning"
    ),
]


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(50, 6), nn.Tanh())
        self.logits = nn.Linear(6, 4)

    def forward(self, x):
        return torch.softmax(self.logits(self.body(x)), 1)


class Decorated(Network):
    @torch.compile(backend="eager")
    def forward(self, x):
        return torch.softmax(self.logits(self.body(x)), 1)


def _compiled(model):
    return torch.compile(model, backend="eager")


def _in_place(model):
    model.compile(backend="eager")
    return model


def _part(model):
    model.body = torch.compile(model.body, backend="eager")
    return model


def _forward(model):
    model.forward = torch.compile(model.forward, backend="eager")
    return model


KINDS = {
    "module": lambda: _compiled(Network()),
    "in place": lambda: _in_place(Network()),
    "part": lambda: _part(Network()),
    "forward": lambda: _forward(Network()),
    "decorated": Decorated,
    "twice": lambda: _compiled(_part(Network())),
}


@pytest.fixture
def images():
    return torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=KINDS)
def compiled(request, images):
    torch.compiler.reset()
    model = KINDS[request.param]()
    model(images)
    yield model
    torch.compiler.reset()


@pytest.mark.parametrize("layer", ["logits", -1, "_orig_mod.logits"])
def test_the_score_layer_of_a_compiled_module(compiled, images, path_integral, layer):
    plain = Network()
    cut = nn.Sequential(plain.body, plain.logits)
    values = IntegratedGradients(compiled, output_layer=layer, steps=9).explain(images, 2)
    torch.testing.assert_close(values, path_integral(cut, images, 2, 9))


def test_the_input_layer_of_a_compiled_module(compiled, images, path_integral):
    plain = Network()
    hidden = plain.body[1](images.flatten(1)).detach()
    cut = nn.Sequential(plain.body[2], plain.logits)
    explainer = IntegratedGradients(
        compiled, input_layer="body.1", output_layer="logits", steps=9, batch_size=4
    )
    for _ in range(2):  # and again, should anything of the first call have been compiled in
        torch.testing.assert_close(
            explainer.explain(images, 2), path_integral(cut, hidden, 2, 9), atol=1e-6, rtol=1e-5
        )


def test_nothing_is_compiled_for_a_tapped_call(images):
    """Hooks traced into a graph would be traced anew for every tile, or replayed stale."""
    torch.compiler.reset()
    graphs = []

    def count(graph, _inputs):
        graphs.append(graph)
        return graph

    plain = Network().eval()
    model = Network().eval()
    model.body = torch.compile(model.body, backend=count)
    compiled = torch.compile(model, backend=count)
    whole = polyattr.GradientInput(compiled, batch_size=3).explain(images, 1)
    torch.testing.assert_close(whole, polyattr.GradientInput(plain).explain(images, 1))
    before = len(graphs)
    assert before > 0
    explainer = polyattr.GradientInput(compiled, input_layer="body.1", batch_size=3)
    expected = polyattr.GradientInput(plain, input_layer="body.1").explain(images, 1)
    for _ in range(3):
        torch.testing.assert_close(explainer.explain(images, 1), expected)
    assert len(graphs) == before
    again = polyattr.GradientInput(compiled, batch_size=3).explain(images, 1)
    assert torch.equal(again, whole)
    assert len(graphs) == before
    torch.compiler.reset()


def test_a_layer_may_be_the_module_object(compiled, images):
    named = polyattr.GradientInput(compiled, input_layer="body.1").explain(images, 1)
    modules = {name.replace("_orig_mod.", ""): m for name, m in compiled.named_modules()}
    layer = modules["body.1"]
    values = polyattr.GradientInput(compiled, input_layer=layer).explain(images, 1)
    assert values.shape == (3, 6)
    assert torch.equal(values, named)


def test_a_compiled_module_stays_compiled(compiled, images, untouched):
    modules = list(compiled.modules())
    before = [dict(vars(module)) for module in modules]
    with untouched(compiled, images):
        IntegratedGradients(compiled, input_layer="body.1", steps=3).explain(images, 1)
        with pytest.raises(polyattr.InputError, match="out of range"):
            IntegratedGradients(compiled, input_layer="body.1", steps=3).explain(images, 7)
    for module, old in zip(modules, before, strict=True):
        new = vars(module)
        assert new.keys() == old.keys()
        for name in ("forward", "_compiled_call_impl"):
            assert new.get(name) is old.get(name)


SCRIPTED = {
    "scripted": lambda model, x: torch.jit.script(model),
    "traced": lambda model, x: torch.jit.trace(model, x),
    "frozen": lambda model, x: torch.jit.freeze(torch.jit.script(model.eval())),
}


@pytest.mark.parametrize("argument", ["output_layer", "input_layer"])
@pytest.mark.parametrize("kind", SCRIPTED)
def test_a_layer_inside_torchscript_is_refused(kind, argument, images):
    model = SCRIPTED[kind](Network(), images)
    # Freezing leaves no submodules at all.
    message = "not a submodule" if kind == "frozen" else rf"{argument} 'logits' is or lies inside"
    with pytest.raises(LayerNotFoundError, match=message):
        polyattr.Saliency(model, **{argument: "logits"})


@pytest.mark.parametrize("kind", SCRIPTED)
def test_a_scripted_part_of_a_module_is_a_layer_once_it_is_wrapped(kind, images, path_integral):
    plain = Network().eval()
    hidden = plain.body(images).detach()
    cut = nn.Sequential(plain.logits, nn.Softmax(1))
    model = Network().eval()
    part = SCRIPTED[kind](model.body, images)
    if kind != "traced":  # which takes hooks
        model.body = part
        with pytest.raises(LayerNotFoundError, match="wrap the scripted part"):
            polyattr.Saliency(model, input_layer="body")
    model.body = nn.Sequential(part)
    values = IntegratedGradients(model, input_layer="body", steps=9).explain(images, 2)
    torch.testing.assert_close(values, path_integral(cut, hidden, 2, 9))
