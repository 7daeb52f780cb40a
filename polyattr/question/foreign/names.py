"""Other libraries' classes, functions and attributes: what polyattr has in their place, if it has.

The names are those of captum, xplique, PAIR saliency, shap, alibi, tf-explain, tf-keras-vis, zennit
and iNNvestigate.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_DRAWN = "Attribution.plot(), of what method.attribute returns"

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
    "NeuronGradientShap": (
        "ExpectedGradients(model, background=..., output_layer=...), with targets=... in the call"
    ),
    "InputBaselineXGradient": "ExpectedGradients(model, background=...)",
    "DataLoaderAttribution": "Explainer.explain(dataset), or explain_batches(dataset)",
    "LLMGradientAttribution": "IntegratedGradients(model, input_layer=...), of the embedding",
    "TokenReferenceBase": "baselines.Mean(), and other places for a path to start",
    "configure_interpretable_embedding_layer": "IntegratedGradients(model, input_layer=...)",
    "visualization": "Attribution.plot()",
    "visualize_image_attr": "Attribution.plot(inputs=images)",
    # xplique
    "BlackBoxExplainer": "Explainer(model), the base of all methods",
    "WhiteBoxExplainer": "Explainer(model), the base of all methods",
    "TorchWrapper": "Saliency(model), and so on: a torch model is taken as it is",
    # PAIR saliency, shap
    "GradientSaliency": "Saliency(model)",
    "GradientExplainer": "ExpectedGradients(model, background=...)",
    "GuidedIG": "GuidedIntegratedGradients(model)",
    "BlurIG": "BlurIntegratedGradients(model)",
    "XRAI": "regions.xrai(attribution, images), over the map of any method",
    "XRAIParameters": "regions.xrai(attribution, images), which has them as arguments",
    "CoreSaliency": "Explainer(model), the base of all methods",
    "Explanation": "Attribution(...), which method.attribute returns",
    **dict.fromkeys(("summary_plot", "bar_plot", "force_plot", "waterfall_plot"), _DRAWN),
    **dict.fromkeys(("image_plot", "text_plot", "decision_plot", "visualize"), _DRAWN),
    **dict.fromkeys(("plot", "show"), _DRAWN),
    "save": "Attribution.save(path), of what method.attribute returns",
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
        # captum
        *("DeepLift", "DeepLiftShap", "LayerDeepLift", "LayerDeepLiftShap", "NeuronDeepLift"),
        *("NeuronDeepLiftShap", "LayerGradCam", "LayerActivation", "InternalInfluence"),
        *("NeuronConductance", "GuidedGradCam", "GuidedBackprop", "Deconvolution", "LRP"),
        *("LayerLRP", "NeuronDeconvolution", "NeuronGuidedBackprop", "FeatureAblation"),
        *("LayerFeatureAblation", "NeuronFeatureAblation", "FeaturePermutation", "Occlusion"),
        *("LayerFeaturePermutation", "ShapleyValueSampling", "ShapleyValues", "KernelShap"),
        *("Lime", "LimeBase", "LLMAttribution", "RemoteLLMAttribution"),
        # xplique, tf-explain, tf-keras-vis, zennit, PAIR saliency
        *("GuidedBackpropagation", "DeconvNet", "GradCAM", "GradCAMPP", "GradCam", "Rise", "FEM"),
        *("SobolAttributionMethod", "HsicAttributionMethod", "ForGrad", "EpsilonPlus"),
        *("OcclusionSensitivity", "ExtractActivations", "Scorecam", "Gradcam", "GradcamPlusPlus"),
        # shap, alibi
        *("DeepExplainer", "KernelExplainer", "PartitionExplainer", "PermutationExplainer"),
        *("TreeExplainer", "GPUTreeExplainer", "LinearExplainer", "ExactExplainer"),
        *("SamplingExplainer", "AdditiveExplainer", "CoalitionExplainer", "LimeTabular", "Maple"),
        *("AnchorImage", "AnchorTabular", "AnchorText", "ALE", "CEM", "Counterfactual", "TreeShap"),
        *("CounterfactualProto", "CounterfactualRL", "PartialDependence", "PermutationImportance"),
    }
)
METRICS = frozenset(
    {
        *("MuFidelity", "Deletion", "Insertion", "CausalFidelity", "AverageStability", "MeGe"),
        *("AverageDropMetric", "AverageIncreaseMetric", "AverageGainMetric", "Complexity"),
        *("Sparseness", "RandomLogitMetric", "ModelRandomizationMetric"),
        *("infidelity", "sensitivity_max"),
    }
)
OTHER_QUESTIONS = frozenset(
    {
        *("TCAV", "Tcav", "Cav", "CraftTf", "CraftTorch", "HolisticCraftTf", "HolisticCraftTorch"),
        *("TracInCP", "TracInCPFast", "TracInCPFastRandProj", "ArnoldiInfluenceFunction"),
        *("NaiveInfluenceFunction", "SimilarityInfluence", "GradientSimilarity"),
    }
)
_INSTEAD = (
    "polyattr has none: it attributes by gradients of the model as it is, with "
    "IntegratedGradients or ExpectedGradients where values are to sum to the score"
)

_NO_METRICS = (
    "polyattr has no metrics of explanations; `error` of what `attribute` returns says how far the "
    "numbers are from the method's exact ones"
)
_NO_CONCEPTS = (
    "polyattr has none: it attributes scores to inputs and layers, not to concepts or to data that "
    "the model was trained on"
)

MEMBERS = {
    # of a method
    "shap_values": "method.explain(inputs, targets)",
    "GetMask": "method.explain(inputs, targets)",
    "GetSmoothedMask": "polyattr.SmoothGrad(of=method).explain(inputs, targets)",
    "attribute_future": "method.attribute(inputs, targets)",
    "explain_row": "method.explain(inputs, targets)",
    "get_explanation": "method.explain(inputs, targets)",
    "GetMaskWithDetails": "polyattr.regions.xrai(attribution, images)",
    "shap_interaction_values": "polyattr.SmoothHess(model).explain(inputs, targets)",
    "forward_func": "method.model",
    "predictor": "method.model",
    "multiplies_by_inputs": "method.multiply_by_inputs, of IntegratedGradients",
    "get_name": "repr(method), with its settings",
    "analyze": "method.explain(inputs, targets)",
    "gradient_func": "method.function(example, targets)",
    "compute_convergence_delta": "method.attribute(inputs, targets).completeness_gap",
    "has_convergence_delta": "method.attribute(inputs, targets).completeness_gap",
    # of a result
    "predictions": "method.attribute(inputs, targets).scores",
    "get_heatmap": "method.attribute(inputs, targets).values",
    "visualize": "method.attribute(inputs, targets).plot()",
    "attributions": "method.attribute(inputs, targets).values",
    "convergence_delta": "method.attribute(inputs, targets).completeness_gap",
    "delta": "method.attribute(inputs, targets).completeness_gap",
    "deltas": "method.attribute(inputs, targets).completeness_gap",
    "expected_value": "method.attribute(inputs, targets).baseline_scores",
}

RESULT_MEMBERS = {
    "refine": "method.refine(result, inputs, tolerance=...)",
    # of arrays and tables
    "shape": "result.values.shape",
    "head": "result[:5]",
    "iloc": "result[:5], or with any positions or mask of samples",
    "sort_values": "result.sort(field)",
    "to_csv": "result.to_frame().to_csv(path)",
    **dict.fromkeys(("to_pandas", "to_dataframe", "to_df"), "result.to_frame()"),
}
"""What only a result is asked for."""


def our_class(name: str) -> str:
    """Says what stands here for another library's class or function; "" if that is unknown."""
    if name in CLASSES:
        return f"here it is polyattr.{CLASSES[name]}"
    for names, said in (
        (ABSENT, _INSTEAD),
        (METRICS, _NO_METRICS),
        (OTHER_QUESTIONS, _NO_CONCEPTS),
    ):
        if name in names:
            return said
    return ""


def missing_name(name: str, ours: Iterable[str]) -> str:
    """Says what stands for a name that polyattr has not got, or which of ours is nearly it.

    Nothing where nothing is near, and for names with an underscore: tools ask for those.
    """
    known = our_class(name)
    if known or name.startswith("_"):
        return known and f"; {known}"
    near = difflib.get_close_matches(name, list(ours), n=2, cutoff=0.75)
    return f". Did you mean {' or '.join(near)}?" if near else ""


def missing_member(owner: object, name: str) -> str:
    """Says that a method or a result has no such attribute, and what stands for it here."""
    text = f"{type(owner).__name__!r} object has no attribute {name!r}"
    known = (MEMBERS | RESULT_MEMBERS).get(name)
    return f"{text}; here it is {known}" if known else text
