"""Losses of any targets, and the command line with any arguments."""

import click.testing
import numpy as np
from drawn_arguments import ANYTHING, arrays, broken, mostly
from expectation import allowed, assert_like, examples
from hypothesis import given
from hypothesis import strategies as st

import polyattr
from polyattr.backend.registry import get_backend
from polyattr.cli import command as cli

N, F, C = 2, 3, 4
X = np.array([[1.0, -2.0, 0.5], [0.5, 3.0, -1.0]], np.float32)
MADE = {}


@examples(60)
@given(function=ANYTHING)
def test_functions_that_are_none(function):
    made = allowed(lambda: polyattr.loss(function), "function")
    assert made is None or callable(function)


GOALS = st.one_of(
    arrays((N,), (N, C), (N, C, 1), (C,), (), (0,), (3, C), dtypes=("float32", "float64")),
    st.integers(-2, C + 1),
    st.lists(st.integers(-2, C + 1), max_size=3),
    st.lists(st.integers(0, 255), min_size=N, max_size=N).map(lambda few: np.array(few, np.uint8)),
    broken((N, C)),
    ANYTHING.filter(lambda value: not callable(value)),
)


@examples(60)
@given(targets=GOALS, native=st.booleans())
def test_targets_of_a_loss(lab, targets, native):
    backend = get_backend(lab.name)

    def made_once():
        def distance(outputs, targets):
            goal = backend.cast(targets, backend.dtype(outputs))
            goal = lab.ops.reshape(goal, 1) if len(goal.shape) == 1 else goal
            return lab.ops.sum(outputs) * lab.ops.sum(goal) * 0.125

        model = lab.function(lambda ops, x: ops.tanh(x))
        return polyattr.GradientInput(model, backend=lab.name, operator=polyattr.loss(distance))

    if lab.name not in MADE:
        MADE[lab.name] = made_once()
    if native and isinstance(targets, np.ndarray) and targets.dtype in ("float32", "uint8"):
        targets = lab.tensor(targets, str(targets.dtype))
    found = allowed(lambda: MADE[lab.name].explain(lab.tensor(X), targets), "target")
    if found is not None:
        assert_like(lab.numpy(found), X)


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
KNOWN = {"saliency", "gradientinput", "integratedgradients", "smoothgrad", "squaregrad", "vargrad"}


@examples(80)
@given(
    arguments=st.lists(
        st.sampled_from(["--backend", "--method", "--out", "--", "-o", "demo", "tour"]) | WORDS,
        max_size=4,
    ),
    method=mostly(st.just("tea"), WORDS.filter(lambda name: not KNOWN & {name.lower()})),
)
def test_command_line(tmp_path_factory, arguments, method):
    folder = tmp_path_factory.getbasetemp() / "drawn"
    runner = click.testing.CliRunner()
    # The last --method counts, and no method is called so: nothing runs for long.
    line = ["demo", *arguments, "--out", str(folder), "--method", method]
    result = runner.invoke(cli.build(), line)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit)
    assert "Error: " in result.stderr
    assert not folder.exists()
