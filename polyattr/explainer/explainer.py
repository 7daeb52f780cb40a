"""The base of all methods: holds a model, normalises a call, runs the engine, shapes the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, ClassVar, Unpack

from polyattr.backend import GradBackend, Tensor
from polyattr.backend.held_objects import held_objects
from polyattr.backend.registry import detect, get_backend, unrecognised
from polyattr.engine.kernels import Kernels
from polyattr.engine.loop import Engine
from polyattr.errors import InputTypeError
from polyattr.explainer.call import CallOptions, Options, Runner, read_options
from polyattr.explainer.lock import CallLock
from polyattr.explainer.options import Common, Settings, check_common
from polyattr.explainer.progress import progress_bar
from polyattr.question import datasets
from polyattr.question.structure import flatten
from polyattr.results import joining
from polyattr.results.attribution import Attribution
from polyattr.sampling.points import Points
from polyattr.sampling.statistics import Accumulator, Mean
from polyattr.scores.scorer import Scorer
from polyattr.scores.taps import bind_taps
from polyattr.scores.tasks import task_of

Call = tuple[GradBackend, Any, Attribution | None]
"""Backend, attributions (N, ...), and what is known about them where that was asked for."""


class Explainer(ABC):
    """A method bound to a model; call it, or its `explain` or `attribute`, with inputs.

    Args:
        model: Any differentiable model of an installed framework; left as it is by every call.
        settings: The method's own arguments.
        backend: Name of a backend, a `GradBackend`, or None to find the model's own.
        output_layer: Layer whose output is scored, such as the logits before a softmax: its index
            (negative counts from the end), name or object; None for the model's output.
        input_layer: Layer to attribute to instead of the model's inputs, named likewise; a list of
            layers gives a dict. Integrated Gradients then follows the path between activations.
            What such a layer returns without a row per sample, as the last states of a recurrent
            one, stays as it is, with None in the result.
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

    uses_baselines: ClassVar[bool] = False

    def __init__(self, model: Any, settings: Settings, **common: Unpack[Common]) -> None:
        check_common(type(self), common)
        if isinstance(model, type):
            raise InputTypeError(
                f"model is the class {model.__name__}; expected an instance of it, "
                f"{model.__name__}(...)"
            )
        self.settings = settings
        self._model = model
        self._common = common
        self._begin()

    def _begin(self) -> None:
        self._lock = CallLock()
        self._runner: Runner | None = None
        backend = self._common.get("backend")
        owner = detect(self._model) if backend is None else get_backend(backend)
        if owner is not None:
            self._runner = self._bind(owner)

    def __getstate__(self) -> dict[str, Any]:
        """Pickles as model and arguments; kernels and locks are made anew by the reader."""
        return {"settings": self.settings, "_model": self._model, "_common": self._common}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    # -- what a method defines ----------------------------------------------------------------

    @property
    @abstractmethod
    def points(self) -> Points:
        """Where on each sample the gradient is taken."""

    @property
    def accumulator(self) -> Accumulator:
        """The statistic of the contributions over the points."""
        return Mean()

    @property
    def baseline_value(self) -> Any:
        """The baseline used when a call brings none."""
        return None

    @property
    def tolerance(self) -> float | None:
        """The relative error that was asked for."""
        return None

    @property
    def is_complete(self) -> bool:
        """Whether the attributions of a sample are meant to sum to f(x) - f(baseline)."""
        return False

    @property
    def noise(self) -> tuple[int, str] | None:
        """Seed and source of the noise, for methods that use any."""
        return None

    def contribution(self, gradient: Tensor) -> Tensor:
        """What one row's `gradient` (R, ...) adds to the statistic, in its shape."""
        return gradient

    def value(self, statistic: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
        """Turns `statistic` (N, ...) at `x` into attributions; `baseline` is None without one."""
        return statistic

    # -- calls ----------------------------------------------------------------------------------

    def __call__(self, inputs: Any, targets: Any = None, **options: Unpack[CallOptions]) -> Any:
        """Same as `explain`."""
        return self.explain(inputs, targets, **options)

    def explain(self, inputs: Any, targets: Any = None, **options: Unpack[CallOptions]) -> Any:
        """Computes attributions.

        Args:
            inputs: Floating tensor (N, ...) of the framework or of NumPy; a tuple, list or dict of
                them for a model with several inputs, where token ids, masks, None and the like
                are passed on to the model; or a dataset: any iterable of batches, or of (inputs,
                targets) batches.
            targets: Class index (int, or (N,) integers), a tuple of indices for outputs with more
                axes, weights in the shape of the output, a callable on the output, or None: the
                output itself where it is (N,) or (N, 1), else the predicted class.
            **options: Further arguments of the call:
                baselines: overrides `baseline_value`: a scalar, an array in the shape of one
                sample or of all, or a callable on the inputs. Only for methods with one.
                forward_args: tuple of arguments the model takes after its inputs.
                forward_kwargs: dict of arguments the model takes by name.
                batched: which of them have a row per sample, by position and name, such as
                ``(0, "mask")``; None takes those whose first axis has size N (none for datasets).
                progress: True shows a progress bar.

        Returns:
            Attributions in the containers, shapes, dtypes and device of the inputs.

        Raises:
            PolyattrError: Always a subclass that is also a ValueError, TypeError or ImportError.

        Example:
            >>> import jax.numpy as jnp, polyattr
            >>> polyattr.GradientInput(lambda x: 2 * x).explain(jnp.ones((1, 2)), targets=0)
            Array([[2., 0.]], dtype=float32)
        """
        calls = self._calls(inputs, targets, options, full=False)
        return joining.join_values((backend, values) for backend, values, _ in calls)

    def attribute(
        self, inputs: Any, targets: Any = None, **options: Unpack[CallOptions]
    ) -> Attribution:
        """Returns an `Attribution`: the values of `explain` and everything known about them.

        Takes the arguments of `explain` and raises its errors. May evaluate the model, without
        gradient, at the input and the baseline where the method's points do not include them.

        Example:
            >>> import polyattr, tensorflow as tf
            >>> method = polyattr.IntegratedGradients(lambda x: tf.reduce_sum(x, axis=1))
            >>> method.attribute(tf.ones((2, 3))).scores
            array([3., 3.])
        """
        calls = self._calls(inputs, targets, options, full=True)
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
        calls = self._calls(dataset, targets, options, full=False)
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
        calls = self._calls(dataset, targets, options, full=True)
        return (result for _, _, result in calls if result is not None)

    def _calls(self, inputs: Any, targets: Any, options: CallOptions, full: bool) -> Iterator[Call]:
        # Read here, not at the first step of the generator: wrong arguments fail at once.
        read = read_options(self, options)
        if datasets.is_dataset(inputs):
            datasets.check_targets(targets)
        return self._stream(inputs, targets, read, full)

    def _stream(self, inputs: Any, targets: Any, options: Options, full: bool) -> Iterator[Call]:
        batches: Iterable[tuple[Any, Any]] = [(inputs, targets)]
        if datasets.is_dataset(inputs):
            batches, options = datasets.batches(inputs, targets), options.for_dataset()
        with progress_bar(options.progress, type(self).__name__) as tick:
            for x, y in batches:
                with self._lock, self._ready(x) as runner:
                    values, result = runner.call(x, y, options, tick, full)
                yield runner.backend, values, result

    @contextmanager
    def _ready(self, inputs: Any) -> Iterator[Runner]:
        """Binds the model if only its inputs tell the framework, and surrounds the call."""
        leaves = flatten(inputs, "inputs")[1]
        if self._runner is None:
            # NumPy inputs say nothing, but the arrays a function computes with may.
            owner = detect(self._model, [*leaves, *held_objects(self._model)])
            if owner is None:
                raise unrecognised(self._model, leaves)
            self._runner = self._bind(owner)
        runner = self._runner
        bound = runner.engine.scorer.bound
        native = [leaf for leaf in leaves if runner.backend.is_tensor(leaf)]
        like = native[0] if native else bound.like
        with runner.backend.session(like), bound.inference():
            yield runner

    def _bind(self, backend: GradBackend) -> Runner:
        common = self._common
        taps = bind_taps(backend, self._model, common)
        given: Any = common.get("operator")
        scorer = Scorer(backend, taps, task_of(given) or given, common.get("output"))
        kernels = Kernels(taps.bound)
        engine = Engine(scorer, self.points, self.accumulator, self.contribution, kernels)
        return Runner(self, engine, common.get("batch_size", "auto"))

    def __repr__(self) -> str:
        own = {field.name: getattr(self.settings, field.name) for field in fields(self.settings)}
        shared = {name: value for name, value in self._common.items() if value is not None}
        listed = ", ".join(f"{name}={value!r}" for name, value in (own | shared).items())
        return f"{type(self).__name__}({listed})"
