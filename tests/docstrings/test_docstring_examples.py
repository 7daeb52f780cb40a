"""The runner of examples: what it reports, and how it tells whose example it is."""

import doctest
import warnings

import pytest
from docstring_examples import frameworks_of, run
from docstring_sections import parse


def example(text):
    return doctest.DocTestParser().get_doctest(text, {}, "example", None, 0)


def test_what_is_printed_is_what_comes_out():
    assert run(example(">>> x = 1\n>>> x + 1\n2\n")) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (">>> 1 + 1\n3\n", "Got:\n    2"),
        (">>> x = undefined\n", "NameError"),
        (">>> import warnings\n>>> warnings.warn('mind')\n", "UserWarning: mind"),
    ],
)
def test_anything_else_is_reported(text, said):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert said in run(example(text))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("import numpy as np, polyattr", []),
        ("import polyattr, tensorflow as tf", ["tensorflow"]),
        ("import jax.numpy as jnp", ["jax"]),
        ("from polyattr_torch import backend", ["torch"]),
        ("import torch, jax", ["jax", "torch"]),
    ],
)
def test_frameworks_are_those_imported(line, names):
    assert frameworks_of(example(f">>> {line}\n")) == names


def test_sections_of_a_docstring():
    doc = parse(
        """Sums.

        All of it.

        Args:
            x: (N,) numbers,
                or nothing.
            **more: Passed on.

        Example:
            >>> sum([1])
            1
        """
    )
    assert doc.body == "Sums.\n\nAll of it."
    assert doc.entries("Args") == {"x": "(N,) numbers,\n    or nothing.\n", "more": "Passed on."}
    assert doc.entries("Raises") == {}
    assert doc.sections["Example"] == ">>> sum([1])\n1"
    assert ">>>" not in doc.text
