"""Other libraries' arguments: our word for each, and where it goes.

The names are those of captum, xplique, PAIR saliency, shap, alibi, tf-explain, tf-keras-vis, zennit
and iNNvestigate, and polyattr's own where they are given to a class that has not got them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Place = Literal["constructor", "call", "result", "nowhere"]
"""Where our word goes: to the making of a method, to a call of it, or to what `attribute` returns;
"nowhere" where polyattr has no such choice."""


class OurWord(NamedTuple):
    """What polyattr has in the place of somebody else's name.

    Attributes:
        say: How it is written, or why there is none.
        place: Where it goes.
        maker: The class that has it in its constructor; "" where all have.
    """

    say: str
    place: Place
    maker: str = ""


_TARGETS = OurWord("'targets'", "call")
_BASELINES = OurWord("'baselines'", "call")
_STEPS = OurWord("'steps'", "constructor", "IntegratedGradients")
_DRAWS = OurWord("'nb_samples'", "constructor", "SmoothGrad")
_NOISE = OurWord("'noise', in the units of the inputs", "constructor", "SmoothGrad")
_SEED = OurWord("'seed'", "constructor", "SmoothGrad")
_BATCH = OurWord("'batch_size'", "constructor")
_MODEL = OurWord("the model, the first argument", "constructor")
_LAYER = OurWord("'input_layer'", "constructor")
_BACKGROUND = OurWord("'background'", "constructor", "ExpectedGradients")
_INPUTS = OurWord("inputs, the first argument", "call")
_ARGS = OurWord("'forward_args', with 'batched' for those that have a row per sample", "call")
_GAP = OurWord("`completeness_gap`, beside `error`", "result")
_NO_SUM = OurWord("maps come in the shape of the inputs; plot() sums channels", "nowhere")
_EMBEDDING = OurWord("'input_layer', the embedding; token ids are the inputs", "constructor")
_DEVICE = OurWord("calls run on the device of the inputs", "nowhere")
_UNTOUCHED = OurWord("nothing is perturbed: gradients are those at the inputs given", "nowhere")
_PLOT = OurWord("how a map looks is chosen when it is drawn, with Attribution.plot", "nowhere")
_REGIONS = OurWord("polyattr.regions.xrai(attribution, images, ...) has its own", "nowhere")
_PAIRS = OurWord("'pairs'", "constructor", "SmoothHess")
_CLASS = OurWord(
    "the class says it: Saliency gives magnitudes, GradientInput signs; SmoothGrad a mean, "
    "SquareGrad a mean of squares, VarGrad a variance",
    "nowhere",
)

ARGUMENTS = {
    # polyattr's own, given to a class that has not got them
    "steps": _STEPS,
    "max_steps": OurWord("'max_steps'", "constructor", "IntegratedGradients"),
    "path": OurWord("'path'", "constructor", "IntegratedGradients"),
    "converge_on": OurWord("'converge_on'", "constructor", "IntegratedGradients"),
    "tolerance": OurWord("'tolerance'", "constructor", "IntegratedGradients"),
    "max_sigma": OurWord("'max_sigma'", "constructor", "BlurIntegratedGradients"),
    "axes": OurWord("'axes'", "constructor", "BlurIntegratedGradients"),
    "fraction": OurWord("'fraction'", "constructor", "GuidedIntegratedGradients"),
    "max_dist": OurWord("'max_dist'", "constructor", "GuidedIntegratedGradients"),
    "layers": OurWord("'layers'", "constructor", "AttributionPatching"),
    "at": OurWord("'at'", "constructor", "AttributionPatching"),
    "features": OurWord("'features'", "constructor", "SmoothHess"),
    "others": OurWord("'others'", "constructor", "SmoothHess"),
    "pairs": _PAIRS,
    "noise_source": OurWord("'noise_source'", "constructor", "SmoothGrad"),
    "noise_mode": OurWord("'noise_mode'", "constructor", "SmoothGrad"),
    "distribution": OurWord("'distribution'", "constructor", "SmoothGrad"),
    "shared_draws": OurWord("'shared_draws'", "constructor", "SmoothGrad"),
    "antithetic": OurWord("'antithetic'", "constructor", "SmoothGrad"),
    "budget_ms": OurWord("'budget_ms'", "constructor", "IntegratedGradients"),
    "max_samples": OurWord("'max_samples'", "constructor", "SmoothGrad"),
    "baseline_value": OurWord("'baseline_value'", "constructor", "IntegratedGradients"),
    "rule": OurWord("'rule'", "constructor", "IntegratedGradients"),
    "multiply_by_inputs": OurWord("'multiply_by_inputs'", "constructor", "IntegratedGradients"),
    "nb_samples": _DRAWS,
    "noise": OurWord("'noise'", "constructor", "SmoothGrad"),
    "seed": _SEED,
    "of": OurWord("'of'", "constructor", "SmoothGrad"),
    "background": _BACKGROUND,
    # captum
    "target": _TARGETS,
    "n_steps": _STEPS,
    "method": OurWord("'rule', such as 'gauss-legendre'", "constructor", "IntegratedGradients"),
    "stdevs": _NOISE,
    "nt_samples": _DRAWS,
    "nt_samples_batch_size": _BATCH,
    "nt_type": _CLASS,
    "n_samples": _DRAWS,
    "draw_baseline_from_distrib": _BACKGROUND,
    "internal_batch_size": _BATCH,
    "perturbations_per_eval": _BATCH,
    "additional_forward_args": _ARGS,
    "return_convergence_delta": _GAP,
    "abs": _CLASS,
    "forward_func": _MODEL,
    "attribution_method": OurWord("'of'", "constructor", "SmoothGrad"),
    "layer": _LAYER,
    "attribute_to_layer_inputs": OurWord("'attribute_to_layer_input'", "constructor"),
    "neuron_selector": _TARGETS,
    "baseline": _BASELINES,
    "baselines": _BASELINES,
    "show_progress": OurWord("'progress'", "call"),
    "device_ids": _DEVICE,
    "dataloader": OurWord("inputs, the first argument, which may be a dataset", "call"),
    "attr_method": OurWord("'of'", "constructor", "SmoothGrad"),
    "attribute_to_neuron_input": OurWord("'attribute_to_layer_input'", "constructor"),
    "layer_baselines": _BASELINES,
    "memory_efficient": _BATCH,
    "relu_attributions": OurWord("values keep their signs", "nowhere"),
    "attr_dim_summation": _NO_SUM,
    "interpolate_mode": OurWord("maps have the shape of what they are of", "nowhere"),
    **dict.fromkeys(("feature_mask", "layer_mask", "perturb_func"), _UNTOUCHED),
    **dict.fromkeys(("sliding_window_shapes", "strides"), _UNTOUCHED),
    "inp": _INPUTS,
    "tokenizer": _EMBEDDING,
    "attr_target": _TARGETS,
    "num_trials": _DRAWS,
    "verbose": OurWord("'progress'", "call"),
    "grad_kwargs": OurWord("gradients are taken as the framework gives them", "nowhere"),
    # xplique
    "reducer": _NO_SUM,
    "harmonize": _NO_SUM,
    "nb_steps": _STEPS,
    "labels": _TARGETS,
    "conv_layer": _LAYER,
    "device": _DEVICE,
    "is_channel_first": OurWord("inputs go to the model as they are", "nowhere"),
    **dict.fromkeys(("grid_size", "perturbation_function", "preservation_probability"), _UNTOUCHED),
    **dict.fromkeys(("mask_value", "patch_size", "patch_stride", "occlusion_value"), _UNTOUCHED),
    # in other people's own code
    "sigma": _NOISE,
    "std": _NOISE,
    "stddev": _NOISE,
    "num_steps": _STEPS,
    "m_steps": _STEPS,
    # PAIR saliency
    "x_value": _INPUTS,
    "x_steps": _STEPS,
    "x_baseline": _BASELINES,
    "input_baseline": _BASELINES,
    "nsamples": _DRAWS,
    "stdev_spread": _NOISE,
    "magnitude": _CLASS,
    "call_model_function": _MODEL,
    "call_model_args": _ARGS,
    "grad_step": OurWord("the gradient along the scale is exact", "nowhere"),
    "feed_dict": OurWord("'forward_kwargs'", "call"),
    "base_attribution": _REGIONS,
    "extra_parameters": _REGIONS,
    "expected_keys": OurWord("it takes the gradients itself, from the model", "nowhere"),
    # shap
    "data": _BACKGROUND,
    "masker": _BACKGROUND,
    "local_smoothing": OurWord(
        "'of', ExpectedGradients(...), with 'noise'", "constructor", "SmoothGrad"
    ),
    "ranked_outputs": _TARGETS,
    "outputs": _TARGETS,
    "output_indexes": _TARGETS,
    "x": _INPUTS,
    "y": _TARGETS,
    "max_evals": OurWord("'steps', or 'nb_samples'", "constructor", "IntegratedGradients"),
    "link": OurWord("'operator', such as 'log_odds'", "constructor"),
    "algorithm": OurWord("the class says it, such as IntegratedGradients", "nowhere"),
    "interactions": _PAIRS,
    "error_bounds": OurWord("`standard_error`", "result"),
    "silent": OurWord("'progress', False unless given", "call"),
    "session": OurWord("the model is called as it is", "nowhere"),
    "rseed": _SEED,
    "random_state": _SEED,
    "random_seed": _SEED,
    "return_variances": OurWord("`standard_error`", "result"),
    "check_additivity": _GAP,
    # alibi
    "target_fn": OurWord("'targets', which takes a callable on the output", "call"),
    "X": _INPUTS,
    "Y": _TARGETS,
    "predictor": _MODEL,
    "predict_fn": _MODEL,
    # tf-explain, tf-keras-vis, zennit, iNNvestigate
    "validation_data": OurWord("inputs and targets, the first two arguments", "call"),
    "class_index": _TARGETS,
    "num_samples": _DRAWS,
    "layer_name": _LAYER,
    "layers_name": _LAYER,
    "colormap": _PLOT,
    "image_weight": _PLOT,
    "use_guided_grads": OurWord("gradients are those of the model as it is", "nowhere"),
    "score": _TARGETS,
    "seed_input": _INPUTS,
    "smooth_samples": _DRAWS,
    "smooth_noise": _NOISE,
    "keepdims": _NO_SUM,
    "normalize_map": _NO_SUM,
    "noise_level": _NOISE,
    "noise_scale": _NOISE,
    "n_iter": _STEPS,
    "baseline_fn": OurWord("'baselines', which takes a callable on the inputs", "call"),
    "attr_output": _TARGETS,
    "augment_by_n": _DRAWS,
    "reference_inputs": _BASELINES,
    "neuron_selection": _TARGETS,
    "neuron_selection_mode": _TARGETS,
}

_WHERE = {
    "constructor": "in the constructor, {maker}(model, ...)",
    "call": "in the call, method.explain(inputs, ...) or method.attribute(inputs, ...)",
    "result": "read off the result, method.attribute(inputs, ...)",
}


def our_argument(name: str, kind: str) -> str:
    """Says what another library's argument is called here and where it goes, or "" if unknown.

    Args:
        name: The argument that was given.
        kind: The method's class, for the constructor.
    """
    word = ARGUMENTS.get(name)
    if word is None:
        return ""
    if word.place == "nowhere":
        return f" polyattr has no such choice: {word.say}."
    return f" Here it is {word.say}, {_WHERE[word.place].format(maker=word.maker or kind)}."


def our_place(name: str, kind: str, place: Place) -> str:
    """Says where an argument of polyattr's own goes that was given in the wrong place."""
    return f" {name!r} goes elsewhere: {_WHERE[place].format(maker=kind)}."
