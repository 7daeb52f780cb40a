"""The result of `attribute`: the values and everything known about them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError
from polyattr.question.foreign_names import missing_member
from polyattr.question.structure import flatten, map_leaves
from polyattr.results import npz
from polyattr.results.names import Names

if TYPE_CHECKING:
    from polyattr.backend import GradBackend

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, repr=False)
class Attribution:
    """What `Explainer.attribute` returns.

    For T targets at once, as `polyattr.each` asks for, everything with an axis of N samples has one
    of T targets before it: (T, N) instead of (N,).

    Attributes:
        values: Attributions in the containers of the inputs; native tensors with the shape, dtype
            and device of the inputs, or NumPy arrays after `to_numpy` and `load`.
        scores: (N,) scores f(x), in the units of the explained output.
        baseline_scores: (N,) scores f(b), or None for methods without a baseline.
        completeness_gap: (N,) ``sum(values) - (f(x) - f(b))``, signed, or None likewise.
        error: (N,) estimated relative error of `values`: the L1 error of the map that
            `standard_error` leads to expect, over its L1 norm, ``sqrt(2 / pi) *
            sum(standard_error) / sum(abs(values))``, and for path methods no less than the gap is
            of that norm; 0 for exact gradients, NaN where a single draw allows no estimate.
        converged: (N,) whether `error` is within the method's tolerance.
        evaluations: (N,) gradient evaluations spent on each sample.
        targets: What was explained: class indices (N,) or (N, axes), weights, the name of a
            callable, or None where the output is the score.
        method: The explainer's repr, with all its settings.
        seed: Seed of the noise, or None for methods without noise.
        backend: Name of the backend.
        standard_error: Of each of the `values`, in their units, containers and shapes; None where
            the method has no estimate of it.
        bound: (N,) the summed error relative to the summed magnitude that path methods do not
            exceed if the gradient of a feature moves one way between neighbouring points; several
            times `error`. None for other methods.
        names: What features, channels, classes, words and samples are called; None if not known.
        inputs: What was explained, in its containers, where it was kept; or None.
        signed: Whether values can be negative, by the method, or are magnitudes, squares or
            variances; None in files that do not say.

    Raises:
        InputError: `names` has more or fewer entries than there are.

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
    standard_error: Any = None
    bound: Array | None = None
    names: Names | None = None
    inputs: Any = None
    signed: bool | None = None
    _native: GradBackend | None = None

    def __post_init__(self) -> None:
        if self.names is not None:
            axis = self.scores.ndim
            leaves = [leaf for leaf in flatten(self.values, "values")[1] if leaf is not None]
            self.names.check([tuple(leaf.shape)[axis:] for leaf in leaves], self.scores.shape[-1])

    if not TYPE_CHECKING:  # a type checker would take any name for known

        def __getattr__(self, name: str) -> Any:
            """Says what another library's name is called here."""
            raise AttributeError(missing_member(self, name))

    @property
    def base_values(self) -> Array | None:
        """What the attributions are measured from, (N,), as SHAP calls it: `baseline_scores`."""
        return self.baseline_scores

    def to_numpy(self) -> Attribution:
        """Returns the same attribution with NumPy arrays for tensors, their shapes unchanged.

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

        def host(tensors: Any) -> Any:
            return map_leaves(lambda t: native.to_numpy(t) if native.is_tensor(t) else t, tensors)

        return replace(
            self,
            values=host(self.values),
            standard_error=host(self.standard_error),
            inputs=host(self.inputs),
            _native=None,
        )

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
        host = self.to_numpy()
        npz.write(path, {field.name: getattr(host, field.name) for field in fields(host)})

    def plot(
        self, inputs: Any = None, titles: Any = None, *, kind: str | None = None, **options: Any
    ) -> Any:
        """Draws the values: maps, series, words, letters or bars, by their shape and names.

        Args:
            inputs: The explained inputs (N, ...); None for those that were kept, if they were.
            titles: One text per sample; None for target, score, gap and error.
            kind: "image", "tabular", "text", "timeseries", "logo", "interactions" or "summary";
                None for the one that fits.
            **options: Further arguments of that function in `polyattr.plots`.

        Returns:
            A matplotlib Figure, not registered with pyplot; ``figure.savefig(path)`` writes it.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: The values cannot be drawn, or `inputs` or `titles` do not match them.
            InputTypeError: `inputs`, `titles` or `options` are not what can be drawn or written.

        Example:
            >>> import polyattr, tensorflow as tf
            >>> method = polyattr.Saliency(lambda x: tf.reduce_sum(x, axis=[1, 2]))
            >>> method.attribute(tf.ones((1, 8, 8))).plot().savefig("map.png")
        """
        from polyattr.plots.choice import plot  # late: pictures stand on results

        return plot(self, inputs, titles, kind=kind, **options)

    def __repr__(self) -> str:
        gap = self.completeness_gap
        worst = "" if gap is None else f", largest gap {np.fmax.reduce(np.abs(gap), axis=None):.3g}"
        *targets, n = self.scores.shape
        samples = f"{n} samples" + "".join(f" at {count} targets" for count in targets)
        return (
            f"<Attribution of {samples} by {self.method} on {self.backend}: "
            f"largest error {np.fmax.reduce(self.error, axis=None):.3g}{worst}>"
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
    return Attribution(**npz.read(path, max_bytes))
