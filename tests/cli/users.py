"""What users of the command have: a linear model in each framework, tables, pictures."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

import polyattr

WEIGHTS = np.array([[1.0, 0.0], [2.0, -1.0], [-3.0, 0.5]])
BIAS = np.array([0.5, -0.25])
X = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0], [4.0, 0.25, 1.0]])
TABLE = "id,age,dose,rate\nAnn,1,2,3\nBob,0.5,-1,2\nCy,4,0.25,1\n"

_MODULES = {
    "torch": """
import torch
weights, bias = torch.tensor({w}), torch.tensor({b})
""",
    "tensorflow": """
import tensorflow
weights, bias = tensorflow.constant({w}), tensorflow.constant({b})
""",
    "jax": """
import jax.numpy
weights, bias = jax.numpy.array({w}), jax.numpy.array({b})
""",
}
_BODY = """
print("printed by the user's module")

def model(x):
    return x @ weights + bias

def make():
    return model

def make_for(device="any", **options):
    return model

def broken():
    raise RuntimeError("no\\nweights")

class Model:
    pass

def doubled(samples):
    return 2 * samples

def shorter(samples):
    return samples[:1]

number = 3
"""


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        assert self.code == 0, self.err
        return json.loads(self.out)

    def refused(self, code, *texts):
        """Asserts one line on stderr that says all of this, and nothing on stdout."""
        assert self.code == code, (self.code, self.err)
        assert self.out == ""
        lines = self.err.replace("printed by the user's module\n", "").splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("Error: ")
        assert len(lines[0]) <= 720
        for text in texts:
            assert text in lines[0], lines[0]


def write_module(folder, backend, name="mine"):
    """Writes a module with a linear model of a framework: ``x @ WEIGHTS + BIAS``."""
    head = _MODULES[backend].format(w=WEIGHTS.tolist(), b=BIAS.tolist())
    (folder / f"{name}.py").write_text(head + _BODY, encoding="utf-8")


def write_table(folder, text=TABLE, name="table.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return name


def write_picture(path, size=(6, 4), mode="RGB", seed=0):
    """Writes a picture of random pixels, (width, height); returns them, (height, width, 3)."""
    from PIL import Image

    depth = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], depth) if depth > 1 else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels, mode=None).save(path)
    return pixels


def saved_result(path, n=3, **changes):
    """Writes a result of `n` samples; returns it."""
    fields = {
        "values": np.array([[0.5, -2.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 5.0]])[:n],
        "scores": np.array([-1.0, 3.0, 5.0])[:n],
        "baseline_scores": np.array([0.5, 0.0, 0.0])[:n],
        "completeness_gap": np.array([0.0, -0.25, 0.125])[:n],
        "error": np.array([0.0, 0.5, np.nan])[:n],
        "converged": np.array([True, False, True])[:n],
        "evaluations": np.array([50, 50, 50])[:n],
        "targets": np.array([1, 0, 1])[:n],
        "method": "IntegratedGradients(steps=50)",
        "seed": None,
        "backend": "none",
        "names": polyattr.Names(
            features=["age", "dose", "rate"],
            classes=["no", "<b>yes</b>"],
            rows=["Ann", "Bob", "Cy"][:n],
        ),
    }
    result = polyattr.Attribution(**fields | changes)
    result.save(path)
    return result


def check_linear(told, factor=1.0):
    """The closed form of the linear model, at `factor` times the table."""
    scores = factor * X @ WEIGHTS[:, 0] + BIAS[0]
    assert [s["score"] for s in told["samples"]] == pytest.approx(scores.tolist(), rel=1e-5)
    for sample, x in zip(told["samples"], X, strict=True):
        values = {entry["feature"]: entry["value"] for entry in sample["top"]}
        shares = factor * x * WEIGHTS[:, 0]
        expected = dict(zip(["age", "dose", "rate"], shares, strict=True))
        assert values == pytest.approx(expected, rel=1e-4, abs=1e-5)
