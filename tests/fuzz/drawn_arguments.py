"""Arguments, sensible and not. Sizes are bounded, so that nothing valid takes long."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from labs import EVERY_METHOD, settings_of

from polyattr.sampling.quadrature import RULES

NUMBERS = st.one_of(
    st.integers(-3, 12),
    st.floats(width=32),
    st.sampled_from([np.int64(4), np.uint8(3), np.float32(0.1), np.float64("nan"), np.bool_(1)]),
    st.sampled_from([Fraction(1, 3), 10**400, -(10**400), 2**70, 1e300, -0.0, 5e-324, 1 + 2j]),
)
OBJECTS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=6),
    st.binary(max_size=3),
    st.sampled_from([(), [], {}, [None], object(), type, Path("x"), Ellipsis, slice(2)]),
    st.builds(set),
    st.builds(lambda size: np.arange(size, dtype=float), st.integers(0, 3)),
    st.just(np.array(None)),
    st.just(np.array(["a", "b"])),
)
ANYTHING = NUMBERS | OBJECTS

# Counts are costs: whatever is a whole number here is small.
COUNTS = st.one_of(
    st.integers(-2, 9),
    st.sampled_from([np.int8(5), np.uint64(3), 2.0, float("inf"), float("nan"), "4", True]),
    OBJECTS,
)


def mostly(valid, anything=ANYTHING):
    """Something valid, and one time in four something that need not be."""
    return st.integers(0, 3).flatmap(lambda dice: anything if dice == 3 else valid)


def uniform(shape, seed, dtype):
    """An array small enough that nothing overflows."""
    return np.random.default_rng(seed).uniform(-4.0, 4.0, shape).astype(dtype)


def arrays(*shapes, dtypes=("float32", "float64", ">f4", "float16")):
    """Floating arrays of one of the shapes."""
    return st.builds(uniform, st.sampled_from(shapes), st.integers(0, 9), st.sampled_from(dtypes))


NOISE = {
    "nb_samples": mostly(st.integers(2, 6) | st.just("auto"), COUNTS),
    "noise": mostly(st.floats(0, 2), ANYTHING),
    "seed": mostly(st.integers(0, 2**80), ANYTHING),
    "noise_source": mostly(st.sampled_from(("portable", "native"))),
    "noise_mode": mostly(st.sampled_from(("absolute", "relative"))),
    "shared_draws": mostly(st.booleans()),
    "tolerance": mostly(st.none() | st.floats(0, 2)),
    "max_samples": mostly(st.integers(32, 48), COUNTS),
}
LOOKED = {
    "steps": mostly(st.integers(3, 6), COUNTS),
    "tolerance": mostly(st.none() | st.floats(0, 2)),
    "baseline_value": mostly(st.floats(-2, 2)),
}
# What a method cannot be made without.
NEEDED = {"background"}
OWN = settings_of(
    EVERY_METHOD,
    {
        "Saliency": {},
        "GradientInput": {},
        "IntegratedGradients": {
            "steps": mostly(st.integers(3, 6), COUNTS),
            "rule": mostly(st.sampled_from(list(RULES))),
            "tolerance": mostly(st.none() | st.floats(0, 2)),
            "multiply_by_inputs": mostly(st.booleans()),
            "baseline_value": mostly(st.floats(-2, 2)),
        },
        "GuidedIntegratedGradients": {
            "steps": mostly(st.integers(2, 6), COUNTS),
            "fraction": mostly(st.floats(0, 1)),
            "max_dist": mostly(st.floats(0, 1)),
            "tolerance": mostly(st.none() | st.floats(0, 2)),
            "baseline_value": mostly(st.floats(-2, 2)),
        },
        "IDGI": LOOKED,
        "BlurIntegratedGradients": {
            "steps": mostly(st.integers(3, 6), COUNTS),
            "max_sigma": mostly(st.floats(0.1, 100)),
            "axes": mostly(st.none() | st.sampled_from([(1,), (-1,), (1, 2)])),
            "rule": mostly(st.sampled_from(list(RULES))),
            "tolerance": mostly(st.none() | st.floats(0, 2)),
        },
        "IntegratedDecisionGradients": LOOKED,
        "SmoothGrad": {**NOISE, "antithetic": mostly(st.booleans())},
        "SquareGrad": NOISE,
        "VarGrad": NOISE,
        "ExpectedGradients": {
            "background": mostly(arrays((1, 2), (3, 2))),
            "nb_samples": mostly(st.integers(2, 6) | st.just("auto"), COUNTS),
            "seed": mostly(st.integers(0, 2**80), ANYTHING),
            "tolerance": mostly(st.none() | st.floats(0, 2)),
            "max_samples": mostly(st.integers(32, 48), COUNTS),
        },
    },
)
TASKS = (
    "classification",
    "regression",
    "margin",
    "log_odds",
    "semantic segmentation",
    "object detection",
    "object detection box position",
    "object detection box proba",
    "object detection box class",
)
LAYERS = ("dense0", "activation0", "logits", "probabilities", 0, -1, 2, -4)
LAYER = st.none() | st.sampled_from(LAYERS)
COMMON = {
    "batch_size": mostly(st.none() | st.just("auto") | st.integers(1, 5) | st.just(2**70)),
    "output_layer": mostly(LAYER),
    "input_layer": mostly(LAYER | st.lists(st.sampled_from(LAYERS), max_size=3), ANYTHING),
    "attribute_to_layer_input": mostly(st.booleans()),
    "operator": mostly(st.none() | st.sampled_from(TASKS)),
    "output": st.none() | ANYTHING,
}


@st.composite
def keywords(draw, table, most=3):
    """Draws some of a table's keywords, and all that cannot be left out."""
    names = draw(st.lists(st.sampled_from(sorted(table)), unique=True, max_size=most))
    return {name: draw(table[name]) for name in dict.fromkeys([*names, *(NEEDED & set(table))])}


def needed(method):
    """The part of a method's own keywords that cannot be left out."""
    return {name: values for name, values in OWN[method].items() if name in NEEDED}


def broken(shape):
    """Arrays of a shape that cannot be explained: other dtypes, or not finite."""
    base = np.ones(shape, np.float32)
    spoilt = [base.copy() for _ in range(2)]
    for array, value in zip(spoilt, (np.nan, np.inf), strict=True):
        array.flat[-1:] = value
    others = [base.astype(kind) for kind in ("int64", "bool", "complex64", "O", "U3", "M8[s]")]
    return st.sampled_from([*spoilt, *others, np.longdouble(1) * base])
