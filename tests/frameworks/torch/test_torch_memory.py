"""What a call keeps in memory, and what it does when there is none left."""

import pytest
import torch

import polyattr

X = torch.tensor([[0.5, -1.0], [1.5, 2.0], [-0.25, 1.0], [3.0, 0.75], [-2.0, 1.25]])


def test_the_allocators_own_error_halves_the_tile():
    sizes = []

    def model(x):
        sizes.append(len(x))
        if len(x) > 4:
            torch.empty(2**48)  # a petabyte, which no address space has
        return (x**3).sum(1)

    path = polyattr.IntegratedGradients(model, steps=3, rule="simpson", batch_size=9)
    # Simpson's rule integrates the derivative 3 t^2 exactly.
    torch.testing.assert_close(path.explain(X), X**3)
    assert max(sizes) > 4
    sizes.clear()
    torch.testing.assert_close(path.explain(X), X**3)
    assert max(sizes) <= 4  # the next call remembers


def test_another_runtime_error_is_the_users():
    sizes = []

    def model(x):
        sizes.append(len(x))
        if len(x) > 2:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return (x**3).sum(1)

    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        polyattr.Saliency(model, batch_size=5).explain(X)
    assert sizes.count(5) == 1


def test_a_baseline_made_of_parameters_records_nothing():
    start = torch.nn.Parameter(torch.tensor([0.5, -1.0]))
    recorded = []

    def baseline(x):
        made = x * 0 + start
        recorded.append(made.requires_grad)
        return made

    method = polyattr.IntegratedGradients(
        lambda x: (x**2).sum(1), backend="torch", baseline_value=baseline, rule="midpoint"
    )
    found = method.explain(X)
    torch.testing.assert_close(found, (X - start) * (X + start).detach())
    assert not found.requires_grad
    assert not any(recorded)


def test_nothing_is_recorded_where_no_gradient_is_asked_for():
    weight = torch.nn.Parameter(torch.tensor([[1.0, -1.0], [0.5, 2.0]]))
    recorded = []

    def model(x):
        outputs = x @ weight
        recorded.append((len(x), outputs.requires_grad))
        return outputs

    result = polyattr.Saliency(model, batch_size=5).attribute(X)
    classes = (X @ weight).argmax(1)
    assert result.targets.tolist() == classes.tolist()
    torch.testing.assert_close(result.values, weight.T[classes].detach().abs())
    # The predicted class takes the outputs alone: kept for a gradient, they would keep every
    # activation of the model with them. So does the trial of a tile.
    assert [wanted for rows, wanted in recorded if rows == len(X)] == [False, False, True]
