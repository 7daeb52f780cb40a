"""Nothing is tried on an accelerator whose sizes may make an index be out of range there.

An index is checked on the device where it is used: a wrong one raises nothing that could be caught,
and leaves a process that can use the device no more. The CPU stands for one here, and the models
fail the test where they are given what would be out of range.
"""

import numpy as np
import pytest
import torch
from labs.closeness import assert_close
from torch import nn

import polyattr
from polyattr import InputError
from polyattr_torch import TorchBackend

RNG = np.random.default_rng(77)


class Device(TorchBackend):
    """The CPU, taken for an accelerator."""

    def accelerated(self, tensor):
        return True


class OutOfMemory(Device):
    """Has no room for all samples together."""

    def is_out_of_memory(self, error):
        return "too many" in str(error)


def drawn(*shape):
    return torch.tensor(RNG.standard_normal(shape), dtype=torch.float32)


class DeviceAssert(BaseException):
    """Nobody catches it, as nobody can on a device."""


def same_rows(x, *others):
    """Fails as a device does where an argument has other rows than the inputs."""
    if any(len(other) != len(x) for other in others):
        raise DeviceAssert([len(part) for part in (x, *others)])


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRU(3, 5, batch_first=True)
        self.head = nn.Linear(5, 2)

    def forward(self, x, lengths):
        same_rows(x, lengths)
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        return self.head(self.cell(packed)[1][-1])


LENGTHS = {"equal": [6, 6, 6, 6], "others": [6, 2, 4, 3], "one sample": [4], "two alike": [5, 5]}


@pytest.mark.parametrize("kind", LENGTHS)
@pytest.mark.parametrize("method", ["GradientInput", "IntegratedGradients"])
def test_packed_sequences_never_see_lengths_of_other_samples(method, kind):
    lengths = torch.tensor(LENGTHS[kind])
    x, model = drawn(len(lengths), 6, 3), Packed().eval()
    made = {
        where: getattr(polyattr, method)(model, backend=backend, batch_size=3)
        for where, backend in (("guessed", Device()), ("said", TorchBackend()))
    }
    found = made["guessed"].explain(x, 1, forward_args=(lengths,))
    wanted = made["said"].explain(x, 1, forward_args=(lengths,), batched=(0,))
    assert_close(found.numpy(), wanted.numpy())


class Lookup(nn.Module):
    """Rows of a table that all samples share, by the ids of each."""

    def forward(self, x, ids, table):
        if int(ids.max()) >= len(table):
            raise DeviceAssert(len(table))
        return (x * table[ids]).sum(1)


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_a_table_is_never_shorter_than_its_ids(n):
    """It has as many rows as there are samples, and so have the ids."""
    x, table = drawn(n, 3), drawn(n, 3)
    ids = torch.tensor(RNG.permutation(n))
    found = polyattr.GradientInput(Lookup(), backend=Device()).explain(x, forward_args=(ids, table))
    assert_close(found.numpy(), (x * table[ids]).numpy())


def test_of_several_arguments_each_is_told():
    """Lengths of the samples, a mask (T, T) and an edge index, all with three entries."""
    x, lengths = drawn(3, 3), torch.tensor([3, 1, 2])
    mask, edges = drawn(3, 3), torch.tensor([[0, 2], [1, 0], [2, 1]])

    def model(x, lengths, mask, edges):
        same_rows(x, lengths)
        kept = (torch.arange(3) < lengths[:, None]).to(x.dtype)
        return ((x * kept) @ mask * x[:, edges].sum(2)).sum(1)

    method = polyattr.GradientInput(model, backend=Device(), batch_size=2)
    found = method.explain(x, forward_args=(lengths, mask, edges))
    wanted = polyattr.GradientInput(model, batch_size=2).explain(
        x, forward_args=(lengths, mask, edges), batched=(0,)
    )
    assert_close(found.numpy(), wanted.numpy())


def test_a_symmetric_mask_is_told_by_another_number_of_rows():
    """Turned like the samples it is the same mask: only its size says that it is not theirs."""
    x, ring = drawn(4, 4), torch.tensor(np.roll(np.eye(4), 1, 0) + np.ones((4, 4))).float()

    def model(x, mask):
        return ((x * x) @ mask).sum(1)

    found = polyattr.GradientInput(model, backend=Device()).explain(x, forward_args=(ring,))
    assert_close(found.numpy(), (2 * x * x * ring.sum(1)).numpy())


def test_too_many_samples_to_try_are_asked_about():
    def model(x, offset):
        if len(x) > 3:
            raise RuntimeError("too many")
        return ((x + offset) ** 2).sum(1)

    method = polyattr.GradientInput(model, backend=OutOfMemory(), batch_size=2)
    x, offset = drawn(5, 2), drawn(5, 2)
    with pytest.raises(
        InputError, match=r"too much memory; say which it is: batched=\(0, 'name'\)"
    ):
        method.explain(x, forward_args=(offset,))
    found = method.explain(x, forward_args=(offset,), batched=(0,))
    assert_close(found.numpy(), (2 * x * (x + offset)).numpy())


def test_a_model_that_goes_by_the_order_of_samples_is_asked_about():
    def model(x, offset):
        return ((x + offset) ** 2).sum(1) * torch.arange(1.0, len(x) + 1)

    with pytest.raises(InputError, match="other outputs for the same samples in another order"):
        polyattr.GradientInput(model, backend=Device()).explain(
            drawn(3, 2), forward_args=(drawn(3, 2),)
        )


class Ids(nn.Module):
    """Refuses floats like an embedding, and fails as a device does where ids are none."""

    def forward(self, ids):
        if ids.dtype.is_floating_point:
            raise RuntimeError("expected indices to be integers")
        if int(ids.min()) < 0 or int(ids.max()) > 9:
            raise DeviceAssert(ids)
        return torch.eye(10)[ids.long()].sum(1)


@pytest.mark.parametrize("far", [-3.0, 9000.0])
def test_whole_numbers_are_not_looked_up_to_say_that_they_should_be(far):
    x = torch.tensor([[1.0, 2.0, far]] * 2)
    with pytest.raises(polyattr.InputTypeError, match="the model takes whole numbers"):
        polyattr.GradientInput(Ids(), backend=Device()).explain(x, 1)
