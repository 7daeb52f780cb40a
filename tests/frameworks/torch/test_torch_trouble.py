"""What cannot be explained is refused in words, before it gives torch's own error or a number."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence

import polyattr
from polyattr import InputError, InputTypeError, ModelOutputError
from polyattr_torch import TorchBackend


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(4))


X = drawn(4, 3)


def bags(samples):
    return [drawn(2 + i % 2, 3) for i in range(samples)]


KINDS = {
    "sparse": (lambda: X.to_sparse(), r"inputs is a sparse tensor \(sparse_coo\).*to_dense"),
    "compressed": (lambda: X.to_sparse_csr(), r"inputs is a sparse tensor \(sparse_csr\)"),
    "one of several": (lambda: (X, {"a": X.to_sparse()}), r"inputs\[1\]\['a'\] is a sparse"),
    "nested": (lambda: torch.nested.nested_tensor(bags(3)), "inputs is a nested.*to_padded_tensor"),
    "jagged": (
        lambda: torch.nested.nested_tensor(bags(3), layout=torch.jagged),
        "inputs is a nested tensor",
    ),
    "packed": (lambda: pack_sequence(bags(2)[::-1]), "inputs is a PackedSequence.*padded tensor"),
    "packed and more": (lambda: (X, pack_sequence(bags(2)[::-1])), r"inputs\[1\] is a PackedSeq"),
    "masked": (lambda: torch.masked.masked_tensor(X, X > 0), "a MaskedTensor.*to_tensor"),
    "another layout": (lambda: X.to_mkldnn(), r"a tensor of another layout \(_mkldnn\)"),
    "quantised": (lambda: torch.quantize_per_tensor(X, 0.1, 0, torch.qint8), "dequantize"),
}


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors:UserWarning")
@pytest.mark.filterwarnings("ignore:Sparse (CSR|invariant checks):UserWarning")
@pytest.mark.filterwarnings("ignore:.*quantiz.*:Warning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GradientInput", "IntegratedGradients"])
def test_tensors_without_a_row_per_sample(kind, method):
    given, message = KINDS[kind]
    explainer = getattr(polyattr, method)(nn.Linear(3, 2))
    for call in (explainer.explain, explainer.attribute):
        with pytest.raises(InputTypeError, match=message):
            call(given(), 1)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_targets_baselines_and_arguments_without_rows():
    path, sparse = polyattr.IntegratedGradients(nn.Linear(3, 2)), X.to_sparse()
    with pytest.raises(InputTypeError, match=r"target or baseline is a sparse tensor.*tensor.to_d"):
        path.explain(X, 1, baselines=sparse)
    with pytest.raises(InputTypeError, match=r"target or baseline is a sparse tensor.*tensor.to_d"):
        path.explain(X, torch.eye(4, 2).to_sparse())
    nested = torch.nested.nested_tensor(bags(3))
    with pytest.raises(InputTypeError, match="an argument of the model is a nested tensor"):
        polyattr.Saliency(lambda x, _: x.sum(1)).explain(X, forward_args=(nested,))


def test_a_sparse_argument_beside_the_inputs_is_the_models():
    """Such as the edges of a graph, which all samples share."""
    edges = torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 3.0]])

    def model(x, graph):
        return torch.sparse.mm(graph, x.T).T.sum(1)

    found = polyattr.GradientInput(model, backend="torch").explain(
        X, forward_args=(edges.to_sparse(),), batched=()
    )
    torch.testing.assert_close(found, X * edges.sum(0))


class Layers(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x)


MIXED = {
    "linear": (lambda: nn.Linear(3, 2), (4, 3)),
    "convolution": (lambda: Layers(nn.Conv1d(3, 2, 1), nn.Flatten()), (4, 3, 1)),
    "norm": (lambda: nn.LayerNorm(3), (4, 3)),
    "recurrent": (lambda: nn.LSTMCell(3, 2), (4, 3)),
    "function": (lambda: nn.Linear(3, 2).forward, (4, 3)),
}


@pytest.mark.parametrize("kind", MIXED)
@pytest.mark.parametrize("dtypes", [("float64", "float32"), ("float32", "float64")])
def test_inputs_of_another_dtype_than_the_parameters(kind, dtypes):
    make, shape = MIXED[kind]
    given, wanted = dtypes
    model = make()
    getattr(model, "__self__", model).to(getattr(torch, wanted))
    method = polyattr.Saliency(model, output=0 if kind == "recurrent" else None)
    with pytest.raises(
        InputTypeError,
        match=rf"given {given}, and its parameters are {wanted}.*inputs.to\(torch.{wanted}\)",
    ):
        method.explain(drawn(*shape).to(getattr(torch, given)), 1)
    assert method.explain(drawn(*shape).numpy().astype(given), 1).dtype == getattr(torch, wanted)


def test_an_error_of_the_users_stays_the_users():
    def model(x):
        raise RuntimeError("no such type of layer")

    linear = nn.Linear(3, 2)
    for wrong in (model, lambda x: linear(x[:, :2]), Layers(nn.Linear(4, 2))):
        with pytest.raises(RuntimeError, match=r"type of layer|cannot be multiplied") as caught:
            polyattr.Saliency(wrong, backend="torch").explain(X, 1)
        assert not isinstance(caught.value, polyattr.PolyattrError)


LAZY = {
    "linear": lambda: nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 2)),
    "norm": lambda: nn.Sequential(nn.LazyBatchNorm1d(affine=False), nn.Linear(3, 2)),
    "function": lambda: (lambda model: lambda x: model(x))(nn.LazyLinear(2)),
}


@pytest.mark.parametrize("kind", LAZY)
def test_layers_that_were_not_run_yet(kind):
    model = LAZY[kind]()
    held = model if isinstance(model, nn.Module) else model.__closure__[0].cell_contents
    kinds = [type(module) for module in held.modules()]
    method = polyattr.Saliency(model, backend="torch")
    with pytest.raises(InputError, match=r"not run yet.*run once: model\(inputs\)"):
        method.explain(X, 1)
    assert [type(module) for module in held.modules()] == kinds  # the trial was not their first run
    held.eval()(X)
    assert method.explain(X, 1).shape == X.shape


def test_tensors_without_values():
    real, model = nn.Linear(3, 2), nn.Linear(3, 2, device="meta")
    for explained, x in (
        (model, X),
        (model, X.numpy()),
        (real, X.to("meta")),
        (model, X.to("meta")),
    ):
        with pytest.raises(InputError, match=r"meta device.*expected values: load.*to_empty"):
            polyattr.Saliency(explained).explain(x, 1)


def test_complex_scores():
    for model, target in ((torch.fft.fft, 1), (lambda x: torch.fft.fft(x).sum(1), None)):
        with pytest.raises(ModelOutputError, match=r"scores are complex64.*abs\(z\)"):
            polyattr.Saliency(model, backend="torch").explain(X, target)
    leaf = X.clone().requires_grad_()
    (expected,) = torch.autograd.grad(torch.fft.fft(leaf).abs()[:, 1].sum(), leaf)
    found = polyattr.GradientInput(torch.fft.fft, backend="torch", output=abs).explain(X, 1)
    torch.testing.assert_close(found, X * expected)


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.EmbeddingBag(10, 4, padding_idx=0)
        self.head = nn.Linear(4, 2)

    def forward(self, ids, offsets=None):
        return self.head(self.words(ids, offsets))


def test_bags_of_words_with_offsets():
    method = polyattr.GradientInput(Bag(), input_layer="words")
    ids, offsets = torch.arange(1, 10), torch.tensor([0, 3, 5, 6])
    with pytest.raises(InputError, match=r"offsets have no row per sample; expected ids \(N, L\)"):
        method.explain((ids, offsets), 1)
    with pytest.raises(InputError, match="padding_idx, and no offsets"):
        method.explain(ids, 1, forward_kwargs={"offsets": offsets})
    padded = torch.tensor([[1, 2, 3], [4, 5, 0]])
    model = method.model
    expected = model.words(padded) * model.head.weight[1]
    torch.testing.assert_close(method.explain(padded, 1), expected.detach())


class Packed(nn.Module):
    """Reads sequences of several lengths, as most tutorials do."""

    def __init__(self, enforce_sorted=True):
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.GRU(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)
        self.enforce_sorted = enforce_sorted

    def forward(self, x, lengths):
        packed = pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=self.enforce_sorted
        )
        return self.head(self.cell(packed)[1][-1])


LENGTHS = torch.tensor([5, 3, 2, 2])


def test_packing_that_wants_sorted_lengths():
    x, path = drawn(4, 5, 3), polyattr.IntegratedGradients(Packed(), steps=4)
    for inputs, lengths in ((x, LENGTHS), (x.flip(0), LENGTHS.flip(0))):
        with pytest.raises(
            ModelOutputError,
            match=r"sorted by length.*enforce_sorted=False in its pack_padded_sequence$",
        ):
            path.explain(inputs, 1, forward_args=(lengths,))


@pytest.mark.parametrize("batch_size", [1, 3, None])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_packed_sequences_of_any_order(batch_size, order):
    model, x, lengths = (
        Packed(False).double().eval(),
        drawn(4, 5, 3).double()[order],
        LENGTHS[order],
    )
    path = polyattr.IntegratedGradients(
        model, steps=32, rule="gauss-legendre", batch_size=batch_size
    )
    result = path.attribute(x, 1, forward_args=(lengths,))
    assert (abs(result.completeness_gap) < 1e-10).all()
    np.testing.assert_allclose(result.scores, model(x, lengths)[:, 1].detach())
    beyond = torch.arange(5)[None, :] >= lengths[:, None]
    assert (result.values[beyond] == 0).all()
    assert (result.values[~beyond] != 0).all()


def test_lengths_that_are_no_tensor():
    with pytest.raises(InputError, match=r"lengths as a tensor \(N,\)"):
        polyattr.Saliency(Packed()).explain(drawn(4, 5, 3), 1, forward_args=([5, 3, 2, 2],))


class Host(TorchBackend):
    """Reads zeros off a device that has no values."""

    def to_numpy(self, tensor):
        return (
            np.zeros(tuple(tensor.shape), "float32") if tensor.is_meta else super().to_numpy(tensor)
        )


@pytest.mark.parametrize("method", ["IntegratedGradients", "SmoothGrad", "Saliency"])
def test_lengths_stay_on_the_host_beside_inputs_on_a_device(method):
    """The meta device stands for an accelerator: it refuses to be mixed with the host."""
    places = []

    def model(x, lengths, mask):
        places.append(
            (x.device.type, lengths.device.type, mask.device.type, len(lengths) == len(x))
        )
        return x.sum((1, 2))

    x = torch.empty(4, 5, 3, device="meta")
    mask = torch.empty(4, 5, device="meta")
    explainer = getattr(polyattr, method)(model, backend=Host(), batch_size=3)
    found = explainer.explain(x, forward_args=(LENGTHS, mask), batched=(0, 1))
    assert found.device.type == "meta"
    assert set(places) == {("meta", "cpu", "meta", True)}


@pytest.mark.filterwarnings("ignore:.*quantiz.*:Warning")
@pytest.mark.filterwarnings("ignore:.*deprecated.*:Warning")
def test_quantised_layers_have_no_gradient():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    quantised = torch.ao.quantization.quantize_dynamic(model, {nn.Linear})
    with pytest.raises(ModelOutputError, match="quantised layers"):
        polyattr.Saliency(quantised).explain(X, 1)


def test_weights_without_their_module():
    weights = nn.Linear(3, 2).state_dict()
    for given in (weights, {"state_dict": weights, "epoch": 3}):
        with pytest.raises(
            polyattr.UnrecognisedModelError, match=r"module.load_state_dict\(weights"
        ):
            polyattr.Saliency(given, backend="torch")


def test_containers_that_cannot_be_called():
    with pytest.raises(InputTypeError, match="such as a ModuleList; expected a module with a for"):
        polyattr.Saliency(nn.ModuleList([nn.Linear(3, 2)])).explain(X, 1)


WRAPPED = {
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)),
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2)),
    "orthogonal": lambda: nn.utils.parametrizations.orthogonal(nn.Linear(3, 2)),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_parametrised_layers(kind, gradient, untouched):
    torch.manual_seed(0)
    model = nn.Sequential(WRAPPED[kind](), nn.Tanh()).eval()
    with untouched(model, X):
        found = polyattr.GradientInput(model).explain(X, 1)
    torch.testing.assert_close(found, X * gradient(model, X, 1))


def test_hooks_of_the_users(gradient, untouched):
    """They run, may change what flows, and may raise; they stay where they are."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    seen, fails = [], []

    def counted(*_):
        seen.append("forward")
        if fails:
            raise KeyError("the user's own")

    model[0].register_forward_hook(counted)
    model[1].register_forward_hook(lambda module, args, output: 2 * output)
    model[2].register_full_backward_hook(lambda *_: seen.append("backward"))
    expected = X * gradient(model, X, 1)
    seen.clear()
    for settings in ({}, {"output_layer": 2}, {"input_layer": 2, "attribute_to_layer_input": True}):
        with untouched(model, X):
            found = polyattr.GradientInput(model, **settings).explain(X, 1)
        if "input_layer" not in settings:
            torch.testing.assert_close(found, expected)
    assert {"forward", "backward"} == set(seen)
    fails.append(True)
    with untouched(model, X), pytest.raises(KeyError, match="the user's own"):
        polyattr.IntegratedGradients(model, input_layer=1).explain(X, 1)
