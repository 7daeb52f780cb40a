"""output_layer: the map of a model with a layer selected is the map of the model cut there."""

import pytest
import torch
from torch import nn

import polyattr
from polyattr import InputTypeError, IntegratedGradients, LayerNotFoundError, ModelOutputError


class Block(nn.Module):
    """Its second activation overwrites the first convolution's output in place."""

    def __init__(self, inplace=True):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.act = nn.ReLU(inplace=inplace)

    def forward(self, x):
        return self.act(self.conv(x))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), nn.Flatten()])
        self.logits = nn.Linear(27, 4)
        self.softmax = nn.Softmax(dim=1)
        self.unused = nn.Linear(27, 4)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.softmax(self.logits(x))


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return Classifier().eval()


@pytest.fixture
def images():
    return torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(1))


def _named(model, kind, name, index):
    return {"name": name, "index": index, "object": model.get_submodule(name)}[kind]


@pytest.mark.parametrize("kind", ["name", "index", "object"])
def test_the_logits_layer_explains_the_model_cut_there(classifier, images, path_integral, kind):
    cut = nn.Sequential(*classifier.blocks, classifier.logits)
    layer = _named(classifier, kind, "logits", 1)
    explainer = IntegratedGradients(classifier, output_layer=layer, steps=21)
    result = explainer.attribute(images, 2)
    torch.testing.assert_close(result.values, path_integral(cut, images, 2, 21))
    torch.testing.assert_close(
        torch.from_numpy(result.scores).float(), cut(images)[:, 2].detach(), rtol=1e-5, atol=1e-6
    )
    whole = IntegratedGradients(classifier, steps=21).explain(images, 2)
    assert (result.values - whole).abs().max() > 0.01


@pytest.mark.parametrize("index", [-3, 1])
def test_an_index_may_count_from_the_end(classifier, images, gradient, index):
    cut = nn.Sequential(*classifier.blocks, classifier.logits)
    values = polyattr.Saliency(classifier, output_layer=index).explain(images, 1)
    torch.testing.assert_close(values, gradient(cut, images, 1).abs())


@pytest.mark.parametrize("kind", ["name", "object"])
def test_a_nested_layer_is_found_by_its_dotted_name(classifier, images, gradient, kind):
    layer = _named(classifier, kind, "blocks.0.act", None)
    values = polyattr.Saliency(classifier, output_layer=layer).explain(images, (1, 0, 2))
    expected = gradient(lambda x: classifier.blocks[0](x)[:, 1, 0, 2], images).abs()
    torch.testing.assert_close(values, expected)


def test_a_layer_whose_output_is_overwritten_in_place_keeps_its_own(classifier, images, gradient):
    conv = classifier.blocks[0].conv
    result = polyattr.GradientInput(classifier, output_layer=conv).attribute(images, (1, 0, 2))
    expected = images * gradient(lambda x: conv(x)[:, 1, 0, 2], images)
    torch.testing.assert_close(result.values, expected)
    scores = conv(images)[:, 1, 0, 2].detach()
    assert (scores < 0).any()  # after the ReLU there would be none
    torch.testing.assert_close(torch.from_numpy(result.scores).float(), scores)


def test_a_layer_that_is_called_twice_gives_its_last_output(images, gradient):
    torch.manual_seed(5)
    inner = nn.Sequential(nn.Linear(50, 50), nn.Tanh())

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(self.inner(x.flatten(1))) * 0

    values = polyattr.Saliency(Twice(), output_layer="inner").explain(images, 3)
    expected = gradient(lambda x: inner(inner(x.flatten(1))), images, 3).abs()
    torch.testing.assert_close(values, expected)


def test_a_layer_that_is_not_called_is_an_error(classifier, images):
    with pytest.raises(LayerNotFoundError, match="not called"):
        polyattr.Saliency(classifier, output_layer="unused").explain(images, 1)
    assert not classifier.unused._forward_hooks


def test_a_layer_with_several_outputs_needs_a_selector(gradient):
    torch.manual_seed(2)

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(3, 4, batch_first=True)

        def forward(self, x):
            return self.rnn(x)[0][:, -1]

    model = Recurrent().eval()
    x = torch.randn(2, 5, 3)
    with pytest.raises(ModelOutputError, match="tuple of 2 outputs"):
        polyattr.Saliency(model, output_layer="rnn").explain(x, (4, 1))
    values = polyattr.Saliency(model, output_layer="rnn", output=0).explain(x, (2, 1))
    expected = gradient(lambda x: model.rnn(x)[0][:, 2, 1], x).abs()
    torch.testing.assert_close(values, expected)


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        ("logit", LayerNotFoundError, "Did you mean 'logits'"),
        ("blocks.0.cnov", LayerNotFoundError, "blocks.0.conv"),
        (4, LayerNotFoundError, "4 children, expected -4 to 3"),
        (-5, LayerNotFoundError, "4 children, expected -4 to 3"),
        (nn.Linear(27, 4), LayerNotFoundError, "Linear that is not part of the model"),
        (1.0, InputTypeError, "expected an index"),
        (True, InputTypeError, "expected an index"),
    ],
)
def test_an_unknown_layer_is_named_with_the_nearest_ones(classifier, layer, error, message):
    with pytest.raises(error, match=message):
        IntegratedGradients(classifier, output_layer=layer)


def test_a_function_has_no_layers():
    with pytest.raises(LayerNotFoundError, match=r"pass the wanted|pass\s+a function|Module"):
        IntegratedGradients(lambda x: x.sum(1), backend="torch", output_layer="logits")
