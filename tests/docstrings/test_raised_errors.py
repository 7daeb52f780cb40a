"""The reader of sources finds errors through every kind of call that polyattr makes."""

from dataclasses import dataclass

import pytest
from raised_errors import raised_by, raised_by_constructor

from polyattr import (
    Attribution,
    Explainer,
    InputError,
    InputTypeError,
    MissingExtraError,
    MissingFrameworkError,
    Saliency,
    UnknownBackendError,
    UnrecognisedModelError,
    VarGrad,
    load,
    register,
    setting,
    unregister,
)
from polyattr.question.checks import check_flag, count_of


@pytest.mark.parametrize(
    ("function", "owner", "errors"),
    [
        (unregister, None, {UnknownBackendError}),  # its own statement
        (register, None, {InputTypeError}),  # a function of the module
        (load, None, {InputError, InputTypeError}),  # functions that call functions
        (Attribution.save, Attribution, {InputError, InputTypeError}),
        # An import inside the function.
        (Attribution.plot, Attribution, {InputError, InputTypeError, MissingExtraError}),
    ],
)
def test_all_errors_of_a_function(function, owner, errors):
    assert raised_by(function, owner) == errors


def test_errors_raised_through_methods_of_self():
    found = raised_by(Explainer.explain, Explainer)
    # In turn: a method's own, one of another module, an error that a function builds.
    assert {InputError, MissingExtraError, UnrecognisedModelError} <= found


def test_errors_of_a_constructor_of_the_base_and_of_its_settings():
    assert {UnknownBackendError, MissingFrameworkError} <= raised_by_constructor(Saliency)
    assert InputError in raised_by_constructor(VarGrad)
    assert raised_by_constructor(Attribution) == {InputError}


@dataclass
class Checked:
    steps: int = setting(default=1, check=count_of(1))


@dataclass
class Flagged:
    swift: bool = setting(default=True, check=check_flag)


def test_errors_of_the_checks_that_fields_come_with():
    assert raised_by_constructor(Checked) == {InputError, InputTypeError}
    assert raised_by_constructor(Flagged) == {InputTypeError}
