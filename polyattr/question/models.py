"""What users pass for a model by mistake, told by what it has, and what they meant."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from polyattr.errors import UnrecognisedModelError

# What an object has, and what to do with it; the first row that fits.
_PIPELINE = ("preprocess", "postprocess", "model")
_KINDS = (
    (
        ("apply_fn", "params"),
        "It is a train state: pass lambda x: state.apply_fn({'params': state.params}, x)",
    ),
    (("param_groups", "zero_grad"), "It is an optimizer: pass the model it trains"),
    (("apply_gradients", "learning_rate"), "It is an optimizer: pass the model it trains"),
    (("init", "update", "_fields"), "It is an optimizer: pass a function of its parameters"),
    (("fit", "predict", "get_params"), "It is an estimator that has no gradient"),
    (("model",), "It holds a model: pass its .model"),
    (
        ("shape", "dtype"),
        "It is an array, perhaps what the model returned: pass the model itself, which is called "
        "with the inputs",
    ),
)
_TOKENIZER = ("convert_tokens_to_ids", "batch_decode", "image_mean")
_CHECKPOINT = ("state_dict", "model_state_dict", "model")


def mistaken(model: Any) -> str:
    """Says what an object that is no model is, and what to pass; "" where that is unknown."""
    if model is None:
        return "Did the function that builds the model return it?"
    if isinstance(model, str | bytes | PathLike):
        return "It is a name or a path: load the model first, and pass what that returns"
    if isinstance(model, Mapping):
        return _of_mapping(model)
    if isinstance(model, list):
        return "It is a list: explain one model after the other"
    if isinstance(model, tuple) and not hasattr(model, "_fields"):
        tokenizes = any(hasattr(p, name) for p in model[1:] for name in _TOKENIZER)
        tokenizes = tokenizes or any(isinstance(part, str) for part in model[1:])
        return "It is a model and what prepares its inputs: pass the model alone" * tokenizes
    if all(hasattr(model, attribute) for attribute in _PIPELINE):
        return "It is a pipeline, whose results carry no gradient: pass pipeline.model"
    for attributes, said in () if callable(model) else _KINDS:
        if all(hasattr(model, attribute) for attribute in attributes):
            return said
    return ""


def check_model(model: Any) -> None:
    """Checks that an object nobody has claimed may be a model.

    Raises:
        UnrecognisedModelError: It is known to be something else.
    """
    if said := mistaken(model):
        raise UnrecognisedModelError(
            f"model is of type {type(model).__module__}.{type(model).__qualname__}; expected a "
            f"module or function of an installed framework. {said}"
        )


def _of_mapping(model: Mapping[Any, Any]) -> str:
    inside = next((key for key in _CHECKPOINT if isinstance(model.get(key), Mapping)), None)
    if inside is not None:
        return (
            f"It is a checkpoint: build the model, model.load_state_dict(checkpoint[{inside!r}]), "
            f"and pass the model"
        )
    if model and all(hasattr(value, "shape") for value in model.values()):
        return "It is a state dict: build the model, model.load_state_dict(it), and pass the model"
    if model and all(isinstance(value, Mapping) for value in model.values()):
        return "They are the variables of a module: pass (module, variables)"
    return "It is a dict: pass the model itself"
