"""Random dense networks: drawn by Hypothesis, computed in NumPy, explained on a backend.

Only shapes are static. Weights, inputs, baselines and targets are arrays which one compiled
explainer reads, so that a new example compiles nothing; where kernels are compiled at all, the
shapes come from a short list.
"""

import itertools
from dataclasses import dataclass, field, replace

import labs
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from labs.numpy_network import single
from parametric import parametric

import polyattr

NOISY = {"nb_samples": 6, "noise": 0.25, "seed": 3}
# Without those that need a background: it belongs to the explainer, while here a question brings
# everything but the weights' shapes.
METHODS = labs.settings_of(
    labs.METHODS,
    {
        "Saliency": {},
        "GradientInput": {},
        "IntegratedGradients": {"steps": 6, "rule": "gauss-legendre"},
        "GuidedIntegratedGradients": {"steps": 6, "max_dist": 0.2},
        "IDGI": {"steps": 6},
        "BlurIntegratedGradients": {"steps": 6, "max_sigma": 3.0},
        "IntegratedDecisionGradients": {"steps": 6},
        "SmoothGrad": NOISY,
        "SquareGrad": NOISY,
        "VarGrad": NOISY,
    },
)
ACTIVATIONS = ("relu", "tanh", "soft")
SIGNED = labs.named(m for m in labs.METHODS if m.signed)
# Of noise, what is not signed is in units of the squared gradient; Saliency is its magnitude.
SQUARED = (*labs.named(m for m in labs.NOISY if not m.signed), "IntegratedDecisionGradients")
# The input, or its distance from the baseline, is a factor: no property of the class says so.
FACTORS = (
    *("GradientInput", "IntegratedGradients", "GuidedIntegratedGradients", "IDGI"),
    *("IntegratedDecisionGradients", "BlurIntegratedGradients"),
)
# Features or directions are chosen by comparing gradients, which have the units of the features,
# and which are not those of a sum of models.
CHOOSING = ("GuidedIntegratedGradients", "IDGI")
# Features are mixed with those beside them: these have the same unit, and a place among each other.
MIXING = ("BlurIntegratedGradients",)
# They read scores, in which a shift of all rounds.
SCORED = ("IDGI", "IntegratedDecisionGradients")


@dataclass(frozen=True)
class Shape:
    """What is compiled into a kernel.

    Attributes:
        sizes: Features, hidden widths, classes.
        activations: One per hidden layer: "relu", "tanh", "soft" or "none".
        weighted: Targets are weights (N, classes) rather than indices (N,).
        n: Samples.
    """

    sizes: tuple
    activations: tuple
    weighted: bool = False
    n: int = 3

    @property
    def features(self):
        return self.sizes[0]

    @property
    def classes(self):
        return self.sizes[-1]


def random_shape(seed):
    """One to three hidden layers of one to eight units: what a compiled kernel is made for."""
    rng = np.random.default_rng(seed)
    names = tuple(str(name) for name in rng.choice(ACTIVATIONS, size=rng.integers(1, 4)))
    sizes = [int(size) for size in rng.integers(1, 9, size=len(names) + 2)]
    ends = max(sizes[0], 2), max(sizes[-1], 2)
    return Shape(
        (ends[0], *sizes[1:-1], ends[1]), names, bool(rng.integers(2)), int(rng.integers(1, 5))
    )


SHAPES = (
    Shape((3, 2), ()),
    Shape((3, 5, 2), ("relu",), weighted=True),
    Shape((4, 8, 1, 3), ("tanh", "soft")),
    *(random_shape(seed) for seed in (5, 6)),
)
LINEAR_SHAPES = (Shape((3, 2), ()),)
SMOOTH_SHAPES = (Shape((3, 4, 2), ("soft",)), Shape((3, 4, 5, 2), ("tanh", "tanh"), weighted=True))
RELU_SHAPES = (
    Shape((3, 8, 2), ("relu",)),
    Shape((4, 6, 3, 2), ("relu", "relu"), weighted=True),
    Shape((5, 8, 4, 7, 3), ("relu", "relu", "relu"), n=2),
)


@dataclass(frozen=True)
class Case:
    """One question about one network; its repr is all that is needed to repeat it.

    Attributes:
        shape: What is compiled.
        seed: Of everything drawn below.
        spread: Scale of inputs and baselines.
        biased: Whether layers have biases.
        zeros: Share of the inputs' entries that are exactly 0.
    """

    shape: Shape
    seed: int
    spread: float = 1.0
    biased: bool = True
    zeros: float = 0.0
    layers: tuple = field(default=None, repr=False)
    x: np.ndarray = field(default=None, repr=False)
    baselines: np.ndarray = field(default=None, repr=False)
    targets: np.ndarray = field(default=None, repr=False)

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        shape, put = self.shape, object.__setattr__
        rows = (shape.n, shape.features)
        if self.layers is None:
            put(self, "layers", draw_layers(rng, shape.sizes, self.biased))
        x = single(self.spread * rng.standard_normal(rows)) * (rng.random(rows) >= self.zeros)
        baselines = single(self.spread * rng.standard_normal(rows))
        indices = rng.integers(shape.classes, size=shape.n)
        weights = single(rng.standard_normal((shape.n, shape.classes)))
        targets = weights if shape.weighted else indices
        for name, value in (("x", x), ("baselines", baselines), ("targets", targets)):
            if getattr(self, name) is None:
                put(self, name, value)

    def but(self, **changes):
        """The same question with something else; arrays not named stay as they are."""
        kept = {name: getattr(self, name) for name in ("layers", "x", "baselines", "targets")}
        return replace(self, **kept | changes)

    @property
    def goal(self):
        """(N, classes) weights of the outputs, one-hot for indices."""
        if self.shape.weighted:
            return self.targets
        return np.eye(self.shape.classes)[self.targets]

    def scores(self, x=None):
        """(N,) scores in NumPy."""
        x = self.x if x is None else x
        return (self.goal * forward(np, self.layers, self.shape.activations, x)).sum(axis=1)

    def steepest(self):
        """(N,) bound on any entry of any gradient: all slopes are at most 1."""
        bound = np.abs(self.goal)
        for weight, _ in reversed(self.layers):
            bound = bound @ np.abs(weight).T
        return bound.max(axis=1)

    def size(self, method):
        """(N, 1) bound on any attribution of a method, which roundings are relative to."""
        steepest = self.steepest()[:, None]
        reach = np.abs(self.x).max() + np.abs(self.baselines).max()
        once = steepest * reach if method in FACTORS else steepest
        # A slope is a sum over features.
        return once**2 * self.shape.features if method in SQUARED else once


def draw_layers(rng, sizes, biased=True):
    """(weight, bias) pairs: inputs of order 1 give outputs of order 1."""
    layers = []
    for inside, outside in itertools.pairwise(sizes):
        weight = single(rng.standard_normal((inside, outside)) / np.sqrt(inside))
        bias = single(rng.standard_normal(outside)) if biased else np.zeros(outside)
        layers.append((weight, bias))
    return tuple(layers)


def forward(ops, layers, activations, x):
    """Evaluates the network with NumPy or with the vocabulary of a lab."""
    for i, (weight, bias) in enumerate(layers):
        x = ops.matmul(x, weight) + bias
        if i < len(activations):
            x = activate(ops, activations[i], x)
    return x


def activate(ops, name, z):
    if name == "soft":  # smooth, like softplus: within 0.5 of relu, slope between 0 and 1
        return (z + ops.sqrt(z * z + 1.0)) * 0.5
    if name == "relu":
        return np.maximum(z, 0) if ops is np else ops.relu(z)
    return ops.tanh(z) if name == "tanh" else z


def examples(count):
    """How Hypothesis runs here: the same examples every time, nothing written to disk.

    A first example compiles, so a deadline would measure the compiler.
    """
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def few(lab):
    """Shapes for a test whose model or settings are its own: each costs a compilation."""
    return SHAPES[1:2] if lab.compiled else SHAPES[1:]


@st.composite
def cases(draw, lab, shapes=SHAPES, spreads=(1.0, 0.25, 2.0), **fixed):
    """Draws a case: one of the shapes, or any of their kind where nothing is compiled."""
    given = {
        "seed": draw(st.integers(0, 2**16)),
        "spread": draw(st.sampled_from(spreads)),
        "biased": draw(st.booleans()),
        "zeros": draw(st.sampled_from((0.0, 0.3))),
    }
    shape = draw(st.sampled_from(shapes))
    if not lab.compiled:
        shape = draw(alike(shape, any_depth=shapes is SHAPES))
    return Case(shape, **given | fixed)


@st.composite
def alike(draw, shape, any_depth):
    """Draws a shape of any widths from 1 to 8, of the same activations or of any."""
    names = shape.activations
    if any_depth:
        names = tuple(draw(st.lists(st.sampled_from(ACTIVATIONS), max_size=4)))
    width = st.integers(1, 8)
    sizes = (draw(st.integers(2, 5)), *(draw(width) for _ in names), draw(st.integers(2, 4)))
    return Shape(sizes, names, draw(st.booleans()), draw(st.integers(1, 4)))


class Bench:
    """Explains cases with one explainer per shape and method.

    Args:
        lab: Of the backend under test.
    """

    def __init__(self, lab):
        self.lab = lab
        self._explainers = {}

    def explainer(self, case, method, body=forward, dtype="float64", **own):
        """Returns the explainer, its model holding the weights of the case."""
        arrays = [array for layer in case.layers for array in layer]
        shapes = tuple(array.shape for array in arrays)
        activations = case.shape.activations
        key = (shapes, activations, method, body, dtype, *own.items())
        if key not in self._explainers:
            # Few explainers alive where every example has a shape of its own.
            if not self.lab.compiled and len(self._explainers) > 20:
                self._explainers.clear()

            def evaluate(ops, weights, x):
                pairs = tuple(zip(weights[::2], weights[1::2], strict=True))
                return body(ops, pairs, activations, x)

            model, assign = parametric(self.lab, evaluate, arrays, dtype)
            made = getattr(polyattr, method)(model, **METHODS[method] | own)
            self._explainers[key] = made, assign
        made, assign = self._explainers[key]
        assign(arrays)
        return made

    def arguments(self, case, method, dtype="float64"):
        """Inputs, targets and baselines of a case as native tensors."""
        starts = hasattr(getattr(polyattr, method), "baseline_value")
        targets = case.targets
        targets = self.lab.tensor(targets, dtype) if case.shape.weighted else targets
        keywords = {"baselines": self.lab.tensor(case.baselines, dtype)} if starts else {}
        return (self.lab.tensor(case.x, dtype), targets), keywords

    def values(self, case, method, body=forward, dtype="float64", **own):
        """(N, features) attributions."""
        made = self.explainer(case, method, body, dtype, **own)
        positional, keywords = self.arguments(case, method, dtype)
        values = self.lab.numpy(made.explain(*positional, **keywords))
        assert values.dtype == dtype
        assert values.shape == case.x.shape
        assert np.isfinite(values).all()
        return values.astype(np.float64)

    def attribute(self, case, method, body=forward, dtype="float64", **own):
        """The whole result, with NumPy values."""
        made = self.explainer(case, method, body, dtype, **own)
        positional, keywords = self.arguments(case, method, dtype)
        return made.attribute(*positional, **keywords).to_numpy()


def assert_same(actual, expected, size, relative=1e-12):
    """Asserts equality up to roundings of quantities of the given size."""
    assert np.shape(actual) == np.shape(expected)
    excess = np.abs(np.asarray(actual) - expected) / (relative * size + 1e-300)
    assert excess.max() <= 1, f"{actual} is not {expected}: {excess.max():.3g} times too far"
