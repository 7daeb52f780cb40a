"""What torch's own errors mean to a user of polyattr, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.masked import MaskedTensor
from torch.nn.parameter import is_lazy
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_leaves

from polyattr.backend import InputError, InputTypeError, ModelOutputError
from polyattr_torch.running.evaluation import own

_SAID: tuple[tuple[str, type[Exception], str], ...] = (
    (
        "enforce_sorted",
        ModelOutputError,
        "the model packs sequences that must be sorted by length, but samples are put beside each "
        "other in an order that is not yours; expected enforce_sorted=False in its "
        "pack_padded_sequence",
    ),
    (
        "1D CPU int64 tensor",
        InputError,
        "the model packs sequences, whose lengths must be on the CPU; expected lengths as a tensor "
        "there, torch.as_tensor(lengths): it stays where it is, while a NumPy array goes to the "
        "device of the inputs",
    ),
    (
        "len(lengths)",
        InputError,
        "the model packs as many sequences as it is given lengths, and a list of numbers has no "
        "rows to take; expected lengths as a tensor (N,), torch.as_tensor(lengths)",
    ),
    (
        'missing the required "forward" function',
        InputTypeError,
        "the model is a container that cannot be called, such as a ModuleList; expected a module "
        "with a forward, such as torch.nn.Sequential(*layers)",
    ),
    (
        "offsets",
        InputError,
        "the ids of an EmbeddingBag with offsets have no row per sample; expected ids (N, L), "
        "filled up with the bag's padding_idx, and no offsets",
    ),
)
"""Part of what torch says, the kind of trouble it is, and what to do."""


def called(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    like: Any,
) -> Any:
    """Calls the user's function with copies of tensors of the user's.

    Args:
        function: What to call.
        args: Its arguments.
        kwargs: Those by name.
        like: A parameter of the model, or None.

    Raises:
        InputTypeError: Inputs and parameters differ in dtype, and torch does not mix them.
        InputError: They lie on different devices, or parameters have no values.
        ModelOutputError: The model asks for something that cannot be given.
    """
    try:
        return function(*own(args), **own(kwargs))
    except (RuntimeError, ValueError, NotImplementedError) as error:
        text = str(error)
        for part, kind, advice in _SAID:
            if part in text:
                raise kind(advice) from error
        if like is not None:
            _compare(text, tree_leaves((list(args), dict(kwargs))), like, error)
        raise


def _compare(text: str, given: list[Any], like: torch.Tensor, error: Exception) -> None:
    """Compares arguments with a parameter, where torch complains about dtypes or devices."""
    floats = [t for t in given if isinstance(t, torch.Tensor) and t.is_floating_point()]
    dtypes = [_name(t.dtype) for t in floats if t.dtype != like.dtype]
    if dtypes and "type" in text:
        wanted = _name(like.dtype)
        raise InputTypeError(
            f"the model was given {dtypes[0]}, and its parameters are {wanted}, which torch does "
            f"not mix; expected the same dtype: inputs.to(torch.{wanted}), or "
            f"model.to(torch.{dtypes[0]}). NumPy arrays are converted by themselves"
        ) from error
    places = [str(t.device) for t in floats if t.device != like.device]
    if places and "device" in text:
        if like.is_meta:
            raise InputError(without_values("the model's parameters are")) from error
        raise InputError(
            f"the model was given a tensor on {places[0]}, and its parameters are on "
            f"{like.device}; expected one device: inputs.to({str(like.device)!r}), or "
            f"model.to({places[0]!r}). NumPy arrays are moved by themselves"
        ) from error


def check_plain(tensor: torch.Tensor, where: str) -> None:
    """Checks that a tensor has values, and in rows.

    Raises:
        InputTypeError: It is sparse, nested or masked.
    """
    reason = refusal(tensor)
    if reason is not None:
        raise InputTypeError(f"{where} is {reason}".replace("inputs.", "tensor."))


def without_values(what: str) -> str:
    """Says that `what` is on the device that has none."""
    return (
        f"{what} on the meta device, which has shapes but no values; expected values: load "
        f"the weights, as with model.to_empty(device='cpu') and load_state_dict(...)"
    )


def refusal(value: object) -> str | None:
    """Says what kind of tensor cannot be explained, and what to pass; None where it can."""
    if isinstance(value, PackedSequence):
        return (
            "a PackedSequence, whose rows are steps of all samples together; expected a padded "
            "tensor (N, T, ...), with the packing done inside the model from lengths in "
            "forward_args"
        )
    if not isinstance(value, torch.Tensor) or is_lazy(value):
        return None
    if value.is_nested:
        return (
            "a nested tensor, whose samples differ in shape; expected a padded one, "
            "torch.nested.to_padded_tensor(inputs, 0.0), with the lengths or a mask in "
            "forward_args"
        )
    if isinstance(value, MaskedTensor):
        return (
            "a MaskedTensor, whose mask a model does not see; expected inputs.to_tensor(0.0), with "
            "the mask in forward_args"
        )
    if value.layout is not torch.strided:
        kind = str(value.layout).removeprefix("torch.")
        what = "a sparse tensor" if kind.startswith("sparse") else "a tensor of another layout"
        return f"{what} ({kind}); expected a dense one, inputs.to_dense()"
    if value.is_quantized:
        return "a quantised tensor, which has no gradient; expected inputs.dequantize()"
    return None


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
