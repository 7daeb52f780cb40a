"""A warning points at the line of the user's that called polyattr, whatever lies in between."""

import types
import warnings

import pytest

from polyattr.errors import PolyattrWarning, warn

PASSES_ON = "def call(rest): return rest[0](rest[1:])"
WARNS = "def call(rest): warn('something', PolyattrWarning)"


def function_of(module, source):
    """The function of a module, as if it had been imported from a file named like it."""
    made = types.ModuleType(module)
    made.warn, made.PolyattrWarning = warn, PolyattrWarning
    exec(compile(source, module, "exec"), vars(made))
    return made.call


@pytest.mark.parametrize(
    ("modules", "user"),
    [
        ("study polyattr.explainer", "study"),
        ("study polyattr.explainer polyattr_torch.backend", "study"),
        ("polyattr_study.maps polyattr.explainer polyattr_jax.bound_nnx", "polyattr_study.maps"),
        ("polyattrs polyattr.explainer", "polyattrs"),
        # A plugin of anybody's, and the framework that calls polyattr back.
        ("study polyattr.engine acme_plugin.backend jax.api polyattr.engine acme_plugin", "study"),
        ("lightning.trainer study polyattr.explainer contextlib", "study"),
        # The user's object calls polyattr in turn: the call that was made first is the user's.
        ("study polyattr.explainer study.loader polyattr.explainer", "study"),
    ],
)
def test_it_is_the_line_that_called_polyattr(modules, user):
    names = modules.split()
    first, *rest = [
        function_of(name, WARNS if place == len(names) - 1 else PASSES_ON)
        for place, name in enumerate(names)
    ]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first(rest)
    assert [warning.filename for warning in caught] == [user]
