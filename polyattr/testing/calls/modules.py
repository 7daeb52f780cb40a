"""Checks of models of the framework's own kind: layers, weights that change, inference mode."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

import polyattr
from polyattr.testing import expect
from polyattr.testing.harness import Array, Harness, order_one
from polyattr.testing.models import single

_X = order_one(5, 4, seed=3)
_CLASSES = np.array([0, 2, 1, 1, 0])
_FIRST, _SECOND = order_one(4, 6, seed=4), order_one(6, 3, seed=5)


class ModuleChecks(Harness):
    """With the hooks `layered` and `dropout`; skipped without."""

    def _layered(self) -> tuple[Any, Any, Callable[[Array, Array], None]]:
        """The subclass's model with `_FIRST` and `_SECOND` as its weights."""
        made = self.layered()
        if made is None:
            pytest.skip("the subclass has no layered() hook")
        model, layer, load = made
        load(_FIRST.astype(np.float32), _SECOND.astype(np.float32))
        return model, layer, load

    def test_a_module(self) -> None:
        """The gradient of the classes by the inputs."""
        model, _, _ = self._layered()
        found = self.explainer("GradientInput", model, batch_size=3).explain(
            self.native(_X), _CLASSES
        )
        expect.close(self.host(found), _X * _gradient(_FIRST, _SECOND), 1e-5, "x * gradient")

    def test_the_output_of_a_layer(self) -> None:
        """A unit of the first layer is explained instead of a class."""
        model, layer, _ = self._layered()
        made = self.explainer("GradientInput", model, output_layer=layer, batch_size=3)
        found = self.host(made.explain(self.native(_X), 4))
        expect.close(found, _X * _FIRST[:, 4], 1e-5, "x * weights of the unit")

    def test_the_activation_of_a_layer(self) -> None:
        """Classes are explained by what the first layer returns."""
        model, layer, _ = self._layered()
        made = self.explainer("GradientInput", model, input_layer=layer, batch_size=3)
        found = self.host(made.explain(self.native(_X), _CLASSES))
        hidden = _X @ _FIRST
        wanted = np.maximum(hidden, 0) * _SECOND.T[_CLASSES]
        expect.close(found, wanted, 1e-5, "activation * gradient")

    def test_the_input_of_a_layer(self) -> None:
        """Classes are explained by what the first layer takes: here the inputs."""
        model, layer, _ = self._layered()
        made = self.explainer(
            "IntegratedGradients",
            model,
            input_layer=layer,
            attribute_to_layer_input=True,
            steps=3,
            batch_size=4,
        )
        found = self.host(made.explain(self.native(_X), _CLASSES))
        # ReLU without biases is linear on the path from zero.
        expect.close(found, _X * _gradient(_FIRST, _SECOND), 1e-5, "integral")

    def test_a_layer_that_is_not_there(self) -> None:
        """An unknown layer is an error that names it."""
        model, _, _ = self._layered()
        with pytest.raises(polyattr.LayerNotFoundError, match="no_such_layer"):
            self.explainer("Saliency", model, output_layer="no_such_layer")

    def test_weights_that_change(self) -> None:
        """After training, the new weights are explained, and nothing is compiled anew."""
        model, _, load = self._layered()
        made = self.explainer("GradientInput", model)
        first, second = single(_FIRST * 0.5 - 0.25), single(_SECOND[::-1] + 0.125)
        made.explain(self.native(_X), _CLASSES)
        load(first.astype(np.float32), second.astype(np.float32))
        compiler = self.backend.compile
        with mock.patch.object(self.backend, "compile", side_effect=compiler) as compiling:
            found = self.host(made.explain(self.native(_X), _CLASSES))
        expect.close(found, _X * _gradient(first, second), 1e-5, "x * gradient of the new weights")
        expect.equal(
            compiling.call_count,
            0,
            "kernels compiled only because weights changed (does `state` return the weights?)",
        )

    def test_inference_mode(self) -> None:
        """A model in training mode is explained in inference mode, and trains on afterwards."""
        model = self.dropout()
        if model is None:
            pytest.skip("the subclass has no dropout() hook")
        x = self.native(np.ones((4, 64)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", polyattr.TrainingModeWarning)
            made = self.explainer("GradientInput", model, batch_size=3)
            found = self.host(made.explain(x, np.ones((4, 64))))
        expect.same(found, np.ones((4, 64)), "x * gradient of a model that hands its inputs on")
        dropped = self.host(model(x)) == 0
        expect.true(dropped.any(), "the model drops nothing any more: its mode was not put back")


def _gradient(first: Array, second: Array) -> Array:
    """The gradient of `_CLASSES` at `_X` for weights (4, 6) and (6, 3)."""
    active = _X @ first > 0
    gradient: Array = (active * second.T[_CLASSES]) @ first.T
    return gradient
