"""The result of `attribute`: the values and everything known about them."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from polyattr.results.samples import Samples

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, repr=False)
class Attribution(Samples):
    """What `Explainer.attribute` returns.

    A container of its N samples: it has a length, ``result[3]`` is an attribution of one sample,
    slices, positions and masks, as in ``result[~result.converged]``, are attributions of some, and
    everything that belongs to a sample is cut with it.

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
        methods: The settings of all samples, of which there are several after `Explainer.refine`;
            `method` is the first of them.
        settings: (N,) which of `methods` each sample was explained with.
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

    def save(self, path: str | PathLike[str]) -> None:
        """Writes everything to one file, readable by `polyattr.load`.

        As npz it is compressed, and NumPy reads it; bfloat16 is widened to float32. As safetensors
        all dtypes stay, memory is mapped to it, and the reader of each framework takes it.

        Args:
            path: Where to write: a name that ends with ``.npz`` or ``.safetensors``; ``.npz`` is
                appended if it ends with neither.

        Raises:
            InputError: Values in a dict whose keys are neither str nor int, or kept `inputs` that
                are no numbers.
            InputTypeError: `path` is not one.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> polyattr.Saliency(lambda x: x).attribute(jnp.ones((1, 2))).save("map.npz")
        """
        from polyattr.results.files.paths import write

        write(path, self)

    def to_frame(self) -> Any:
        """Returns a DataFrame of pandas.

        Of a table (N, F) one row per sample: its class, score, baseline's score, gap, error and the
        like, then a column per feature. Of several targets a row for each of them and each sample.
        Of any other shape, or of several inputs, one row per number: sample, places, value and
        standard error.

        Raises:
            MissingExtraError: pandas is not installed.
            InputError: A feature is called like one of the other columns.

        Example:
            >>> import pandas, polyattr, torch
            >>> result = polyattr.GradientInput(lambda x: x.sum(1)).attribute(torch.ones(1, 2))
            >>> named = result.named(features=["age", "income"], rows=["Ann"])
            >>> named.to_frame().loc["Ann", ["score", "age", "income"]].tolist()
            [2.0, 1.0, 1.0]
        """
        from polyattr.results.exports.frames import to_frame  # late, as all that few results need

        return to_frame(self)

    def to_xarray(self) -> Any:
        """Returns a Dataset of xarray, whose coordinates are the names.

        Its variables are "values", "standard_error", "inputs" where they are kept, and the facts of
        `to_frame`; of several inputs "values['ids']" and so on.

        Raises:
            MissingExtraError: xarray is not installed.

        Example:
            >>> import polyattr, torch, xarray
            >>> result = polyattr.GradientInput(lambda x: x.sum(1)).attribute(torch.ones(3, 2))
            >>> dict(result.to_xarray()["values"].sizes)
            {'sample': 3, 'feature': 2}
        """
        from polyattr.results.exports.dataset import to_xarray

        return to_xarray(self)

    def to_shap(self) -> Any:
        """Returns a ``shap.Explanation``, which all of shap's plots take.

        Its base values are `baseline_scores` (None for methods without a baseline, for which
        shap's waterfall and force plots have nothing to start from), its data the kept inputs or
        the words. Of several targets its outputs are the last axis, as in shap.

        Raises:
            MissingExtraError: shap is not installed.
            InputError: There are several inputs.

        Example:
            >>> import polyattr, shap, torch
            >>> method = polyattr.IntegratedGradients(lambda x: x.sum(1))
            >>> method.attribute(torch.ones(3, 2)).to_shap().base_values
            array([0., 0., 0.])
        """
        from polyattr.results.exports.explanation import to_shap

        return to_shap(self)

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

    def report(
        self, path: str | PathLike[str], *, inputs: Any = None, title: str | None = None,
        samples: Any = None, date: object = None,
    ) -> Path:  # fmt: skip
        """Writes one page of HTML for a colleague: pictures, numbers, and what to distrust.

        The page asks for nothing beside itself, prints, and is read on a phone. The same result
        gives the same bytes. `polyattr.reports.write_report` is this function, and has the
        arguments in full.

        Args:
            path: Where to write; ``.html`` is appended if it does not end so.
            inputs: What was explained, (N, ...); None for what was kept, if it was.
            title: Of the page.
            samples: Which samples are drawn; None for up to 200 that tell most.
            date: Of the report, as it is to stand there; None for none.

        Returns:
            Where it was written, a `pathlib.Path`.

        Raises:
            MissingExtraError: Jinja2 or matplotlib is not installed.
            InputError: There are no samples, or `inputs` or `samples` do not belong to them.
            InputTypeError: An argument is of another type.

        Example:
            >>> import jax.numpy as jnp, jinja2, polyattr
            >>> result = polyattr.GradientInput(lambda x: x.sum(1)).attribute(jnp.ones((3, 2)))
            >>> result.report("sums").name
            'sums.html'
        """
        from polyattr.reports.writing import write_report  # late: reports stand on results

        return write_report(self, path, inputs=inputs, title=title, samples=samples, date=date)

    def __repr__(self) -> str:
        from polyattr.results.showing import text

        return text(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the worst samples, in a table and, with matplotlib, a picture."""
        from polyattr.results.showing import SHOWN, page

        where = self._order(self.error, largest_first=True)[:SHOWN]
        worst = self._at(where)
        return page(self, worst, where.tolist(), worst.plot)


def load(path: str | PathLike[str], max_bytes: int = 2**33) -> Attribution:
    """Reads an attribution written by `Attribution.save`; values are NumPy arrays.

    Args:
        path: What was given to `save`. Nothing in the file is executed: pickled objects are
            refused.
        max_bytes: Most memory to unfold it to; a file from a stranger can be small and take far
            more. Of a safetensors file only what is bfloat16 is unfolded, the rest is mapped and
            read when it is looked at.

    Returns:
        What was saved, in the shapes and dtypes it had; bfloat16, which NumPy lacks, as float32.

    Raises:
        InputError: Not a file written by `Attribution.save`, or by a later format, or too large.
        InputTypeError: `path` is not one, or `max_bytes` no int.

    Example:
        >>> import polyattr, torch
        >>> polyattr.Saliency(lambda x: 2 * x).attribute(torch.ones(1, 2)).save("map.npz")
        >>> polyattr.load("map.npz").values
        array([[2., 0.]], dtype=float32)
    """
    from polyattr.results.files.paths import read

    return Attribution(**read(path, max_bytes))
