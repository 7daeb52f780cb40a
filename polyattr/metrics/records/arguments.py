"""What the arguments of metrics are that several have."""

ARGUMENTS = """
Args:
    method: The explainer, which has the model.
    inputs: As for `Explainer.explain`; a dataset is gone through once.
    targets: Likewise. The class predicted at the input stays the target all along.
    attribution: An `Attribution`, or maps in the shape of the inputs, such as random ones, in the
        place of those of the method.
    replacement: What takes the place of removed features: what a baseline may be, in the shape of
        what is attributed to.
    channel_axis: Axis, counted with that of the samples, whose entries are removed together, by
        their sum: 1 for pictures (N, C, H, W). None removes each number by itself.
    seed: Of what is drawn.
    options: Further arguments of `Explainer.explain`: `baselines`, `forward_args`,
        `forward_kwargs`, `batched`, `sample_ids`.
"""
