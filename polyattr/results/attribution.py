"""The result of `attribute`: the values and everything known about them."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass, replace
from os import PathLike
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, MissingExtraError
from polyattr.question.checks import check_count
from polyattr.question.structure import flatten, map_leaves
from polyattr.results.saved_facts import check_saved

if TYPE_CHECKING:
    from polyattr.backend import GradBackend

Array = np.ndarray[Any, Any]

_FORMAT = 1
PER_SAMPLE = (
    "scores",
    "baseline_scores",
    "completeness_gap",
    "error",
    "converged",
    "evaluations",
    "targets",
)
"""The fields with one entry per sample, or None."""


@dataclass(frozen=True, repr=False)
class Attribution:
    """What `Explainer.attribute` returns.

    Attributes:
        values: Attributions in the containers of the inputs; native tensors with the shape, dtype
            and device of the inputs, or NumPy arrays after `to_numpy` and `load`.
        scores: (N,) scores f(x), in the units of the explained output.
        baseline_scores: (N,) scores f(b), or None for methods without a baseline.
        completeness_gap: (N,) ``sum(values) - (f(x) - f(b))``, signed, or None likewise.
        error: (N,) estimated relative error of `values`: the gap relative to f(x) - f(b) for path
            methods, the standard error of the map relative to its norm for sampled ones, 0 for
            exact gradients, NaN where a single draw allows no estimate.
        converged: (N,) whether `error` is within the method's tolerance.
        evaluations: (N,) gradient evaluations spent on each sample.
        targets: What was explained: class indices (N,) or (N, axes), weights, the name of a
            callable, or None where the output is the score.
        method: The explainer's repr, with all its settings.
        seed: Seed of the noise, or None for methods without noise.
        backend: Name of the backend.

    Example:
        >>> import polyattr, torch
        >>> result = polyattr.GradientInput(lambda x: 2 * x).attribute(torch.ones(1, 2))
        >>> result.targets, result.scores, result.values
        (array([0]), array([2.]), tensor([[2., 0.]]))
    """

    values: Any
    scores: Array
    baseline_scores: Array | None
    completeness_gap: Array | None
    error: Array
    converged: Array
    evaluations: Array
    targets: Array | str | None
    method: str
    seed: int | None
    backend: str
    _native: GradBackend | None = None

    def to_numpy(self) -> Attribution:
        """Returns the same attribution with `values` as NumPy arrays, their shapes unchanged.

        NumPy functions take an attribution of a single input as it is.

        Example:
            >>> import numpy as np, polyattr, torch
            >>> result = polyattr.Saliency(lambda x: x).attribute(torch.ones(1, 2))
            >>> type(result.to_numpy().values), np.sum(result).item()
            (<class 'numpy.ndarray'>, 1.0)
        """
        if self._native is None:
            return self
        native = self._native
        values = map_leaves(lambda t: None if t is None else native.to_numpy(t), self.values)
        return replace(self, values=values, _native=None)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The values of a single input as one array."""
        values = self.to_numpy().values
        if not isinstance(values, np.ndarray):
            raise InputError(
                f"this attribution holds {flatten(values, 'values')[0].outline()}; use "
                f"attribution.to_numpy().values and choose one input"
            )
        if copy is None:  # a value that NumPy 1 does not know
            return np.asarray(values, dtype=dtype)
        return np.array(values, dtype=dtype, copy=copy)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes everything to one npz file, readable by `polyattr.load` and by NumPy.

        Args:
            path: Where to write; ``.npz`` is appended if missing.

        Raises:
            InputError: Values in a dict whose keys are neither str nor int.
            InputTypeError: `path` is not one.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> polyattr.Saliency(lambda x: x).attribute(jnp.ones((1, 2))).save("map.npz")
        """
        _check_path(path)
        arrays: dict[str, Array] = {}
        layout = _pack(self.to_numpy().values, arrays)
        for name in PER_SAMPLE:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                arrays[name] = value
        meta = {
            "format": _FORMAT,
            "layout": layout,
            "method": self.method,
            "seed": self.seed,
            "backend": self.backend,
            "targets": self.targets if isinstance(self.targets, str) else None,
        }
        np.savez_compressed(path, meta=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]  # taken for its flags

    def plot(self, inputs: Any = None, titles: Any = None) -> Any:
        """Draws the values: heat maps with a zero-centred scale, or bars for feature vectors.

        Args:
            inputs: The explained inputs (N, ...), drawn beside the maps; optional.
            titles: One text per sample; optional, predicted from targets and scores otherwise.

        Returns:
            A matplotlib Figure, not registered with pyplot; ``figure.savefig(path)`` writes it.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: The values cannot be drawn, or `inputs` or `titles` do not match them.
            InputTypeError: `inputs` or `titles` are not what can be drawn or written.

        Example:
            >>> import polyattr, tensorflow as tf
            >>> method = polyattr.Saliency(lambda x: tf.reduce_sum(x, axis=[1, 2]))
            >>> method.attribute(tf.ones((1, 8, 8))).plot().savefig("map.png")
        """
        try:
            from polyattr.plots.maps import plot_attribution
        except ImportError:
            raise MissingExtraError("Attribution.plot()", "plots") from None
        if inputs is not None and self._native is not None and self._native.is_tensor(inputs):
            inputs = self._native.to_numpy(inputs)
        values = np.asarray(self)
        return plot_attribution(
            values, inputs=inputs, titles=self._titles() if titles is None else titles
        )

    def _titles(self) -> list[str]:
        prefix = [""] * len(self.scores)
        targets = self.targets
        if isinstance(targets, np.ndarray) and targets.ndim == 1 and targets.dtype.kind == "i":
            prefix = [f"class {target}, " for target in targets]
        return [f"{p}f(x) = {s:.3g}" for p, s in zip(prefix, self.scores, strict=True)]

    def __repr__(self) -> str:
        gap = self.completeness_gap
        worst = "" if gap is None else f", largest gap {np.abs(gap).max():.3g}"
        return (
            f"<Attribution of {len(self.scores)} samples by {self.method} on {self.backend}: "
            f"largest error {self.error.max():.3g}{worst}>"
        )


def load(path: str | PathLike[str], max_bytes: int = 2**33) -> Attribution:
    """Reads an attribution written by `Attribution.save`; values are NumPy arrays.

    Args:
        path: An npz file. Nothing in it is executed: pickled objects are refused.
        max_bytes: Most memory to unfold it to; a file from a stranger can be small and take far
            more.

    Returns:
        What was saved, in the shapes and dtypes it had; bfloat16 as float32.

    Raises:
        InputError: Not a file written by `Attribution.save`, or by a later format, or too large.
        InputTypeError: `path` is not one, or `max_bytes` no int.

    Example:
        >>> import polyattr, torch
        >>> polyattr.Saliency(lambda x: 2 * x).attribute(torch.ones(1, 2)).save("map.npz")
        >>> polyattr.load("map.npz").values
        array([[2., 0.]], dtype=float32)
    """
    _check_path(path)
    check_count("max_bytes", max_bytes, 0)
    # Opened here, since NumPy leaves its own handle open when the archive is broken.
    with open(path, "rb") as handle:
        try:
            return _read(handle, path, max_bytes)
        except InputError:
            raise
        except Exception as error:  # a broken archive can fail in any of zipfile, zlib, json, NumPy
            raise InputError(
                f"path {path} is not an attribution saved by polyattr: {error}"
            ) from None


def _read(handle: IO[bytes], path: object, max_bytes: int) -> Attribution:
    with np.load(handle, allow_pickle=False) as file:
        _check_sizes(file.zip, max_bytes)
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    if meta["format"] > _FORMAT:
        raise InputError(f"{path} has format {meta['format']}; this polyattr reads {_FORMAT}")
    values = _unpack(meta["layout"], arrays)
    found = {name: arrays.get(name) for name in PER_SAMPLE}
    found["targets"] = meta["targets"] if found["targets"] is None else found["targets"]
    check_saved(values, found, meta)
    return Attribution(
        values=values,
        method=meta["method"],
        seed=meta["seed"],
        backend=meta["backend"],
        **found,  # type: ignore[arg-type]  # `check_saved` checked them
    )


def _check_path(path: object) -> None:
    # A number would be taken for an open file's descriptor, and closed.
    if not isinstance(path, str | bytes | PathLike):
        raise InputTypeError(f"path is {path!r}; expected a str or a path")


def _check_sizes(archive: zipfile.ZipFile, max_bytes: int) -> None:
    """Checks what every array claims to hold against what the archive holds for it."""
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0
            shape, _, dtype = (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(
                stream
            )
            claimed = math.prod(shape) * dtype.itemsize
            if claimed != entry.file_size - stream.tell():
                raise ValueError(f"{entry.filename} claims {claimed} bytes and holds others")
        total += claimed
    if total > max_bytes:
        raise InputError(
            f"the arrays take {total} bytes, more than max_bytes={max_bytes}; pass a larger "
            f"max_bytes if the file is yours"
        )


def _pack(value: Any, arrays: dict[str, Array]) -> Any:
    """Moves leaves to `arrays` and returns the containers as JSON."""
    if isinstance(value, dict):
        wrong = [key for key in value if type(key) not in {str, int}]
        if wrong:
            raise InputError(
                f"values is a dict with the key {wrong[0]!r} of type {type(wrong[0]).__name__}; "
                f"a file can keep keys of type str and int"
            )
        return {"dict": [[key, _pack(child, arrays)] for key, child in value.items()]}
    if isinstance(value, tuple | list):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack(child, arrays) for child in value]}
    if value is None:
        return None
    name = f"values_{sum(n.startswith('values_') for n in arrays)}"
    # NumPy files know no bfloat16; widening it is exact.
    plain = value if value.dtype.kind in "biuf" else value.astype(np.float32)
    arrays[name] = plain
    return name


def _unpack(layout: Any, arrays: dict[str, Array]) -> Any:
    if layout is None:
        return None
    if isinstance(layout, str):
        return arrays[layout]
    kind, children = next(iter(layout.items()))
    if kind == "dict":
        return {key: _unpack(child, arrays) for key, child in children}
    parts = [_unpack(child, arrays) for child in children]
    return parts if kind == "list" else tuple(parts)
