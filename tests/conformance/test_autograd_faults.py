"""A suite that a broken backend passes is none: one fault per verb, and the check that finds it."""

import re
from contextlib import contextmanager
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest

import polyattr
from polyattr.testing import BackendConformance

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-backend.md").read_text(encoding="utf-8")
NAMES = {"__name__": "polyattr_autograd"}
exec(compile(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[0], "page", "exec"), NAMES)
Sound = NAMES["AutogradBackend"]
sound = Sound()


def _scaled_gradient(self, score, rows):
    scores, gradients = Sound.grad(self, score, rows)
    return scores, [None if g is None else g * 2 for g in gradients]


def _scores_of_the_first_row(self, score, rows):
    scores, gradients = Sound.grad(self, score, rows)
    return np.full_like(scores, scores[0]), gradients


def _mean_gradient(self, score, rows):
    scores, gradients = Sound.grad(self, score, rows)
    return scores, [None if g is None else g * 0 + g.mean(axis=0) for g in gradients]


def _swapped_gradients(self, score, rows):
    scores, gradients = Sound.grad(self, score, rows)
    return scores, gradients[::-1]


def _recorded_gradient(self, score, rows):
    scores, gradients = Sound.grad(self, score, rows)
    trace = NAMES["trace"](NAMES["VJPNode"].new_root(), lambda x: x, scores)
    return anp.numpy_boxes.ArrayBox(scores, 0, trace[1]), gradients


def _assigned(self, total, index, rows):
    total[index] = rows
    return total


def _replaced(self, total, index, rows):
    return Sound.fold(self, np.zeros_like(total), index, rows)


def _one_stream(self, seed, draws, leaf, like):
    drawn = np.random.default_rng([seed, leaf])
    return drawn.standard_normal((len(draws), *like.shape[1:]), np.float32)


def _tile_noise(self, seed, draws, leaf, like):
    return Sound.noise(self, seed, range(len(draws)), leaf, like)


def _uniform_noise(self, seed, draws, leaf, like):
    found = [np.random.default_rng([seed, leaf, d]).random(like.shape[1:]) for d in draws]
    return np.stack(found).astype(np.float32)


def _frozen(self, function, donate=None):
    kept = []

    def kernel(*args):
        kept[:] = kept or [function(*args)]
        return kept[0]

    return kernel


@contextmanager
def _reseeding(self, like=None):
    np.random.seed(0)
    yield


def _drifting(self, baseline, rows, alpha):
    return baseline + (rows - baseline) * alpha.astype(rows.dtype)[:, None]


def _greedy(self, a, b):
    larger = self.cast(a >= b, self.dtype(a))
    return a * larger + b * (1 - larger)


def _first_axis(self, kind, tensor):
    return Sound.reduce(self, kind, np.swapaxes(tensor, 0, -1)).T


def _last_largest(self, kind, tensor):
    parts = [tensor[..., k] for k in range(tensor.shape[-1])]
    if kind == "sum":
        return Sound.reduce(self, kind, tensor)
    found = parts[0]
    for part in parts[1:]:
        found = _greedy(self, part, found)
    return found


# name: (verb, faulty implementation, check, its arguments)
FAULTS = {
    "gradient twice": ("grad", _scaled_gradient, "grad_of_a_quadratic", ((4, 3),)),
    "one score": ("grad", _scores_of_the_first_row, "grad_of_a_quadratic", ((4, 3),)),
    "mean gradient": ("grad", _mean_gradient, "grad_of_a_quadratic", ((4, 3),)),
    "gradients in another order": ("grad", _swapped_gradients, "grad_of_several_inputs", ()),
    "recorded scores": ("grad", _recorded_gradient, "grad_is_detached", ()),
    "everything connected": (
        "connected",
        lambda self, score, rows: [True] * len(rows),
        "connected",
        (),
    ),
    "nonzero means connected": (
        "connected",
        lambda self, score, rows: [bool(np.any(g)) for g in self.grad(score, rows)[1]],
        "connected_where_the_gradient_is_zero",
        (),
    ),
    "noise unsigned": (
        "add_noise",
        lambda self, rows, noise, scale: Sound.add_noise(self, rows, noise, abs(scale)),
        "add_noise",
        ("float32",),
    ),
    "an end that drifts": ("linspace", _drifting, "linspace", ("float32", False)),
    "path reversed": (
        "linspace",
        lambda self, b, x, alpha: Sound.linspace(self, b, x, 1 - alpha),
        "linspace",
        ("float32", True),
    ),
    "rows in order": (
        "batch",
        lambda self, tensor, index: tensor[np.sort(index)],
        "batch",
        ((4, 3), "int32"),
    ),
    "repeated indices lost": ("fold", _assigned, "fold_with_repeated_indices", ((3,),)),
    "total lost": ("fold", _replaced, "fold_adds_to_what_is_there", ("float32",)),
    "a column ignored": (
        "pick",
        lambda self, outputs, columns: Sound.pick(
            self, outputs, [columns[0], *(0 * c for c in columns[1:])]
        ),
        "pick",
        ("int32",),
    ),
    "one axis summed": (
        "row_sums",
        lambda self, tensor: tensor.sum(axis=-1),
        "row_sums",
        ((4, 2, 3),),
    ),
    "equals all to one": ("maximum", _greedy, "grad_of_maximum", ()),
    "smaller of two": (
        "maximum",
        lambda self, a, b: -Sound.maximum(self, -a, -b),
        "maximum",
        ("float32",),
    ),
    "ranks of each tensor by itself": (
        "ranks",
        lambda self, rows: [Sound.ranks(self, [row])[0] for row in rows],
        "ranks",
        ("float32",),
    ),
    "another axis reduced": ("reduce", _first_axis, "reduce", ("sum", (4, 2, 5))),
    "the last of the largest": (
        "reduce",
        _last_largest,
        "reduce_shares_the_gradient_of_the_maximum",
        (),
    ),
    "companions of the first rows": (
        "batch",
        lambda self, tensor, index: (
            tensor[index] if len(tensor.shape) > 1 else tensor[np.arange(len(index)) % len(tensor)]
        ),
        "every_sample_has_its_own_argument",
        (False, 2),
    ),
    "joined backwards": (
        "concat",
        lambda self, parts: np.concatenate(parts[::-1]),
        "concat",
        ((4, 3),),
    ),
    "dtype ignored": (
        "to_native",
        lambda self, array, like=None, dtype=None: np.array(array),
        "to_native_converts",
        ("float16",),
    ),
    "dtype of the other": (
        "to_native",
        lambda self, array, like=None, dtype=None: np.array(
            array, dtype or (None if like is None else like.dtype)
        ),
        "to_native_on_the_device_of_another",
        (),
    ),
    "memory shared": (
        "to_native",
        lambda self, array, like=None, dtype=None: np.asarray(array, dtype),
        "to_native_copies",
        (),
    ),
    "memory shared on the way back": (
        "to_numpy",
        lambda self, tensor: np.asarray(tensor),
        "to_numpy_copies",
        (),
    ),
    "cast copies": (
        "cast",
        lambda self, tensor, dtype: tensor.astype(dtype),
        "cast",
        ("float32", "float32"),
    ),
    "zeros of another dtype": (
        "zeros",
        lambda self, shape, like, dtype: np.zeros(shape, like.dtype),
        "zeros",
        ("float64",),
    ),
    "half accumulators": (
        "accumulator_dtype",
        lambda self, tensor: str(tensor.dtype),
        "accumulator_dtype",
        ("float16",),
    ),
    "values compiled in": ("compile", _frozen, "compile", ()),
    "noise by place": ("noise", _tile_noise, "noise_depends_on_its_name_alone", ()),
    "draw ignored": ("noise", _one_stream, "noise_of_other_names_differs", ()),
    "uniform noise": ("noise", _uniform_noise, "noise_is_standard_normal", ()),
    "random state moved": ("session", _reseeding, "session_restores", ()),
    "arrays claimed": (
        "claims",
        lambda self, candidate: isinstance(candidate, np.ndarray),
        "claims_nothing_else",
        (),
    ),
    "lookalikes taken": (
        "is_tensor",
        lambda self, value: hasattr(value, "shape"),
        "is_tensor",
        (),
    ),
    "any error is memory": (
        "is_out_of_memory",
        lambda self, error: True,
        "a_call_that_runs_out_of_memory",
        (),
    ),
    "another interface": ("interface", 0, "interface_version", ()),
    "single precision": (
        "accumulator_dtype",
        lambda self, tensor: "float32",
        "methods_in_float64",
        ("IntegratedGradients",),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_suite_finds(name):
    verb, fault, check, arguments = FAULTS[name]
    for backend, fails in (
        (type("Broken", (Sound,), {verb: fault})(), True),
        (type("Whole", (Sound,), {})(), False),
    ):
        suite = type("Suite", (BackendConformance,), {"backend": backend})()
        run = getattr(suite, f"test_{check}")
        if fails:
            # polyattr itself refuses rows that get each other's companions.
            with pytest.raises((AssertionError, polyattr.ModelOutputError)):
                run(*arguments)
        else:
            run(*arguments)
