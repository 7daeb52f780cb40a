"""One array as the user passed it: whether it can be taken, and as what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from polyattr.backend import BoundModel, GradBackend, Tensor
from polyattr.dtypes import FLOATS
from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_unmasked

_FEW = 2**16
"""Numbers that are brought to the host as fast as anything is computed of them; on a CPU, more."""


def is_array(leaf: Any, backend: GradBackend) -> bool:
    """Says whether a value is an array of NumPy or the framework."""
    return backend.is_tensor(leaf) or isinstance(leaf, np.ndarray)


def is_floating(leaf: Any, backend: GradBackend) -> bool:
    """Says whether a value is an array whose numbers have a gradient."""
    return is_array(leaf, backend) and dtype_of(leaf, backend) in FLOATS


def dtype_of(leaf: Any, backend: GradBackend) -> str:
    """Names the dtype of an array of any shape, of NumPy or the framework."""
    return str(leaf.dtype.name if isinstance(leaf, np.ndarray) else backend.dtype(leaf))


# What an object that is no array has, and what is passed in its place.
_INSTEAD = (
    (("columns", "to_numpy"), "a table: pass {name}.to_numpy().astype('float32')"),
    (("to_numpy",), "pass {name}.to_numpy().astype('float32')"),
    (("tocsr", "toarray"), "sparse: pass {name}.toarray()"),
    (("__dlpack__", "numpy"), "a tensor of another framework: pass {name}.numpy()"),
    (("__dlpack__", "to_device"), "an array of another framework: pass np.asarray({name})"),
    (("numpy", "ref"), "a tensor of another framework: pass {name}.numpy()"),
    (("data", "to_dict", "items"), "a batch of tokens: pass dict({name})"),
    (("getbands", "tobytes"), "a picture: pass np.asarray({name}, 'float32')[None]"),
    (
        ("__getitem__", "__len__", "on_epoch_end"),
        "indexed by batches: pass ({name}[i] for i in range(len({name})))",
    ),
    (
        ("__getitem__", "__len__"),
        "indexed one by one: pass batches, as from DataLoader({name}, batch_size=32)",
    ),
)


def _instead(name: str, leaf: Any) -> str:
    """Says what is passed in place of an object; arrays of numbers where nothing better fits."""
    if not isinstance(leaf, str | bytes | type(None)):
        for attributes, said in _INSTEAD:
            if all(hasattr(leaf, attribute) for attribute in attributes):
                return said.format(name=name)
    return "for a list of numbers pass np.array(...)"


def refuse(name: str, leaf: Any, backend: GradBackend) -> None:
    """Says why a value cannot be attributed to.

    Raises:
        InputTypeError: Always.
    """
    if not is_array(leaf, backend):
        raise InputTypeError(
            f"{name} is {_type(leaf)}; expected a {backend.name} tensor or a NumPy array, or a "
            f"tuple, list or dict of them ({_instead(name, leaf)})"
        )
    dtype = dtype_of(leaf, backend)
    whole = dtype.startswith(("int", "uint", "bool"))
    hint = ". Convert pixels to float; for token ids, name their embedding with input_layer"
    if dtype.startswith("complex"):
        hint = ". Pass real and imaginary part as two inputs of a function that joins them"
    raise InputTypeError(
        f"{name} has dtype {dtype}, which has no gradient here; expected a floating dtype: "
        f"{', '.join(sorted(FLOATS))}" + (hint if whole or dtype.startswith("complex") else "")
    )


def read_array(
    leaf: Any, name: str, backend: GradBackend, bound: BoundModel, near: Tensor | None = None
) -> Tensor:
    """Makes an array native: floating ones in the model's dtype, others in their own.

    It goes to the device of `near`, a tensor the user passed, or else to the model's.

    Raises:
        InputTypeError: A NumPy array of text or objects.
        InputError: A masked array.
    """
    check_unmasked(name, leaf)
    if isinstance(leaf, np.ndarray):
        dtype = leaf.dtype.name
        if leaf.dtype.kind not in "biu" and dtype not in {*FLOATS, "complex64", "complex128"}:
            raise InputTypeError(f"{name} has dtype {dtype}; expected numbers of at most 64 bits")
        # The framework knows no other byte order than the machine's, nor NumPy's own bfloat16.
        plain = leaf.astype("float32" if dtype == "bfloat16" else leaf.dtype.newbyteorder("="))
        kind = (bound.dtype or dtype) if dtype in FLOATS else None
        leaf = backend.to_native(plain, bound.like if near is None else near, kind)
    return backend.own(leaf)


def check_kinds(value: Any, name: str, backend: GradBackend) -> None:
    """Checks that every array in containers has a row for each sample.

    Raises:
        InputTypeError: One is sparse, nested or packed.
    """
    reason = backend.refusal(value)
    if reason is not None:
        raise InputTypeError(f"{name} is {reason}")
    if isinstance(value, Mapping | tuple | list):
        for key in list(value) if isinstance(value, Mapping) else range(len(value)):
            check_kinds(value[key], f"{name}[{key!r}]", backend)


def check_features(leaf: Tensor, name: str) -> None:
    """Checks that a sample has anything to attribute to.

    Raises:
        InputError: It has not.
    """
    if 0 in leaf.shape:
        raise InputError(f"{name} has shape {tuple(leaf.shape)}: there is no feature to attribute")


def _type(value: Any) -> str:
    if value is None:
        return "None"
    module, name = type(value).__module__, type(value).__qualname__
    return f"a {name}" if module == "builtins" else f"a {module}.{name}"


def check_finite(leaf: Tensor, name: str, backend: GradBackend) -> None:
    """Checks for finite numbers.

    Raises:
        InputError: NaN or inf, with the place of the first.
    """
    few = _FEW if backend.accelerated(leaf) else 16 * _FEW
    if math.prod(leaf.shape) <= few:
        check_finite_array(backend.to_numpy(leaf), name)
        return
    wide = backend.cast(leaf, backend.accumulator_dtype(leaf))
    if np.isfinite(backend.to_numpy(backend.row_sums(backend.absolute(wide)))).all():
        return
    # The sum itself may have overflowed: look at every element.
    check_finite_array(backend.to_numpy(wide), name)


def check_finite_array(array: np.ndarray[Any, Any], name: str) -> None:
    """Checks an array on the host for finite numbers.

    Raises:
        InputError: NaN or inf, with the place of the first.
    """
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        where = tuple(int(i) for i in bad[0])
        raise InputError(
            f"{name} contains {array[where]} at index {where} ({len(bad)} non-finite in all); "
            f"expected finite numbers"
        )
