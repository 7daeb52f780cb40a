"""torch.export: whatever number of rows the graph was fixed to, the map is the eager module's."""

import pytest
import torch
from torch import nn
from torch.export import Dim, export

import polyattr
from polyattr import IntegratedGradients, LayerNotFoundError, ModelOutputError, SmoothGrad
from polyattr_torch import TorchBackend


def _network():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())
    model = nn.Sequential(*body, nn.Dropout(0.5), nn.Linear(27, 4))
    model(torch.randn(8, 2, 5, 5))
    return model.eval()


@pytest.fixture
def images():
    return torch.randn(5, 2, 5, 5, generator=torch.Generator().manual_seed(1))


def _counted(module, sizes):
    """Notes the rows of every call; torch's own checks of the arguments stay."""
    module.register_forward_pre_hook(lambda _, args: sizes.append(args[0].shape[0]))
    return module


EXAMPLES = {
    "one row": (1, None),
    "two rows": (2, None),
    "seven rows": (7, None),
    "any number": (3, ({0: Dim("n")},)),
    "at most four": (3, ({0: Dim("n", min=2, max=4)},)),
    "at least six": (6, ({0: Dim("n", min=6)},)),
}
ROWS = {"one row": {1}, "two rows": {2}, "seven rows": {7}}


@pytest.mark.parametrize("batch_size", ["auto", None, 3])
@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_graph_gets_the_rows_it_takes(images, path_integral, kind, batch_size):
    model, (rows, shapes), sizes = _network(), EXAMPLES[kind], []
    example = torch.randn(rows, 2, 5, 5)
    exported = _counted(export(model, (example,), dynamic_shapes=shapes).module(), sizes)
    explainer = IntegratedGradients(exported, steps=9, batch_size=batch_size)
    result = explainer.attribute(images, 2)
    torch.testing.assert_close(result.values, path_integral(model, images, 2, 9))
    scores = model(images)[:, 2].detach()
    torch.testing.assert_close(torch.from_numpy(result.scores).float(), scores)
    assert set(sizes) == ROWS.get(kind, set(sizes))
    if kind == "at most four":
        assert max(sizes) == 4 if batch_size is None else max(sizes) <= 4
    if kind == "at least six":
        assert min(sizes) >= 6
    if kind == "any number" and batch_size is None:
        assert max(sizes) == 45  # one call: nothing is cut that need not be


@pytest.mark.parametrize(
    ("kind", "most"),
    [("one row", 1), ("seven rows", 7), ("any number", None), ("at most four", 4)],
)
def test_tiles_are_planned_for_what_the_graph_takes(kind, most):
    """A larger tile would be right too, but hold the graphs of several calls at once."""
    rows, shapes = EXAMPLES[kind]
    program = export(_network(), (torch.randn(rows, 2, 5, 5),), dynamic_shapes=shapes)
    assert TorchBackend().bind(program.module()).most_rows == most


def test_the_answer_does_not_depend_on_the_rows_of_the_example(images):
    model = _network().double()
    x = images.double()
    expected = SmoothGrad(model, nb_samples=6).explain(x, 1)
    for rows in (1, 4, 9):
        exported = export(model, (torch.randn(rows, 2, 5, 5).double(),)).module()
        values = SmoothGrad(exported, nb_samples=6).explain(x, 1)
        torch.testing.assert_close(values, expected, rtol=1e-12, atol=1e-14)


def test_the_program_itself_will_do(images, path_integral):
    model = _network()
    program = export(model, (images[:2],))
    values = IntegratedGradients(program, steps=9).explain(images, 2)
    torch.testing.assert_close(values, path_integral(model, images, 2, 9))


class Several(nn.Module):
    def forward(self, x, extra=None, *, mask, table, scale=1.0):
        rows = ((x * mask) @ table) ** 2 * scale
        rows = rows if extra is None else rows + extra["bias"]
        return {"logits": rows, "table": table}


def _several(rows):
    """An exported module of five arguments, one of which has no rows, at an example of `rows`."""
    args = (torch.ones(rows, 4), {"bias": torch.ones(rows, 3)})
    kwargs = {"mask": torch.ones(rows, 4), "table": torch.ones(4, 3), "scale": 0.5}
    return export(Several(), args, kwargs).module()


@pytest.mark.parametrize("rows", [1, 4, 6])
@pytest.mark.parametrize("by_name", [True, False])
def test_arguments_beside_the_inputs_keep_their_rows(rows, by_name):
    torch.manual_seed(3)
    # Four rows, as many as the table has: which of the two is meant shows in the graph.
    x, mask, bias = torch.randn(4, 4), torch.rand(4, 4), torch.randn(4, 3)
    table = torch.randn(4, 3)
    kwargs = {"mask": mask, "table": table, "scale": 0.5}
    inputs = {"x": x, "extra": {"bias": bias}} if by_name else (x, {"bias": bias})
    explainer = polyattr.GradientInput(_several(rows), output="logits", batch_size=3)
    values = explainer.explain(inputs, 1, forward_kwargs=kwargs, batched="mask")
    found, extra = values.values() if by_name else values
    # The score is (w . x)^2 / 2 + b: x times its gradient is 2 x w (w . x) / 2.
    weights = mask * table[:, 1]
    torch.testing.assert_close(found, x * weights * (x * weights).sum(1, keepdim=True))
    torch.testing.assert_close(extra["bias"], bias * torch.tensor([0.0, 1.0, 0.0]))


def test_a_module_that_mixes_rows_is_found_out(images):
    class Centred(nn.Module):
        def forward(self, x):
            return (x - x.mean(0)).flatten(1)[:, :3]

    exported = export(Centred(), (torch.randn(4, 2, 5, 5),)).module()
    with pytest.raises(ModelOutputError, match="beside"):
        polyattr.Saliency(exported).explain(images, 1)


@pytest.mark.parametrize("argument", ["output_layer", "input_layer"])
def test_no_layers_are_left_to_name(images, argument):
    exported = export(_network(), (images,)).module()
    with pytest.raises(LayerNotFoundError, match=rf"{argument}='5'.*torch\.export has no layers"):
        polyattr.Saliency(exported, **{argument: "5"})


def test_the_users_module_stays_as_it_was(images, untouched):
    exported = export(_network(), (images[:3],)).module()
    with untouched(exported, images):
        IntegratedGradients(exported, steps=5).attribute(images, 1)
