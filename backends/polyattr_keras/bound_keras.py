"""What a Keras model is on every framework; each backend adds how it is run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from polyattr.backend import BoundModel, Layer, Tap, Visits, Watched
from polyattr_keras.keeping import is_variable, keep_variable
from polyattr_keras.layer_finding import all_layers, find_layer
from polyattr_keras.logits import NAME, squashes
from polyattr_keras.tapping import Methods, tapped
from polyattr_keras.weights import layer_variables, value_of, with_variables

# What Keras keeps beside a layer to train, save, build and count it; no call reads it.
_UNREAD = frozenset(
    {
        *("optimizer", "_optimizer", "history", "stop_training", "_lock", "_tracker", "tracker"),
        *("train_function", "test_function", "predict_function", "_compile_loss", "_loss_tracker"),
        *("_compile_metrics", "_compile_config", "_compile_loss", "_metrics", "_seed_generators"),
        *("_losses", "_loss_ids", "_losses_override", "_auto_config", "_tracked", "_parent_path"),
        *("_trainable_variables", "_non_trainable_variables", "_saved_model_arg_spec"),
        *("_saved_model_inputs_spec", "_inbound_nodes", "_outbound_nodes", "_nodes"),
        *("_nodes_by_depth", "_inputs_struct", "_outputs_struct", "_inputs", "_outputs"),
        *("_call_signature", "call_signature_parameters", "_build_shapes_dict", "_called"),
        *("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer"),
        *("_self_unconditional_checkpoint_dependencies", "_self_unconditional_dependency_names"),
        *("_self_unconditional_deferred_dependencies", "_self_saveable_object_factories"),
        *("_self_name_based_restores", "_self_update_uid", "_obj_reference_counts_dict"),
    }
)


class KerasLayers(BoundModel):
    """The layers of a bound Keras model, whatever framework it runs on."""

    kind = "Keras model"

    def watched(self) -> Watched:
        """The model but for its variables, which are read by reference, or are the state."""
        return Watched((self._function,), passed=tuple(self._function.variables), unread=_UNREAD)

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:  # type: ignore[override]  # once built
        """That of a graph's only input."""
        inputs = getattr(self._function, "inputs", None) or []
        return tuple(inputs[0].shape) if len(inputs) == 1 else None

    @property
    def made(self) -> bool:
        """Whether the model was built."""
        return bool(self._function.built)

    def make(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Builds it outside of any trace, in which nothing could be put back."""
        before = [
            keep_variable(v, lambda: True) for v in self._function.variables if is_variable(v)
        ]
        try:
            self.run(self.state(), args, kwargs)
        finally:
            for variable in before:
                variable.put_back()

    def weights(self) -> Mapping[str, Sequence[Any]]:
        """What each layer has to be trained, whether it is frozen or not."""
        known = layer_variables(self._function)
        return {name: [value_of(v) for v in variables] for name, variables in known.items()}

    def with_weights(self, given: Mapping[str, Sequence[Any]]) -> AbstractContextManager[Any]:
        """Assigns to the variables, and what they were when the block ends."""
        return with_variables(self._function, given)

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a layer, also inside nested models."""
        return find_layer(self._function, selector, argument)

    def logits(self) -> str | None:
        """The name that finds them, in a layer of their own or fused with the softmax."""
        return f"output_layer={NAME!r}" if squashes(self._function) else None

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Runs the model with the `call` of the layers replaced."""
        visits = Visits(taps)
        with tapped(visits, self.plain_methods()):
            outputs = self.run(state, args, kwargs)
        return outputs, visits.seen

    def plain_methods(self) -> Methods:
        """Methods of layers to replace in a tapped run.

        One of them makes a layer forget its activations and compute them again, within a
        derivative of its own (``keras.RematScope``): this saves memory, and hides what is inside.
        """
        layers = (self._function, *all_layers(self._function))
        name = "rematerialized_call"
        return [(layer, name, _as_it_is) for layer in layers if hasattr(layer, name)]


def _as_it_is(call: Callable[..., Any], *_args: Any, **_kwargs: Any) -> Callable[..., Any]:
    return call
