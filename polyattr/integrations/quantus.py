"""Quantus, which measures maps with some forty metrics: its metrics on maps of polyattr.

Quantus takes models of PyTorch and TensorFlow; `ask` has it take those of every backend.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from inspect import signature
from typing import Any

import numpy as np

from polyattr.errors import InputTypeError, brief
from polyattr.explainer import Explainer
from polyattr.integrations.quantus_model import model_interface

Array = np.ndarray[Any, Any]

__all__ = ["ask", "explain_func", "model_interface"]


def explain_func(
    method: Callable[..., Explainer], *, channel_first: bool = False, **settings: Any
) -> Callable[..., Array]:
    """Makes what the metrics of Quantus take as `explain_func`.

    The explainer of a model is kept until another model comes, so that what was compiled for it
    serves all calls. The model of Quantus' metrics is the one that is explained: for logits of one
    that ends in a softmax give `output_layer` here, and Quantus ``softmax=False``.

    Args:
        method: A method such as `polyattr.IntegratedGradients`, or a callable that makes an
            explainer of a model: ``lambda model: SmoothGrad(of=IntegratedGradients(model))``.
        channel_first: Move the channels of maps (N, H, W, C) to (N, C, H, W). Quantus hands models
            of TensorFlow their pictures channels last, and compares maps with pictures (N, C, H,
            W): its metrics of faithfulness fail without this.
        **settings: Arguments of the method.

    Returns:
        ``explain_func(model, inputs, targets, **kwargs)``, which returns maps (N, ...) as NumPy
        arrays; `kwargs` are those of `Explainer.explain`, and the `device` of Quantus is left to
        the model.

    Raises:
        InputTypeError: `method` is an explainer, which has a model already, or no callable.

    Example:
        ```python
        from polyattr.integrations.quantus import explain_func

        explain = explain_func(polyattr.GradientInput)
        scores = quantus.Sparseness()(model, x_batch, y_batch, explain_func=explain)
        ```
    """
    if isinstance(method, Explainer) or not callable(method):
        raise InputTypeError(
            f"method is {brief(method)}; expected a class such as polyattr.IntegratedGradients: "
            f"the model comes from Quantus"
        )
    return _Explain(method, settings, channel_first)


class _Explain:
    """What `explain_func` returns: it keeps the explainer of the last model."""

    def __init__(
        self, method: Callable[..., Explainer], settings: dict[str, Any], channel_first: bool
    ) -> None:
        self.method, self.settings, self.channel_first = method, settings, channel_first
        self._last: Explainer | None = None
        self._model: Any = None

    def __call__(
        self, model: Any, inputs: Any, targets: Any, device: Any = None, **kwargs: Any
    ) -> Array:
        """Explains a batch (N, ...)."""
        if self._last is None or self._model is not model:
            self._last, self._model = self.method(model, **self.settings), model
        found = self._last.explain(inputs, targets, **kwargs)
        maps: Array = self._last._calls.backend_of(inputs).to_numpy(found)
        return np.moveaxis(maps, -1, 1) if self.channel_first else maps


def ask(metric: Any, model: Any, **settings: Any) -> Callable[..., Any]:
    """Has a metric of Quantus ask a model of any backend, those of JAX included.

    Quantus 0.6 knows models of PyTorch and TensorFlow only; the metric is copied, and handed the
    model in the form that Quantus' own code asks, a `ModelInterface`.

    Args:
        metric: An instance of one of Quantus' metrics; it stays as it is.
        model: Any model with one input (N, ...) and one output (N, classes) that polyattr takes,
            or what `model_interface` returned.
        **settings: Arguments of `model_interface`.

    Returns:
        What is called as the metric itself, by keywords and without `model`; pictures in `x_batch`
        are (N, C, H, W) unless ``channel_first=False`` is among them.

    Raises:
        MissingExtraError: Quantus is not installed.

    Example:
        ```python
        import quantus
        from polyattr.integrations.quantus import ask, explain_func

        metric = ask(quantus.PixelFlipping(), model)  # a JAX model
        scores = metric(
            x_batch=x, y_batch=y, explain_func=explain_func(polyattr.IntegratedGradients)
        )
        ```
    """
    given = hasattr(model, "get_softmax_arg_model")
    return _asking(metric, model if given else model_interface(model, **settings))


def _asking(metric: Any, interface: Any) -> Callable[..., Any]:
    """Returns the call of a copy of a metric, which gets the model after Quantus has looked."""
    own = copy(metric)
    plain = own.custom_preprocess

    def custom_preprocess(**data: Any) -> dict[str, Any]:
        found = plain(**(data | {"model": interface})) or {}
        return {**found, "model": interface}

    own.custom_preprocess = custom_preprocess
    own.evaluation_scores, own.all_evaluation_scores = [], []

    def asked(**given: Any) -> Any:
        usual = signature(type(metric).__call__).parameters["softmax"].default
        interface.softmax = given.get("softmax", usual)
        # Where the channels are would be guessed by the shape.
        return own(**({"a_batch": None, "channel_first": True} | given), model=None)

    return asked
