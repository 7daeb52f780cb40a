"""What the arguments of a call are: too much for one docstring, and true of all of them."""

CALL_ARGUMENTS = """
Args:
    inputs: Floating tensor (N, ...) of the framework or of NumPy, a DataFrame of numbers
        (N, F); a tuple, list or dict of them for a model with several inputs, where token
        ids, masks, None and the like are passed on to the model; or a dataset: any
        iterable of batches, or of (inputs, targets) batches.
    targets: Class index (int, or (N,) integers), counted from 0; a tuple of indices for
        outputs with more axes, or one such tuple per sample, (N, axes); weights in the
        shape of the output; a callable on the output; or None: the output itself where it
        is (N,) or (N, 1), else the predicted class. ``polyattr.each([0, 3, 5])`` asks for
        several at once: values then are (T, N, ...).
    baselines: Where paths start, in place of `baseline_value`, in the units of the inputs:
        a scalar, an array in the shape of one sample, of all, or (N, K, ...) for K
        baselines per sample to average over, or a callable on the inputs. Only for methods
        with one.
    forward_args: Arguments the model takes after its inputs.
    forward_kwargs: Arguments the model takes by name.
    batched: Which of them have a row per sample, by position and name, such as
        ``(0, "mask")``; None takes those whose first axis has size N, if the model takes
        them so (none for datasets).
    progress: Show a bar, which counts samples.
    sample_ids: Whole numbers (N,), of a dataset for all its batches, that say which draws a
        sample has where each has its own (``shared_draws=False``).
"""

KEPT = """\
    names: `polyattr.Names` of features (F,), channels (C,), classes, words and samples (N,); what
        a DataFrame's columns and index, or an array's coordinates say, need not be given.
    keep_inputs: Keep a copy of the inputs in the result, for pictures and `refine`.
"""

OF_A_DATASET = """
Args:
    dataset: Any iterable of batches, or of (inputs, targets) batches.
    targets: As for `explain`; holds for every batch, and None takes those of the dataset.
    baselines: As for `explain`: a scalar, in the shape of one sample, or a callable.
    forward_args: Arguments the model takes after its inputs, for every batch.
    forward_kwargs: Arguments the model takes by name, for every batch.
    batched: Which of them have a row per sample, by position and name; None for none.
    progress: Show a bar, which counts samples.
    sample_ids: Whole numbers (N,) for all batches, as for `explain`.
"""

OF_A_FUNCTION = """
Args:
    example: Inputs (N, ...) whose containers, shapes and dtypes all later ones have.
    targets: As for `explain`, except None where a class would have to be predicted. Labels (N,) may
        belong to the trace of the user's own training step.
    baselines: As for `explain`.
    forward_args: Arguments the model takes after its inputs.
    forward_kwargs: Arguments the model takes by name.
    batched: Which of them have a row per sample, by position and name, as for `explain`.
    progress: Has no meaning here.
    sample_ids: Whole numbers (N,), as for `explain`.
"""

KEPT_OF_A_DATASET = """\
    names: `polyattr.Names`, those of words and samples (N,) over all batches.
    keep_inputs: Keep a copy of the inputs of each batch in its result.
"""

OF_A_RESULT = """
Args:
    result: What `attribute` returned, some of its samples, or what `load` read.
    inputs: What was explained, in the result's order; None takes what the result keeps.
    targets: As given; None takes those the result knows, which is no callable.
    tolerance: Relative error to come within; None for the method's own, or 0.05.
    baselines: As they were given to `attribute`, for all samples.
    forward_args: Likewise; of those with as many rows as there are samples, `batched` has to say
        whether they are theirs.
    forward_kwargs: Likewise.
    batched: Which of them have a row per sample, by position and name.
    progress: Show a bar, which counts samples.
    sample_ids: As they were given to `attribute`.
"""
