"""Every way a torch user wraps a model gives the gradient autograd gives for the plain one."""

import dataclasses
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

import polyattr
from polyattr import IntegratedGradients, ModelOutputError, UnrecognisedModelError


def _network():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())
    model = nn.Sequential(*body, nn.Dropout(0.5), nn.Linear(27, 4))
    model(torch.randn(8, 2, 5, 5))
    return model.eval()


@pytest.fixture
def images():
    return torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(1))


WRAPPED = {
    "module": lambda model, x: model,
    "function": lambda model, x: lambda z: model(z),
    "method": lambda model, x: model.forward,
    "compiled": lambda model, x: torch.compile(model, backend="eager"),
    "compiled function": lambda model, x: torch.compile(lambda z: model(z), backend="eager"),
    "scripted": lambda model, x: torch.jit.script(model),
    "traced": lambda model, x: torch.jit.trace(model, x),
    "frozen": lambda model, x: torch.jit.freeze(torch.jit.script(model)),
    "functional": lambda model, x: (
        lambda z: torch.func.functional_call(
            model, dict(model.named_parameters()) | dict(model.named_buffers()), (z,)
        )
    ),
    "data parallel": lambda model, x: nn.DataParallel(model),
    "exported": lambda model, x: torch.export.export(
        model, (x,), dynamic_shapes=({0: torch.export.Dim("n")},)
    ).module(),
}


# torch.compile reads .grad of every input and keeps the warning from being printed, not raised.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
# TorchScript is what these cases are about; torch itself now advises against it.
@pytest.mark.filterwarnings("ignore:`torch.jit.*` is (deprecated|not supported):DeprecationWarning")
@pytest.mark.parametrize("kind", WRAPPED)
def test_a_wrapped_model_has_the_plain_models_map(images, path_integral, kind):
    model = _network()
    wrapped = WRAPPED[kind](model, images)
    result = IntegratedGradients(wrapped, steps=11, batch_size=5).attribute(images, 2)
    torch.testing.assert_close(result.values, path_integral(model, images, 2, 11))
    scores = model(images)[:, 2].detach()
    torch.testing.assert_close(torch.from_numpy(result.scores).float(), scores)


@pytest.mark.filterwarnings("ignore:`torch.jit.*` is (deprecated|not supported):DeprecationWarning")
def test_a_scripted_module_in_training_is_put_back(images, gradient):
    scripted = torch.jit.script(_network()).train()
    with pytest.warns(polyattr.TrainingModeWarning):
        values = polyattr.Saliency(scripted).explain(images, 1)
    assert all(module.training for module in scripted.modules())
    torch.testing.assert_close(values, gradient(_network(), images, 1).abs())


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_a_compiled_module_in_training_is_evaluated_in_inference_mode(images, gradient):
    model = _network().train()
    compiled = torch.compile(model, backend="eager")
    with pytest.warns(polyattr.TrainingModeWarning):
        values = polyattr.Saliency(compiled).explain(images, 1)
    assert model.training
    torch.testing.assert_close(values, gradient(_network(), images, 1).abs())


def test_updated_weights_are_seen(images, gradient):
    model = _network()
    explainer = polyattr.Saliency(model)
    first = explainer.explain(images, 1)
    with torch.no_grad():
        model[-1].weight *= -3
    torch.testing.assert_close(explainer.explain(images, 1), 3 * first)
    model.load_state_dict(_network().state_dict())
    torch.testing.assert_close(explainer.explain(images, 1), first)


class TwoInputs(nn.Module):
    def forward(self, image, scale, power=2):
        return ((image**power).flatten(1) * scale).sum(1)


@pytest.mark.parametrize("container", [tuple, list, dict])
def test_several_inputs_come_back_in_their_containers(images, container):
    scale = torch.tensor([[1.0], [2.0], [-3.0]])
    given = {"image": images, "scale": scale} if container is dict else container([images, scale])
    values = polyattr.Saliency(TwoInputs()).explain(given)
    assert type(values) is container
    image, scale_map = values.values() if container is dict else values
    torch.testing.assert_close(image, (2 * images * scale[..., None, None]).abs())
    torch.testing.assert_close(scale_map, (images**2).flatten(1).sum(1, keepdim=True))


def test_a_model_that_takes_one_container_gets_it(images):
    def model(batch):
        return (batch["x"] * 3).flatten(1).sum(1) + batch["z"].sum(1) * 5

    given = {"x": images, "z": torch.ones(3, 2)}
    values = polyattr.GradientInput(model).explain(given)
    torch.testing.assert_close(values["x"], 3 * images)
    torch.testing.assert_close(values["z"], torch.full((3, 2), 5.0))


class Output(OrderedDict):
    """A dict that is indexable by position and has attributes, as language models return."""

    def __getitem__(self, key):
        return tuple(self.values())[key] if isinstance(key, int) else super().__getitem__(key)

    def __getattr__(self, name):
        return self[name]


@dataclasses.dataclass
class Record:
    logits: torch.Tensor
    hidden: torch.Tensor


RETURNED = {
    "dict": (lambda a, b: {"hidden": a, "logits": b}, "logits"),
    "ordered": (lambda a, b: Output(hidden=a, logits=b), "logits"),
    "position": (lambda a, b: Output(hidden=a, logits=b), 1),
    "tuple": (lambda a, b: (a, b), 1),
    "list": (lambda a, b: [a, b], -1),
    "object": (lambda a, b: Record(b, a), lambda record: record.logits),
}


@pytest.mark.parametrize("kind", RETURNED)
def test_one_of_several_outputs_is_selected(images, gradient, kind):
    model, (build, output) = _network(), RETURNED[kind]

    def several(x):
        return build(model[:4](x), model(x))

    values = polyattr.Saliency(several, output=output).explain(images, 2)
    torch.testing.assert_close(values, gradient(model, images, 2).abs())
    with pytest.raises(ModelOutputError, match="output="):
        polyattr.Saliency(several).explain(images, 2)


def test_a_selector_that_selects_nothing_names_the_keys(images):
    model = _network()
    explainer = polyattr.Saliency(lambda x: {"logits": model(x)}, output="logit")
    with pytest.raises(ModelOutputError, match=r"\['logits'\].*'logits'"):
        explainer.explain(images, 2)


def test_numpy_inputs_take_the_models_dtype_and_device(images):
    model = _network().double()
    values = polyattr.GradientInput(model).explain(images.numpy(), np.int16(2))
    assert values.dtype is torch.float64
    native = polyattr.GradientInput(model).explain(images.double(), 2)
    assert torch.equal(values, native)
    model.float()  # converted since: the dtype of the next call, not of the first
    assert polyattr.GradientInput(model).explain(images.numpy(), 2).dtype is torch.float32


@pytest.mark.parametrize("cut", ["detach", "integers", "numpy", "no_grad"])
def test_a_path_that_is_cut_is_an_error_and_a_zero_gradient_is_not(images, cut):
    model = _network()
    models = {
        "detach": lambda x: model(x.detach()),
        "integers": lambda x: model(x.long().float()),
        "numpy": lambda x: model(torch.from_numpy(x.detach().numpy())),
        "no_grad": torch.no_grad()(lambda x: model(x)),
    }
    with pytest.raises(ModelOutputError, match="no gradient to attribute"):
        polyattr.Saliency(models[cut]).explain(images, 1)
    dead = polyattr.Saliency(lambda x: torch.relu(-1 - x.abs()).flatten(1)).explain(images, 1)
    assert torch.equal(dead, torch.zeros_like(images))


@pytest.mark.parametrize("model", ["resnet50", 3, None])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(UnrecognisedModelError, match=r"expected a torch\.nn\.Module"):
        polyattr.Saliency(model, backend="torch")
