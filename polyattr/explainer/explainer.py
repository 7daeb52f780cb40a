"""The base of all methods: the calls a user makes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from polyattr.errors import InputError
from polyattr.explainer.function import differentiable
from polyattr.explainer.keeping.refinable import RefinableMethod
from polyattr.explainer.shown.call_arguments import (
    CALL_ARGUMENTS,
    KEPT_OF_A_DATASET,
    OF_A_DATASET,
    OF_A_FUNCTION,
)
from polyattr.explainer.shown.described import described_by
from polyattr.explainer.shown.own_words import own_words
from polyattr.question.datasets import is_dataset
from polyattr.results.attribution import Attribution


class Explainer(RefinableMethod):
    """A method bound to a model; call it, or its `explain` or `attribute`, with inputs.

    A subclass is a frozen dataclass without a decorator: its annotated fields are its keyword
    arguments, and its `recipe` says what it computes.

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

    @own_words
    @described_by(OF_A_DATASET)
    def explain_batches(
        self,
        dataset: Any,
        targets: Any = None,
        *,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
    ) -> Iterator[Any]:
        """Computes the attributions of a dataset batch by batch, holding one batch at a time.

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
        given = self._read(baselines, forward_args, forward_kwargs, batched, progress, sample_ids)
        return (values for _, values, _ in self._stream(dataset, targets, given))

    @own_words
    @described_by(OF_A_DATASET + KEPT_OF_A_DATASET)
    def attribute_batches(
        self,
        dataset: Any,
        targets: Any = None,
        *,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
        names: Any = None,
        keep_inputs: bool = False,
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
        beside = forward_args, forward_kwargs, batched
        given = self._read(baselines, *beside, progress, sample_ids, names, keep_inputs)
        calls = self._stream(dataset, targets, given, full=True)
        return (result for _, _, result in calls if result is not None)

    @own_words
    @described_by(CALL_ARGUMENTS)
    def warm(
        self,
        inputs: Any,
        targets: Any = None,
        *,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
    ) -> None:
        """Tries the model and compiles, so that calls like this one find everything done.

        A service calls it once for each kind of batch it will get. Warnings about the model come
        here, and not again; of a `budget_ms` all rounds. Where shapes are compiled, calls with
        other numbers of samples may still compile up to six sizes of blocks. Programs outlive the
        process by ``jax.config.update("jax_compilation_cache_dir", folder)`` and its like. Takes
        the arguments of `explain` and raises its errors.

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
        given = self._read(baselines, forward_args, forward_kwargs, batched, progress, sample_ids)
        given = replace(given, until=math.inf)
        # What the first call of a process loads and counts is settled in its second.
        for full in (False, True, False, True):
            deque(self._stream(inputs, targets, given, full), maxlen=0)

    @own_words
    @described_by(OF_A_FUNCTION)
    def function(
        self,
        example: Any,
        targets: Any = None,
        *,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
    ) -> Callable[[Any], Any]:
        """Returns the method as a pure function of the inputs, to be differentiated or compiled.

        The function takes inputs like the `example` and returns their attributions, native and not
        detached: it can be used under ``jax.jit``, ``grad`` and ``vmap``, inside ``tf.function``
        and under a tape, and its result has a graph in PyTorch. So a loss may contain attributions,
        for training with attribution priors (Erion et al. 2021, arXiv 1906.10670). Everything about
        the question but the inputs is fixed here. The model is evaluated in inference mode, its
        parameters stay differentiable.

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
        given = self._read(baselines, forward_args, forward_kwargs, batched, progress, sample_ids)
        return differentiable(self._calls, example, targets, given)
