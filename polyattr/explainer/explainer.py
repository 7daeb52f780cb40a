"""The base of all methods: the calls a user makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Unpack

from polyattr.errors import InputError
from polyattr.explainer.call import Call
from polyattr.explainer.function import differentiable
from polyattr.explainer.keeping.refinable import RefinableMethod
from polyattr.explainer.options import CallOptions, values_alone
from polyattr.question.datasets import is_dataset
from polyattr.question.foreign_names import missing_member
from polyattr.results import joining
from polyattr.results.attribution import Attribution
from polyattr.scores.each import Each


class Explainer(RefinableMethod):
    """A method bound to a model; call it, or its `explain` or `attribute`, with inputs.

    A subclass is a frozen dataclass without a decorator: its annotated fields are its keyword
    arguments, and its `recipe` says what it computes.

    Args:
        model: Any differentiable model of an installed framework; left as it is by every call.
        backend: Name of a backend, a `GradBackend`, or None to find the model's own.
        output_layer: Layer whose output is scored, such as the logits before a softmax: its index
            (negative counts from the end), name or object; None for the model's output.
        input_layer: Layer to attribute to instead of the model's inputs, named likewise; a list of
            layers gives a dict. Integrated Gradients then follows the path between activations.
            What such a layer returns without a row per sample, as the last states of a recurrent
            one, stays as it is, with None in the result. A layer that is called several times
            comes with the number of one call: ``("embed", 0)`` is the first.
        attribute_to_layer_input: Take what `input_layer` is given rather than what it returns.
        batch_size: Most rows per gradient call, over samples and points together; "auto" chooses
            from the size of a row, None sends everything in one call. Halved when memory runs
            out. Changes memory and time, never the answer.
        operator: ``g(model, inputs, targets) -> (N,)`` scores in the native framework; or a task:
            "classification" (also None), "regression" (sum of output x weights), "margin" (target
            minus best other), "log_odds" (of a softmax, from logits), "semantic segmentation"
            (mean over a zone), "object detection", or only its "object detection box position" /
            "box proba" / "box class"; see also `polyattr.loss`.
        output: Key, index or callable that selects one of several model outputs.
        domain: Coordinates to attribute in instead of the inputs': one of `polyattr.domains`, such
            as `Fourier`, or a `Domain` of yours; for several inputs also one or None for each in
            their containers. Baselines are still given as inputs; noise is added in the domain, and
            attributions have its shape.
        tangent: "simplex" for inputs that are one-hot along the last axis, ("simplex", axis) for
            another one: of each gradient the mean over that axis is subtracted, which says nothing
            about one-hot inputs (Majdandzic 2023). Attributions of a path still sum to f(x) - f(b)
            where the baseline has the sums of the inputs there, as 1/4 has for four letters.
        on_nonfinite: What to do about samples whose gradient is NaN or infinite at a point: "raise"
            an error that names them, or "mark" them: their attributions and errors are NaN and
            `converged` is False, one warning names sample and point, and all others are what they
            would be without them.

    Raises:
        UnknownBackendError: No plugin has that name.
        MissingFrameworkError: Its framework is not installed.
        UnrecognisedModelError: The backend cannot call the model.
        LayerNotFoundError: The model has no such layer.
        InputError: An argument is out of its range.
        InputTypeError: An argument has a name or type no method has, or `model` is a class.

    Example:
        >>> import polyattr, torch
        >>> polyattr.Saliency(torch.nn.Linear(4, 3), backend="torch")(torch.ones(2, 4)).shape
        torch.Size([2, 4])
    """

    # -- calls ----------------------------------------------------------------------------------

    def __call__(self, inputs: Any, targets: Any = None, **options: Unpack[CallOptions]) -> Any:
        """Same as `explain`."""
        return self.explain(inputs, targets, **options)

    def explain(self, inputs: Any, targets: Any = None, **options: Unpack[CallOptions]) -> Any:
        """Computes attributions.

        Args:
            inputs: Floating tensor (N, ...) of the framework or of NumPy, a DataFrame of numbers
                (N, F); a tuple, list or dict of them for a model with several inputs, where token
                ids, masks, None and the like are passed on to the model; or a dataset: any
                iterable of batches, or of (inputs, targets) batches.
            targets: Class index (int, or (N,) integers), counted from 0; a tuple of indices for
                outputs with more axes, or one such tuple per sample, (N, axes); weights in the
                shape of the output; a callable on the output; or None: the output itself where it
                is (N,) or (N, 1), else the predicted class. ``polyattr.each([0, 3, 5])`` asks for
                several at once: values then are (T, N, ...).
            **options: Further arguments of the call:
                baselines: overrides `baseline_value`: a scalar, an array in the shape of one
                sample, of all, or (N, K, ...) for K baselines per sample to average over, or a
                callable on the inputs. Only for methods with one.
                forward_args: tuple of arguments the model takes after its inputs.
                forward_kwargs: dict of arguments the model takes by name.
                batched: which of them have a row per sample, by position and name, such as
                ``(0, "mask")``; None takes those whose first axis has size N, if the model takes
                them so (none for datasets).
                progress: True shows a progress bar.
                sample_ids: whole numbers (N,), of a dataset for all its batches, that say which
                draws a sample has where each has its own (``shared_draws=False``).

        Returns:
            Attributions in the containers, shapes, dtypes and device of the inputs.

        Raises:
            PolyattrError: Always a subclass that is also a ValueError, TypeError or ImportError.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> polyattr.GradientInput(lambda x: 2 * x).explain(jnp.ones((1, 2)), targets=0)
            Array([[2., 0.]], dtype=float32)
        """
        calls = self._stream(inputs, targets, options, full=False)
        pairs = ((backend, values) for backend, values, _ in calls)
        return joining.join_values(pairs, axis=int(isinstance(targets, Each)))

    def attribute(
        self, inputs: Any, targets: Any = None, **options: Unpack[CallOptions]
    ) -> Attribution:
        """Returns an `Attribution`: the values of `explain` and everything known about them.

        Takes the arguments of `explain` and raises its errors. May evaluate the model, without
        gradient, at the input and the baseline where the method's points do not include them.
        ``names=polyattr.Names(...)`` names features, channels, classes, words and samples; what a
        DataFrame's columns and index, or an array's coordinates say, need not be given.
        ``keep_inputs=True`` keeps a copy of the inputs in the result, for pictures and `refine`.

        Example:
            >>> import polyattr, tensorflow as tf
            >>> method = polyattr.IntegratedGradients(lambda x: tf.reduce_sum(x, axis=1))
            >>> method.attribute(tf.ones((2, 3))).scores
            array([3., 3.])
        """
        calls = self._stream(inputs, targets, options, full=True)
        return joining.join((backend, result) for backend, _, result in calls if result is not None)

    def explain_batches(
        self, dataset: Any, targets: Any = None, **options: Unpack[CallOptions]
    ) -> Iterator[Any]:
        """Computes the attributions of a dataset batch by batch, holding one batch at a time.

        Args:
            dataset: Any iterable of batches, or of (inputs, targets) batches.
            targets: As for `explain`; holds for every batch.
            **options: As for `explain`.

        Returns:
            An iterator over the attributions (N, ...) of the batches, as `explain` returns them.

        Raises:
            PolyattrError: As `explain`; wrong arguments at once, wrong batches when they are met.

        Example:
            >>> import polyattr, torch
            >>> batches = ([torch.full((2, 3), float(i))] for i in range(3))
            >>> method = polyattr.GradientInput(lambda x: x.sum(-1), backend="torch")
            >>> [phi.sum().item() for phi in method.explain_batches(batches)]
            [0.0, 6.0, 12.0]
        """
        calls = self._stream(dataset, targets, options, full=False)
        return (values for _, values, _ in calls)

    def attribute_batches(
        self, dataset: Any, targets: Any = None, **options: Unpack[CallOptions]
    ) -> Iterator[Attribution]:
        """Computes the `Attribution` of each batch of a dataset, holding one batch at a time.

        Takes the arguments of `explain_batches` and raises its errors.

        Returns:
            An iterator over what `attribute` returns for each batch.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> batches = ([jnp.full((1, 2), float(i))] for i in range(3))
            >>> method = polyattr.IntegratedGradients(lambda x: x.sum(-1))
            >>> [result.scores.item() for result in method.attribute_batches(batches)]
            [0.0, 2.0, 4.0]
        """
        calls = self._stream(dataset, targets, options, full=True)
        return (result for _, _, result in calls if result is not None)

    def warm(self, inputs: Any, targets: Any = None, **options: Unpack[CallOptions]) -> None:
        """Tries the model and compiles, so that calls like this one find everything done.

        A service calls it once for each kind of batch it will get. Warnings about the model come
        here, and not again. Where shapes are compiled, calls with other numbers of samples may
        still compile up to six sizes of blocks. To have compiled programs outlive the process use
        the frameworks' own caches, as ``jax.config.update("jax_compilation_cache_dir", folder)``.

        Takes the arguments of `explain` and raises its errors.

        Raises:
            InputError: The inputs are a dataset.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> method = polyattr.GradientInput(lambda x: 2 * x)
            >>> method.warm(jnp.ones((1, 2)), targets=0)
            >>> method.explain(jnp.ones((1, 2)), targets=1)
            Array([[0., 2.]], dtype=float32)
        """
        if is_dataset(inputs):
            raise InputError(
                f"inputs is a dataset, a {type(inputs).__name__}; expected one batch: "
                f"method.warm(next(iter(dataset)))"
            )
        # What the first call of a process loads and counts is settled in its second.
        for _ in range(2):
            self.explain(inputs, targets, **values_alone(options))
            self.attribute(inputs, targets, **options)

    def function(
        self, example: Any, targets: Any = None, **options: Unpack[CallOptions]
    ) -> Callable[[Any], Any]:
        """Returns the method as a pure function of the inputs, to be differentiated or compiled.

        The function takes inputs like the `example` and returns their attributions, native and not
        detached: it can be used under ``jax.jit``, ``grad`` and ``vmap``, inside ``tf.function``
        and under a tape, and its result has a graph in PyTorch. So a loss may contain attributions,
        for training with attribution priors (Erion et al. 2021, arXiv 1906.10670). Everything about
        the question but the inputs is fixed here. The model is evaluated in inference mode, its
        parameters stay differentiable.

        Args:
            example: Inputs (N, ...) whose containers, shapes and dtypes all later ones have.
            targets: As for `explain`, except None where a class would have to be predicted. Labels
                (N,) may belong to the trace of the user's own training step.
            **options: As for `explain`; `progress` has no meaning here.

        Returns:
            A function from inputs (N, ...) to attributions (N, ...).

        Raises:
            InputError: The method chooses its rows by what earlier ones told, or attributes to a
                layer; or no class is named. All other errors are those of `explain`.

        Example:
            >>> import jax, jax.numpy as jnp, polyattr
            >>> method = polyattr.GradientInput(lambda x: (x**3).sum(axis=1))
            >>> phi = method.function(jnp.ones((1, 2)))
            >>> jax.grad(lambda x: phi(x).sum())(jnp.array([[1.0, 2.0]]))
            Array([[ 9., 36.]], dtype=float32)
        """
        return differentiable(self._calls, example, targets, self._read(options))

    if not TYPE_CHECKING:  # a type checker would take any name for known

        def __getattr__(self, name: str) -> Any:
            """Says what another library's name is called here."""
            raise AttributeError(missing_member(self, name))

    def _stream(
        self, inputs: Any, targets: Any, options: CallOptions, full: bool
    ) -> Iterator[Call]:
        # Read here, not at the first step of the generator: wrong arguments fail at once.
        return self._calls.stream(inputs, targets, self._read(options), full)
