"""What other libraries call things: our word for each, and where it goes.

One table for names of classes, one for names of arguments, one for what is read off a result. The
names are those of captum, xplique, PAIR saliency, shap, alibi, tf-explain, tf-keras-vis, zennit and
iNNvestigate.
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


CLASSES = {
    # captum
    "InputXGradient": "GradientInput(model)",
    "NoiseTunnel": "SmoothGrad(of=method), SquareGrad(of=method) or VarGrad(of=method)",
    "GradientShap": "ExpectedGradients(model, background=...)",
    "LayerIntegratedGradients": "IntegratedGradients(model, input_layer=...)",
    "LayerGradientXActivation": "GradientInput(model, input_layer=...)",
    "LayerGradientShap": "ExpectedGradients(model, background=..., input_layer=...)",
    "LayerConductance": "AttributionPatching(model, layers=[...], steps=50)",
    "NeuronGradient": "Saliency(model, output_layer=...), with targets=... in the call",
    "NeuronIntegratedGradients": (
        "IntegratedGradients(model, output_layer=...), with targets=... in the call"
    ),
    # PAIR saliency, shap
    "GradientSaliency": "Saliency(model)",
    "GradientExplainer": "ExpectedGradients(model, background=...)",
    "GuidedIG": "GuidedIntegratedGradients(model)",
    "BlurIG": "BlurIntegratedGradients(model)",
    "XRAI": "regions.xrai(attribution, images), over the map of any method",
    # tf-explain, zennit, iNNvestigate
    "VanillaGradients": "Saliency(model)",
    "VanillaGradient": "Saliency(model)",
    "GradientsInputs": "GradientInput(model)",
    "Gradient": "Saliency(model), or GradientInput(model) for gradient times input",
    "InputTimesGradient": "GradientInput(model)",
    "GradientTimesInput": "GradientInput(model)",
    # in papers and talk
    "IDG": "IntegratedDecisionGradients(model)",
    "IG": "IntegratedGradients(model)",
    "IntegratedGradient": "IntegratedGradients(model)",
    "SmoothGradient": "SmoothGrad(model)",
    "VarGradient": "VarGrad(model)",
}

# What perturbs inputs, fits another model or rewrites gradients of layers.
ABSENT = frozenset(
    {
        *("DeepLift", "DeepLiftShap", "LayerDeepLift", "LayerGradCam", "LayerActivation"),
        *("InternalInfluence", "NeuronConductance", "GuidedGradCam"),
        *("GuidedBackprop", "Deconvolution", "LRP", "LayerLRP", "FeatureAblation", "Occlusion"),
        *("FeaturePermutation", "ShapleyValueSampling", "ShapleyValues", "KernelShap", "Lime"),
        *("GuidedBackpropagation", "DeconvNet", "GradCAM", "GradCAMPP", "GradCam", "Rise"),
        *("SobolAttributionMethod", "HsicAttributionMethod", "ForGrad"),
        *("DeepExplainer", "KernelExplainer"),
        *("PartitionExplainer", "PermutationExplainer", "TreeExplainer"),
        *("OcclusionSensitivity", "AnchorImage", "AnchorTabular", "EpsilonPlus"),
    }
)
_INSTEAD = (
    "polyattr has none: it attributes by gradients of the model as it is, with "
    "IntegratedGradients or ExpectedGradients where values are to sum to the score"
)

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
_CLASS = OurWord(
    "the class says it: Saliency gives magnitudes, GradientInput signs; SmoothGrad a mean, "
    "SquareGrad a mean of squares, VarGrad a variance",
    "nowhere",
)

ARGUMENTS = {
    # polyattr's own, given to a class that has not got them
    "steps": _STEPS,
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
    "device_ids": OurWord("calls run on the device of the inputs", "nowhere"),
    "grad_kwargs": OurWord("gradients are taken as the framework gives them", "nowhere"),
    # xplique
    "reducer": _NO_SUM,
    "harmonize": _NO_SUM,
    "nb_steps": _STEPS,
    "labels": _TARGETS,
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
    "expected_keys": OurWord("it takes the gradients itself, from the model", "nowhere"),
    # shap
    "data": _BACKGROUND,
    "masker": _BACKGROUND,
    "local_smoothing": OurWord(
        "'of', ExpectedGradients(...), with 'noise'", "constructor", "SmoothGrad"
    ),
    "ranked_outputs": _TARGETS,
    "rseed": _SEED,
    "random_state": _SEED,
    "random_seed": _SEED,
    "return_variances": OurWord("`standard_error`", "result"),
    "check_additivity": _GAP,
    # alibi
    "target_fn": OurWord("'targets', which takes a callable on the output", "call"),
    "X": _INPUTS,
    # tf-explain, tf-keras-vis, zennit, iNNvestigate
    "validation_data": OurWord("inputs and targets, the first two arguments", "call"),
    "class_index": _TARGETS,
    "num_samples": _DRAWS,
    "layer_name": _LAYER,
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

MEMBERS = {
    # of a method
    "shap_values": "method.explain(inputs, targets)",
    "GetMask": "method.explain(inputs, targets)",
    "GetSmoothedMask": "polyattr.SmoothGrad(of=method).explain(inputs, targets)",
    "analyze": "method.explain(inputs, targets)",
    "gradient_func": "method.function(example, targets)",
    "compute_convergence_delta": "method.attribute(inputs, targets).completeness_gap",
    "has_convergence_delta": "method.attribute(inputs, targets).completeness_gap",
    # of a result
    "attributions": "method.attribute(inputs, targets).values",
    "convergence_delta": "method.attribute(inputs, targets).completeness_gap",
    "delta": "method.attribute(inputs, targets).completeness_gap",
    "deltas": "method.attribute(inputs, targets).completeness_gap",
    "expected_value": "method.attribute(inputs, targets).baseline_scores",
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


def our_class(name: str) -> str:
    """Says what stands here for another library's class; "" if that is unknown."""
    if name in CLASSES:
        return f"here it is polyattr.{CLASSES[name]}"
    return _INSTEAD if name in ABSENT else ""


def missing_member(owner: object, name: str) -> str:
    """Says that a method or a result has no such attribute, and what stands for it here."""
    text = f"{type(owner).__name__!r} object has no attribute {name!r}"
    return f"{text}; here it is {MEMBERS[name]}" if name in MEMBERS else text
